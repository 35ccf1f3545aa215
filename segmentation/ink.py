"""What in a cut-out box is the digit's ink: its lines, the neighbours' strokes and dirt are taken out.

Each step is taken for all boxes of a page before the next: code that stays warm runs a quarter faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.guides import guides_alone
from segmentation.paper import measure_tones

Grey = npt.NDArray[np.uint8]

INK_SHARE = 0.45  # of the ink's darkness from which on a pixel belongs to a stroke
FAINTEST, CORE = 0.2, 0.8  # of it, where a stroke's edge starts and where its core does
OVER_PRINT = 1.15  # times what is printed under ink, as dark as which a stroke is
LINE_COVERAGE = 0.94  # of a side's length that a line covers; the upper stroke of a wide 7 reaches 0.93
PALEST_LINE = 0.1  # of the paper's lightness, by which a line that is paler than ink is darker
LINE_OFF = 0.12  # of the box's side by which a line may lie off where it is expected
SLIVER = 2  # px that an uneven line may reach further in than it does on the whole
SMALLEST_HEIGHT = 0.16  # of the box's height: a digit's least size; what is smaller is dirt
SPECK_SHARE = 0.06  # of the largest stroke's area, under which another piece of ink is a speck
SMALLEST_AT_EDGE = 0.4  # of the box: what lies along a side and is smaller is a neighbour's stroke
EDGE_WEIGHT = 0.25  # of a stroke along a side against one in the middle, as to which is the digit
LINE_SHARE = 0.25  # of the box's width, that a rest of a line is wide at most
EDGE_SHARE = 0.2  # of the box that a neighbour's stroke reaches into it
SOFT_EDGE = np.ones((3, 3), np.uint8)  # a stroke's edge fades over a pixel on each side


@dataclass(frozen=True, slots=True, eq=False)
class DigitInk:
    """The ink of one digit, light on black, where in the patch it stands, and what it consists of."""

    ink: Grey
    x: int
    y: int
    width: int
    height: int
    pieces: int
    may_be_line: bool
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

    def may_be_line(self, within: tuple[int, int]) -> bool:
        """Return whether it is thin and lies along a side, or reaches from the top down to the bottom."""
        width, height = within
        return self.width <= LINE_SHARE * width and (self._at_a_side(width) or self.height == height)

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


def find_ink(patches: Sequence[Grey], margins: Sequence[float]) -> list[DigitInk | None]:
    """Return the digit that stands in each of these printed boxes, None where one is blank.

    A patch is (height, width) uint8, the box upright with its margin, in px, round it, which may hold lines.
    """
    patches, tones = measure_tones(patches, margins)
    tones = replace(tones, ink=np.where(guides_alone(patches, margins, tones), 0.0, tones.ink))
    levels = list(zip(tones.paper.tolist(), tones.ink.tolist(), tones.no_ink.tolist(), strict=True))
    written = np.flatnonzero(tones.ink).tolist()
    strokes = [hard_ink(patches[index], *levels[index]) for index in written]
    papers = [levels[index][0] for index in written]
    insides = _within_lines(
        [patches[index] for index in written], papers, strokes, [round(margins[index]) for index in written]
    )
    found: list[DigitInk | None] = [None] * len(patches)
    for index, inked, inside in zip(written, strokes, insides, strict=True):
        found[index] = _digit(patches[index], inked, inside, levels[index])
    return found


def _within_lines(
    patches: Sequence[Grey], papers: Sequence[float], strokes: Sequence[Grey], margins: Sequence[int]
) -> list[tuple[int, int, int, int]]:
    """Return the part of each patch that its lines enclose: left, top, right, bottom.

    Lines are looked for where strokes are and, if they are not as dark as ink, in what else may be a line.
    """
    if not strokes:
        return []
    sizes = np.array([(patch.shape[1], patch.shape[0]) for patch in strokes])
    expected = np.broadcast_to(np.array(margins)[:, None], sizes.shape)
    first, last = _lines_near(strokes, margins, expected, sizes)
    pale = np.flatnonzero(((first < 0) | (last < 0)).any(axis=1))
    if len(pale):
        lines = [
            hard_ink(patches[index], papers[index], 0.0, PALEST_LINE * papers[index])
            for index in pale.tolist()
        ]
        found = _lines_near(lines, [margins[index] for index in pale.tolist()], expected[pale], sizes[pale])
        for sides, paler in zip((first, last), found, strict=True):
            sides[pale] = np.where(sides[pale] < 0, paler, sides[pale])
    first, last = np.where(first < 0, expected, first), np.where(last < 0, sizes - expected, last)
    return [(left, top, right, bottom) for left, top, right, bottom in np.hstack([first, last]).tolist()]


def _lines_near(
    masks: Sequence[Grey],
    margins: Sequence[int],
    expected: npt.NDArray[np.int_],
    sizes: npt.NDArray[np.int_],
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Return where the left and upper lines end, and where the right and lower ones start; -1 for none."""
    off = np.asarray(1 + LINE_OFF * (sizes - 2 * expected), np.float64)
    line = _covered(masks, margins) >= 255 * LINE_COVERAGE
    before, behind = line[..., :-1], line[..., 1:]
    return _nearest(before & ~behind, expected, off), _nearest(behind & ~before, sizes - expected, off)


def _covered(masks: Sequence[Grey], margins: Sequence[int]) -> Grey:
    """Return (n, 2, most) uint8: how much of each column and of each row is covered, 255 for all of it."""
    covered = np.zeros((len(masks), 2, max(max(mask.shape) for mask in masks)), np.uint8)
    for (columns, rows), mask, margin in zip(covered, masks, margins, strict=True):
        height, width = mask.shape
        columns[:width] = cv2.reduce(mask[margin : height - margin], 0, cv2.REDUCE_AVG).ravel()
        rows[:height] = cv2.reduce(mask[:, margin : width - margin], 1, cv2.REDUCE_AVG).ravel()
    return covered


def _nearest(
    turns: npt.NDArray[np.bool_], expected: npt.NDArray[np.int_], off: npt.NDArray[np.float64]
) -> npt.NDArray[np.int_]:
    """Return where a line turns up or ends next to where it is expected, -1 where none does."""
    distance = np.abs(np.arange(1, turns.shape[-1] + 1) - expected[..., None])
    far = np.where(turns, distance, turns.shape[-1])
    return np.where(far.min(axis=-1) <= off, far.argmin(axis=-1) + 1, -1)


def _digit(
    patch: Grey, strokes: Grey, inside: tuple[int, int, int, int], tones: tuple[float, float, float]
) -> DigitInk | None:
    left, top, right, bottom = inside
    inner = strokes[top:bottom, left:right]
    if min(inner.shape) < 2 * SLIVER:
        return None
    for side in (inner, inner[::-1], inner.T, inner.T[::-1]):
        wipe_slivers(side)
    found = _digit_pieces(inner)
    if found is None:
        return None
    kept, (x, y, width, height), pieces, may_be_line, doubts = found
    around = slice(max(0, y - 1), y + height + 1), slice(max(0, x - 1), x + width + 1)
    soft = soft_ink(patch[top:bottom, left:right][around], kept[around], *tones)
    return DigitInk(soft, left + x, top + y, width, height, pieces, may_be_line, doubts)


def wipe_slivers(side: Grey) -> None:
    """Take out, in place, what reaches at most SLIVER px in from the first row: a line's uneven edge."""
    if any(side[0].tobytes()):
        reach = np.bitwise_and.accumulate(side[: SLIVER + 1])
        side[:SLIVER] &= ~reach[:SLIVER] | reach[SLIVER]


def _digit_pieces(
    strokes: Grey,
) -> tuple[Grey, tuple[int, int, int, int], int, bool, tuple[str, ...]] | None:
    """Return the strokes of the digit alone, None where there is none.

    With them come the rectangle they stand in, of how many pieces they are, whether they may be a line, and
    what makes them uncertain.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8, ltype=cv2.CV_16U)
    if count < 2:
        return None
    height, width = strokes.shape
    within = width, height
    pieces = [_Piece(*row) for row in stats[1:].tolist()]
    shallow = [piece.is_shallow(within) for piece in pieces]
    weights = [piece.area * (EDGE_WEIGHT if edge else 1) for piece, edge in zip(pieces, shallow, strict=True)]
    first = weights.index(max(weights))
    main = pieces[first]
    size = max(main.height / height, main.width / width)
    if size < (SMALLEST_AT_EDGE if shallow[first] else SMALLEST_HEIGHT):
        return None
    kept = [
        piece is main or (piece.area >= SPECK_SHARE * main.area and not edge)
        for piece, edge in zip(pieces, shallow, strict=True)
    ]
    doubts = ("touches the box",) if main.at_edge(within) else ()
    may_be_line = main.may_be_line(within)
    around = _around(list(compress(pieces, kept)))
    if all(kept):
        return strokes, around, len(kept), may_be_line, doubts
    grey_of_label = np.array([0, *(255 * keep for keep in kept)], np.uint8)
    return grey_of_label[labels], around, sum(kept), may_be_line, doubts


def _around(pieces: Sequence[_Piece]) -> tuple[int, int, int, int]:
    left, top = min(piece.x for piece in pieces), min(piece.y for piece in pieces)
    right = max(piece.x + piece.width for piece in pieces)
    bottom = max(piece.y + piece.height for piece in pieces)
    return left, top, right - left, bottom - top


def hard_ink(patch: Grey, paper: float, level: float, no_ink: float) -> Grey:
    """Return 255 where strokes are: ink is `level` darker than paper at its core, all else up to `no_ink`."""
    threshold = paper - max(INK_SHARE * level, OVER_PRINT * no_ink)
    return np.asarray(cv2.threshold(patch, threshold, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)


def soft_ink(patch: Grey, kept: Grey, paper: float, level: float, no_ink: float) -> Grey:
    """Return the kept strokes with their soft edges, the core of a stroke at 255."""
    faintest = max(FAINTEST * level, no_ink)
    steepness = 255 / (CORE * level - faintest)
    soft = cv2.addWeighted(patch, -steepness, patch, 0, steepness * (paper - faintest))
    return np.asarray(cv2.bitwise_and(soft, cv2.dilate(kept, SOFT_EDGE)), np.uint8)
