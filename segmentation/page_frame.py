"""How the paper lies in the image: the small copy that lines are looked for on, its turn and perspective.

The printed lines themselves tell it. Level lines that are parallel on paper meet in one point of a photo, and
so do upright ones; the two points give the one transform that makes all of them level and upright again. No
edge of the paper has to be in the picture, and no desk beside it is taken for one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.bits import Bits, outlines, packed
from segmentation.lines import Lines, Mask, Print, find_lines, find_pale_print, shade_print
from segmentation.spots import find_spots

WORKING_LENGTH = 1170  # px of the longer side: 100 dpi on A4, where the finest printed line still shows
SPREAD_LENGTH = 1600  # of a page that is wider than high: two may lie side by side
SHORTEST = 14  # px of the lines that tell how the paper lies; the longer, the more they count
STEADY = 40.0**2  # what a line of 10 mm on A4 counts, that all of them lean alike
FLAT = 0.25  # height over length of a level line as it lies on a page: the page is turned by less
LEAST_TURN = math.radians(0.15)  # less does not show within the longest box
LEAST_PERSPECTIVE = math.radians(1.2)  # by which lines at a page's ends differ: a scanner's never do
EXPLAINS_MORE = 1.15  # times the length of lines that a perspective must account for
MOST_PERSPECTIVE = math.radians(30)
TURN_OFF = math.radians(0.8)  # by which a line may be off, bent paper and uneven pixels
FEW_LINES = 1.5  # times the page's width that lines which agree are long; with fewer the page is turned far
FARTHEST_TURN = math.radians(20)
TURN_STEP = math.radians(0.5)
ROUNDS = 8  # of reweighting; the lines that agree are known after three or four
LARGEST_CANVAS = 1.4  # of the small copy, that the straight page may take

Matrix = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCopy:
    """A page made small enough for its lines to be found fast, and turned by quarters to be read.

    `reduction` is page pixels per pixel of it; `to_page`, (3, 3), takes its points to those of the page.
    Pixel centres are whole numbers in both.
    """

    grey: npt.NDArray[np.uint8]
    reduction: float
    to_page: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class PageFrame:
    """The print of a page as if it lay straight, its lines, and the way back.

    `to_page` is a homography, (3, 3). `unit` is page pixels per pixel of the straight print, about its
    middle. `dark` is the dark print alone, where much of it is pale: what is on the back may show through.
    """

    print_: Mask
    lines: Lines
    dark: Mask | None
    to_page: Matrix
    unit: float
    skew_degrees: float  # of level lines about the middle of the page, clockwise is positive

    def points(self, x: Numbers, y: Numbers) -> Numbers:
        """Return (n, 2) where points of the straight print lie on the page."""
        if not len(x):
            return np.empty((0, 2))
        places = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
        return np.asarray(cv2.perspectiveTransform(places, self.to_page), np.float64).reshape(-1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """Lines that are parallel on paper: how far each leans per pixel along it, where, and how long it is.

    `along` is counted in the direction of the lines from the middle of the page, `across` beside it.
    """

    lean: Numbers
    along: Numbers
    across: Numbers
    length: Numbers


@dataclass(frozen=True, slots=True)
class _Lean:
    """How lines of a family lean: `at` the middle of the page, and how that changes across it, per pixel."""

    at: float = 0.0
    change: float = 0.0
    support: float = 0.0  # pixels of lines that agree

    def of(self, along: float, across: float) -> float:
        """Return the lean of the line through a point: all of them meet where 1 / change is."""
        return (self.at - self.change * across) / (1 - self.change * along)


def working_copy(grey: npt.NDArray[np.uint8], quarter_turns: int = 0) -> WorkingCopy:
    """Return a copy whose longer side is at most about WORKING_LENGTH, of a wide page SPREAD_LENGTH.

    Small pages are taken as they are.

    Halving by area, of even sides, is 40 times as fast as any other reduction OpenCV has, so only the last
    step is left to interpolation; lines of one pixel survive it. `quarter_turns`, clockwise, make a page that
    lies on its side or on its head upright.
    """
    small, reduction = grey, 1.0
    height, width = grey.shape if quarter_turns % 2 == 0 else grey.shape[::-1]
    longest = WORKING_LENGTH if width <= height else SPREAD_LENGTH
    while max(small.shape) >= 2 * longest:
        height, width = small.shape[0] // 2, small.shape[1] // 2
        if min(height, width) == 0:
            break
        small = _resize(small[: 2 * height, : 2 * width], width, height, cv2.INTER_AREA)
        reduction *= 2
    rest = max(small.shape) / longest
    if rest > 1:
        height, width = small.shape
        small = _resize(small, max(1, round(width / rest)), max(1, round(height / rest)), cv2.INTER_LINEAR)
        reduction = max(grey.shape) / max(small.shape)
    offset = (reduction - 1) / 2
    to_page = np.array([(reduction, 0, offset), (0, reduction, offset), (0, 0, 1)], np.float64)
    for _ in range(quarter_turns % 4):
        to_page = to_page @ np.array([(0, 1, 0), (-1, 0, small.shape[0] - 1), (0, 0, 1)], np.float64)
        small = np.ascontiguousarray(np.rot90(small, -1))
    return WorkingCopy(small, reduction, to_page)


def find_frame(copy: WorkingCopy, *, pale: bool = False) -> PageFrame:
    """Return the print of a page as if it lay straight, which it may by 20 degrees not, or at a slant.

    `pale` asks for print that hardly shows.
    """
    shades = Print(find_pale_print(copy.grey), None) if pale else shade_print(copy.grey)
    print_, dark = shades.all, shades.dark
    turned = np.eye(3)
    lines = find_lines(print_)
    level, upright = _leans(lines)
    if level.support < FEW_LINES * print_.shape[1]:
        coarse = _coarse_turn(print_)
        if abs(coarse) > FLAT / 2:
            turned = _rotation(coarse, print_.shape)
            level, upright = _leans(find_lines(_warp(print_, turned, print_.shape)))
    to_straight = _straightening(level, upright, print_.shape) @ turned
    if level.change or upright.change or abs(level.at) > FLAT / 4:  # what leans much shows better straight
        level, upright = _leans(find_lines(_warp(print_, to_straight, print_.shape)))
        to_straight = _straightening(level, upright, print_.shape) @ to_straight
    if np.array_equal(to_straight, np.eye(3)):
        straight = print_
    else:
        to_straight, shape = _on_canvas(to_straight, print_.shape)
        straight = _warp(print_, to_straight, shape)
        lines = find_lines(straight)
        dark = None if dark is None else _warp(dark, to_straight, shape)
    to_page = copy.to_page @ np.linalg.inv(to_straight)
    return PageFrame(straight, lines, dark, to_page, *_about_middle(to_page, straight.shape))


def _about_middle(to_page: Matrix, shape: tuple[int, ...]) -> tuple[float, float]:
    """Return page pixels per pixel, and the skew in degrees from the nearest quarter turn."""
    x, y = shape[1] / 2, shape[0] / 2
    ends = np.array([[(x, y)], [(x + 10, y)], [(x, y + 10)]])
    at, right, below = cv2.perspectiveTransform(ends, to_page)[:, 0]
    across, down = right - at, below - at
    unit = math.sqrt(abs(across[0] * down[1] - across[1] * down[0])) / 10
    turn = math.degrees(math.atan2(across[1], across[0]))
    return unit, (turn + 45) % 90 - 45


def _leans(lines: Lines) -> tuple[_Lean, _Lean]:
    """Return how a page's level and upright lines lean; the ones like the others where few tell."""
    height, width = lines.shape
    level = _fit(_family(lines.level_bits, (width / 2, height / 2)), height)
    on_side = packed(np.asarray(cv2.transpose(lines.upright), np.uint8))
    upright = _fit(_family(on_side, (height / 2, width / 2)), width)
    if upright.support < height / 4:
        upright = _Lean(-level.at)
    if level.support < width / 4 and upright.support >= height / 4:
        level = _Lean(-upright.at, 0.0, level.support)
    return level, upright


def _family(lines: Bits, middle: tuple[float, float]) -> _Family:
    """Return the longer lines of a mask in which they are about level."""
    spots = find_spots(outlines(lines))  # what is thick of a line tells no more than what is thin
    width, height = spots.width.astype(np.float64), spots.bottom - spots.top + 1
    pixels = (spots.last - spots.first + 1).astype(np.float64)  # of each stretch
    x, y = (spots.first + spots.last) / 2, spots.row.astype(np.float64)
    counts = np.add.reduceat(pixels, spots.starts)

    def mean(of: Numbers) -> Numbers:
        return np.asarray(np.add.reduceat(pixels * of, spots.starts) / counts)

    across, down = mean(x), mean(y)
    spread = mean(x * x + (pixels**2 - 1) / 12) - across**2 - mean(y * y) + down**2
    lean = np.tan(np.arctan2(2 * (mean(x * y) - across * down), spread) / 2)  # by least squares, across them
    long = (width >= SHORTEST) & (height <= FLAT * width)
    return _Family(*(each[long] for each in (lean, across - middle[0], down - middle[1], width)))


def _fit(family: _Family, extent: int) -> _Lean:
    """Return the lean that most of a family's length agrees on, and its change where the paper has one.

    A line through (along, across) that goes to the point where all meet leans by
    (at - change * across) / (1 - change * along): linear in `at` and `change`. Lines that disagree, of other
    paper or of the desk, lose their weight (iteratively reweighted least squares, Cauchy's).
    """
    if not len(family.lean):
        return _Lean()
    order = np.argsort(family.lean)
    passed = np.cumsum(family.length[order])
    at, change = float(family.lean[order][np.searchsorted(passed, passed[-1] / 2)]), 0.0
    steady = _agreeing(family, at, 0.0)
    leverage = family.lean * family.along - family.across
    for _ in range(ROUNDS):
        off = family.lean - at - change * leverage
        weight = family.length**2 / (1 + (off / TURN_OFF) ** 2)
        levered = weight * leverage
        total, first, second = float(weight.sum()), float(levered.sum()), float(levered @ leverage)
        second += extent**2 * STEADY  # a few lines close together cannot tell a change
        leans, levered_leans = float(weight @ family.lean), float(levered @ family.lean)
        divisor = total * second - first**2
        at = (leans * second - levered_leans * first) / divisor
        change = (levered_leans * total - leans * first) / divisor
    support = _agreeing(family, at, change)
    if LEAST_PERSPECTIVE <= abs(change) * extent <= MOST_PERSPECTIVE and support > EXPLAINS_MORE * steady:
        return _Lean(at, change, support)
    near = np.abs(family.lean - at) < 2 * TURN_OFF
    if near.any():
        order = np.argsort(family.lean[near])
        passed = np.cumsum(family.length[near][order])
        at = float(family.lean[near][order][np.searchsorted(passed, passed[-1] / 2)])
    return _Lean(at, 0.0, max(steady, _agreeing(family, at, 0.0)))


def _agreeing(family: _Family, at: float, change: float) -> float:
    off = family.lean - at - change * (family.lean * family.along - family.across)
    return float(family.length[np.abs(off) < TURN_OFF].sum())


def _straightening(level: _Lean, upright: _Lean, shape: tuple[int, ...]) -> Matrix:
    """Return what takes four lines of a page, two of each family, to the sides of a rectangle."""
    height, width = shape[:2]
    steady = not (level.change or upright.change)
    if steady and abs(level.at) < LEAST_TURN:
        return np.eye(3)
    if steady:  # as scanners leave it: a turn, no more
        return _rotation(math.atan(level.at), shape)
    x, y = width / 2, height / 2
    corners = [
        _crossing(side, level.of(0, side), end, upright.of(0, end))
        for side, end in ((-y / 2, -x / 2), (-y / 2, x / 2), (y / 2, x / 2), (y / 2, -x / 2))
    ]
    source = np.array(corners, np.float32) + np.array([x, y], np.float32)
    target = np.array([(x / 2, y / 2), (1.5 * x, y / 2), (1.5 * x, 1.5 * y), (x / 2, 1.5 * y)], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, target), np.float64)


def _crossing(down: float, slope: float, right: float, lean: float) -> tuple[float, float]:
    """Return where y = down + slope * x and x = right + lean * y meet."""
    x = (right + lean * down) / (1 - lean * slope)
    return x, down + slope * x


def _on_canvas(straight: Matrix, shape: tuple[int, ...]) -> tuple[Matrix, tuple[int, int]]:
    """Move what the page becomes onto a canvas that holds it, LARGEST_CANVAS aside."""
    height, width = shape[:2]
    corners = np.array([[(0, 0)], [(width, 0)], [(width, height)], [(0, height)]], np.float64)
    weight = (np.c_[corners[:, 0], np.ones(4)] @ straight[2]).min()
    if weight < 0.2:  # a corner lies beyond the horizon or next to it: desk, not paper
        return straight, (height, width)
    after = cv2.perspectiveTransform(corners, straight)[:, 0]
    spare = (LARGEST_CANVAS - 1) / 2
    low = np.floor(np.maximum(after.min(axis=0), (-spare * width, -spare * height)))
    high = np.minimum(after.max(axis=0), ((1 + spare) * width, (1 + spare) * height))
    shift = np.array([(1, 0, -low[0]), (0, 1, -low[1]), (0, 0, 1)])
    return shift @ straight, (max(1, round(high[1] - low[1])), max(1, round(high[0] - low[0])))


def _coarse_turn(print_: Mask) -> float:
    """Return by what angle most straight print is turned, in radians; 0 where none tells."""
    if min(print_.shape) < SHORTEST:
        return 0.0
    small = cv2.resize(print_, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
    upright, reach = math.pi / 2, FARTHEST_TURN
    votes = max(20, small.shape[1] // 6)
    lines = cv2.HoughLines(
        np.asarray(small, np.uint8), 1, TURN_STEP, votes, min_theta=upright - reach, max_theta=upright + reach
    )
    if lines is None:
        return 0.0
    angles = lines[:40, 0, 1] - upright
    return float(np.median(angles))


def _rotation(angle: float, shape: tuple[int, ...]) -> Matrix:
    """Return what makes lines level that are turned by `angle`, about the page's middle."""
    height, width = shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), math.degrees(angle), 1.0)
    return np.vstack([turn, (0.0, 0.0, 1.0)])


def _warp(print_: Mask, transform: Matrix, shape: tuple[int, ...]) -> Mask:
    size = (shape[1], shape[0])
    if np.array_equal(transform[2], (0.0, 0.0, 1.0)):
        return np.asarray(cv2.warpAffine(print_, transform[:2], size, flags=cv2.INTER_NEAREST), np.uint8)
    return np.asarray(cv2.warpPerspective(print_, transform, size, flags=cv2.INTER_NEAREST), np.uint8)


def _resize(
    grey: npt.NDArray[np.uint8], width: int, height: int, interpolation: int
) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(grey, (width, height), interpolation=interpolation), np.uint8)
