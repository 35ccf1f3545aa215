"""The printed boxes of a page: white regions that printed lines enclose.

Lines are what is dark over a length and thin across it, so a digit that touches or crosses its box hardly shows among
them. Everything here looks at the small copy of the page and answers in page pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Point
from segmentation.page_frame import WorkingCopy

# All lengths are pixels of the working copy, whose longer side is about 1,170: 0.25 mm each on A4.
PAPER_WINDOW = 41  # over which the paper's brightness is averaged: wider than a box line, narrower than a shadow
DEEPEST_DIP = 12  # grey levels by which print may pull that average down, or faint lines beside bold ones go
LINE_CONTRAST = 8  # grey levels; a hairline of a third of a pixel, printed in grey, still has 20
SHORTEST_LINE = 13  # longer than the strokes of small print, shorter than the sides of the smallest box
SIDE_SHARE = 0.9  # of a side's length that is looked at: corners may be rounded
SIDE_COVERED = 0.78  # of it that print covers
LARGEST_GAP = 5  # that a worn line may have
SMALLEST_SIDE = 8.0  # of the inside of a box
LARGEST_SIDE = 160.0  # 40 mm on A4; larger regions are columns, frames and the paper itself
NARROWEST, WIDEST = 0.3, 1.6  # width over height of a box for one digit; other cells hold words
SQUARE_HULL = 0.85  # of the turned rectangle round a box that the box fills, its dents filled up
LEAST_WHITE = 0.3  # of that rectangle that digits grown into the walls leave white
SAME_SIZE = 0.2  # by which sides of boxes of one kind differ
LARGEST_OVERLAP = 0.15  # of the smaller of two boxes
MOST_SIZES = 4  # kinds of boxes on a page

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PrintedBox:
    """A box that printed lines enclose: its centre and its inner size in page pixels."""

    centre: Point
    width: float
    height: float
    alone: bool  # it shares its lines with no other region


@dataclass(frozen=True, slots=True)
class _Region:
    """The turned rectangle round a white region of the working copy: its centre and sides."""

    x: float
    y: float
    width: float
    height: float
    alone: bool

    def is_like(self, width: float, height: float) -> bool:
        return _close(self.width, width) and _close(self.height, height)

    def overlaps(self, other: _Region) -> bool:
        """Whether the centre of one lies within the other."""
        across, down = abs(self.x - other.x), abs(self.y - other.y)
        return any(across < r.width / 2 and down < r.height / 2 for r in (self, other))


def find_boxes(copy: WorkingCopy) -> list[PrintedBox]:
    """Return the regions of a digit box's shape that printed lines enclose, in no particular order.

    A first look takes what lines enclose, and so learns how large the boxes are: digits in and across the lines
    spoil some of them, but not the usual sizes. A second look then finds every place where a box of such a size
    has its four sides, whatever is written into it.
    """
    dark = _print(copy.grey)
    level, upright = _lines(dark)
    first = _enclosed(cv2.bitwise_or(level, upright), spread=1.0)
    kinds = [_outlined(level, upright, width, height) for width, height in _usual_sizes(first)]
    kinds.sort(key=_weight, reverse=True)
    boxes = _without_overlaps([box for kind in kinds for _, box in kind])
    alone = [region for region in first if region.alone]
    return [
        PrintedBox(
            copy.to_page(box.x, box.y),
            box.width * copy.reduction,
            box.height * copy.reduction,
            alone=any(box.is_like(one.width, one.height) and box.overlaps(one) for one in alone),
        )
        for box in boxes
    ]


def _outlined(level: Mask, upright: Mask, width: float, height: float) -> list[tuple[float, _Region]]:
    """Return the places where lines run round a box of this inner size on all four sides, the surest first.

    With each place comes by how much its sides are better covered than they need be.
    """
    columns, rows = round(width) + 1, round(height) + 1  # from one line to the opposite one
    if columns >= level.shape[1] or rows >= level.shape[0]:
        return []
    level = cv2.blur(level, (max(3, round(SIDE_SHARE * width)), 1))
    upright = cv2.blur(upright, (1, max(3, round(SIDE_SHARE * height))))
    above, left = rows // 2, columns // 2
    below, right = rows - above, columns - left
    sides = (
        level[:-rows, left:-right],
        level[rows:, left:-right],
        upright[above:-below, :-columns],
        upright[above:-below, columns:],
    )
    worst = np.minimum(np.minimum(sides[0], sides[1]), np.minimum(sides[2], sides[3]))
    _, hits = cv2.threshold(worst, round(255 * SIDE_COVERED), 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(hits, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scored = []
    for contour in contours:
        x, y, across, down = cv2.boundingRect(contour)
        middle = (y + (down - 1) // 2, x + (across - 1) // 2)
        centre_x, centre_y = x + (across - 1) / 2 + columns / 2, y + (down - 1) / 2 + rows / 2
        score = sum(int(side[middle]) for side in sides) / (4 * 255) - SIDE_COVERED
        scored.append((score, _Region(centre_x, centre_y, width, height, alone=False)))
    scored.sort(key=lambda pair: -pair[0])
    kept = set(_without_overlaps([region for _, region in scored]))
    return [(score, region) for score, region in scored if region in kept]


def _weight(kind: Sequence[tuple[float, _Region]]) -> tuple[bool, float]:
    """Return how much speaks for boxes of this size: the paper they cover well, if they are more than two.

    Half a box, cut by a digit's straight stroke, is matched now and then, but covers less.
    """
    return len(kind) > 2, sum(score * box.width * box.height for score, box in kind)


def _without_overlaps(regions: Sequence[_Region]) -> list[_Region]:
    """Return the regions that overlap none of those kept before them."""
    x, y, width, height = np.array([(r.x, r.y, r.width, r.height) for r in regions]).reshape(-1, 4).T
    across = _shared(x - width / 2, x + width / 2)
    down = _shared(y - height / 2, y + height / 2)
    area = width * height
    conflict = across * down > LARGEST_OVERLAP * np.minimum(area, area[:, None])
    kept = np.zeros(len(regions), bool)
    for index in range(len(regions)):
        kept[index] = not (conflict[index] & kept).any()
    return [region for region, keep in zip(regions, kept, strict=True) if keep]


def _shared(start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the length that every two of these intervals have in common."""
    return np.maximum(0, np.minimum(end, end[:, None]) - np.maximum(start, start[:, None]))


def _print(grey: npt.NDArray[np.uint8]) -> Mask:
    """Return 255 where something is darker than the paper round it."""
    window = (PAPER_WINDOW, PAPER_WINDOW)
    lowest = np.maximum(cv2.blur(grey, window), DEEPEST_DIP) - DEEPEST_DIP
    darkness = cv2.subtract(cv2.blur(np.maximum(grey, lowest), window), grey)
    return np.asarray(cv2.threshold(darkness, LINE_CONTRAST, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _lines(dark: Mask) -> tuple[Mask, Mask]:
    """Return two masks, 255 where print runs straight for a while: level lines and upright ones.

    Print is widened by a pixel across each direction before it is opened along it: a hairline that is askew falls
    into short steps otherwise.
    """
    level = cv2.morphologyEx(cv2.dilate(dark, _bar(1, 3)), cv2.MORPH_OPEN, _bar(SHORTEST_LINE, 1))
    upright = cv2.morphologyEx(cv2.dilate(dark, _bar(3, 1)), cv2.MORPH_OPEN, _bar(1, SHORTEST_LINE))
    level = cv2.morphologyEx(level, cv2.MORPH_CLOSE, _bar(LARGEST_GAP + 1, 1))
    upright = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, _bar(1, LARGEST_GAP + 1))
    return np.asarray(level, np.uint8), np.asarray(upright, np.uint8)


def _bar(width: int, height: int) -> Mask:
    return np.ones((height, width), np.uint8)


def _enclosed(lines: Mask, spread: float) -> list[_Region]:
    """Return the box-shaped white regions between lines, enlarged by `spread` px on every side."""
    contours, hierarchy = cv2.findContours(cv2.bitwise_not(lines), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if hierarchy is None:
        return []
    parents = hierarchy[0, :, 3]
    white = np.flatnonzero(_depths(parents) % 2 == 0)
    frames, counts = np.unique(parents[white], return_counts=True)
    in_frame = dict(zip(frames.tolist(), counts.tolist(), strict=True))
    regions = []
    for index in white.tolist():
        frame = int(parents[index])
        region = _region(contours[index], spread, alone=frame >= 0 and in_frame[frame] == 1)
        if region is not None:
            regions.append(region)
    return regions


def _depths(parents: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return how many contours each contour lies within: white regions are even, the print round them odd."""
    depths = np.zeros(len(parents), np.int32)
    ancestors = parents
    while (ancestors >= 0).any():
        depths += ancestors >= 0
        ancestors = np.where(ancestors >= 0, parents[ancestors], -1)
    return depths


def _region(contour: npt.NDArray[np.int32], spread: float, *, alone: bool) -> _Region | None:
    _, _, columns, rows = cv2.boundingRect(contour)
    if not (SMALLEST_SIDE <= columns <= LARGEST_SIDE and SMALLEST_SIDE <= rows <= LARGEST_SIDE):
        return None
    hull = cv2.convexHull(contour)
    (x, y), (width, height), degrees = cv2.minAreaRect(hull)
    area = width * height
    if cv2.contourArea(hull) < SQUARE_HULL * area or cv2.contourArea(contour) < LEAST_WHITE * area:
        return None
    if 45 <= degrees % 180 < 135:
        width, height = height, width
    width, height = width + 2 * spread, height + 2 * spread
    if not NARROWEST < width / height < WIDEST:
        return None
    return _Region(x, y, width, height, alone)


def _usual_sizes(regions: Sequence[_Region]) -> list[tuple[float, float]]:
    """Return the sizes that most regions have, the commonest first."""
    sizes = []
    rest = list(regions)
    while rest and len(sizes) < MOST_SIZES:
        kinds = [[other for other in rest if other.is_like(one.width, one.height)] for one in rest]
        kind = max(kinds, key=len)
        sizes.append((median(one.width for one in kind), median(one.height for one in kind)))
        rest = [one for one in rest if not one.is_like(*sizes[-1])]
    return sizes


def _new(boxes: Sequence[_Region], regions: Sequence[_Region]) -> list[_Region]:
    """Return the regions that overlap none of the boxes."""
    return [region for region in regions if not any(region.overlaps(box) for box in boxes)]


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= SAME_SIZE * max(a, b)

