"""What in a cut-out box is the digit's ink: its lines, the neighbours' strokes and dirt are taken out.

A hundred cells on a page are cut one by one: here calls count for more than pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

LEAST_CONTRAST = (
    45  # grey levels between paper and ink: watermarks and show-through stay under it, pencil does not
)
NOISE_FACTOR = 6.0  # standard deviations of the paper's grain that ink must rise above it
INK_SHARE = 0.45  # of the ink's darkness from which on a pixel belongs to a stroke
FAINTEST, CORE = 0.2, 0.8  # of it, where a stroke's edge starts and where its core does
INK_RANK, PAPER_RANK, GRAIN_RANK = 0.01, 0.75, 0.97  # of a box's pixels, from the darkest to the lightest
GRAIN_STEP = 1.2  # standard deviations of the paper's grain that lie between the last two of them
LINE_COVERAGE = 0.9  # of a side's length that a line covers; a digit's own straight stroke is shorter
LINE_OFF = 0.12  # of the box's side by which a line may lie off where it is expected
SLIVER = 2  # px that an uneven line may reach further in than it does on the whole
SMALLEST_HEIGHT = 0.16  # of the box's height: a digit's least size; what is smaller is dirt
SPECK_SHARE = 0.06  # of the largest stroke's area, under which another piece of ink is a speck
SMALLEST_AT_EDGE = 0.4  # of the box: what lies along a side and is smaller is a neighbour's stroke
EDGE_WEIGHT = 0.25  # of a stroke along a side against one in the middle, as to which is the digit
EDGE_SHARE = 0.2  # of the box that a neighbour's stroke reaches into it
SOFT_EDGE = np.ones((3, 3), np.uint8)  # a stroke's edge fades over a pixel on each side


@dataclass(frozen=True, slots=True, eq=False)
class DigitInk:
    """The ink of one digit, light on black, and where in the patch it stands."""

    ink: Grey
    x: int
    y: int
    width: int
    height: int
    doubts: tuple[str, ...]


class _Piece(NamedTuple):
    """Ink that hangs together: the rectangle it stands in, and its area. All in pixels."""

    x: int
    y: int
    width: int
    height: int
    area: int

    def at_edge(self, within: tuple[int, int]) -> bool:
        return self._at_a_side(within[0]) or self._at_top_or_bottom(within[1])

    def is_shallow(self, within: tuple[int, int]) -> bool:
        """Return whether it only reaches in a little from outside, as a neighbour's stroke does."""
        width, height = within
        return (self._at_a_side(width) and self.width < EDGE_SHARE * width) or (
            self._at_top_or_bottom(height) and self.height < EDGE_SHARE * height
        )

    def _at_a_side(self, width: int) -> bool:
        return self.x == 0 or self.x + self.width == width

    def _at_top_or_bottom(self, height: int) -> bool:
        return self.y == 0 or self.y + self.height == height


def find_ink(patch: Grey, margin: float) -> DigitInk | None:
    """Return the digit that stands in a printed box, None where the box is blank.

    `patch` is (height, width) uint8, the box upright with `margin` px round it, which may hold its lines.
    """
    paper, level = _paper_and_ink(patch, 1.5 * margin)
    if level is None:
        return None
    strokes = cv2.threshold(patch, paper - INK_SHARE * level, 255, cv2.THRESH_BINARY_INV)[1]
    left, top, right, bottom = _within_lines(np.asarray(strokes, np.uint8), round(margin))
    inner = np.asarray(strokes[top:bottom, left:right], np.uint8)
    if min(inner.shape) < 2 * SLIVER:
        return None
    for side in (inner, inner[::-1], inner.T, inner.T[::-1]):
        _wipe_slivers(side)
    kept, doubts = _digit_pieces(inner)
    if kept is None:
        return None
    x, y, width, height = cv2.boundingRect(kept)
    around = slice(max(0, y - 1), y + height + 1), slice(max(0, x - 1), x + width + 1)
    soft = _soft_ink(patch[top:bottom, left:right][around], kept[around], paper, level)
    return DigitInk(soft, left + x, top + y, width, height, doubts)


def _paper_and_ink(patch: Grey, border: float) -> tuple[float, float | None]:
    """Return how light the paper is, and how much darker the ink, None where there is none.

    Only what is further than `border` from the patch's edges tells paper from ink: lines do not.
    """
    edge = int(border)
    inside = patch[edge : patch.shape[0] - edge, edge : patch.shape[1] - edge]
    up_to = cv2.calcHist([inside], [0], None, [256], [0, 256]).ravel().cumsum()  # cheaper than sorting
    ranks = np.array([INK_RANK, PAPER_RANK, GRAIN_RANK]) * inside.size
    ink, paper, light = map(float, up_to.searchsorted(ranks, side="right"))
    grain = (light - paper) / GRAIN_STEP
    level = paper - ink
    return paper, level if level >= max(LEAST_CONTRAST, NOISE_FACTOR * grain) else None


def _within_lines(strokes: Grey, margin: int) -> tuple[int, int, int, int]:
    """Return the part of the patch that its lines enclose: left, top, right, bottom."""
    height, width = strokes.shape
    across = cv2.reduce(strokes[margin : height - margin], 0, cv2.REDUCE_AVG)
    down = cv2.reduce(strokes[:, margin : width - margin], 1, cv2.REDUCE_AVG)
    left, right = _between_lines(np.asarray(across, np.uint8), margin)
    top, bottom = _between_lines(np.asarray(down, np.uint8), margin)
    return left, top, right, bottom


def _between_lines(profile: npt.NDArray[np.uint8], margin: int) -> tuple[int, int]:
    """Return where one line has ended and where the one opposite begins; the margins where there is none.

    `profile` tells how much of each row or column strokes cover, 255 for all of it.
    """
    covered = profile.ravel() >= 255 * LINE_COVERAGE
    turns = ((covered[1:] != covered[:-1]).nonzero()[0] + 1).tolist()
    beginnings, ends = (turns[1::2], turns[::2]) if covered[0] else (turns[::2], turns[1::2])
    off = 1 + LINE_OFF * (len(covered) - 2 * margin)
    return _nearest(ends, margin, off), _nearest(beginnings, len(covered) - margin, off)


def _nearest(places: Sequence[int], expected: int, off: float) -> int:
    """Return the place nearest to where it is expected, that itself where none is within `off`."""
    nearest = min(places, key=lambda place: abs(place - expected), default=expected)
    return nearest if abs(nearest - expected) <= off else expected


def _wipe_slivers(side: Grey) -> None:
    """Take out, in place, what reaches at most SLIVER px in from the first row: a line's uneven edge."""
    if any(side[0].tobytes()):
        reach = np.bitwise_and.accumulate(side[: SLIVER + 1])
        side[:SLIVER] &= ~reach[:SLIVER] | reach[SLIVER]


def _digit_pieces(strokes: Grey) -> tuple[Grey | None, tuple[str, ...]]:
    """Return the strokes of the digit alone, None where there is none, and what makes them uncertain."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8, ltype=cv2.CV_16U)
    if count < 2:
        return None, ()
    height, width = strokes.shape
    within = width, height
    pieces = [_Piece(*row) for row in stats[1:].tolist()]
    shallow = [piece.is_shallow(within) for piece in pieces]
    weights = [piece.area * (EDGE_WEIGHT if edge else 1) for piece, edge in zip(pieces, shallow, strict=True)]
    first = weights.index(max(weights))
    main = pieces[first]
    size = max(main.height / height, main.width / width)
    if size < (SMALLEST_AT_EDGE if shallow[first] else SMALLEST_HEIGHT):
        return None, ()
    kept = [
        piece is main or (piece.area >= SPECK_SHARE * main.area and not edge)
        for piece, edge in zip(pieces, shallow, strict=True)
    ]
    doubts = ("touches the box",) if main.at_edge(within) else ()
    if all(kept):
        return strokes, doubts
    grey_of_label = np.array([0, *(255 * keep for keep in kept)], np.uint8)
    return grey_of_label[labels], doubts


def _soft_ink(patch: Grey, kept: Grey, paper: float, level: float) -> Grey:
    """Return the kept strokes with their soft edges, the core of a stroke at 255."""
    steepness = 255 / ((CORE - FAINTEST) * level)
    soft = cv2.addWeighted(patch, -steepness, patch, 0, steepness * (paper - FAINTEST * level))
    return np.asarray(cv2.bitwise_and(soft, cv2.dilate(kept, SOFT_EDGE)), np.uint8)
