"""Rows of boxes made whole: what is worn, broken or missing of a box is told by the others of its row.

A form's boxes are of one size, or of a few, and stand at one pitch. A box lacks a side where none was
printed, or where the line has a gap; its row still goes on for whole boxes, and the lines end where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.boxes import PrintedBoxes, without_overlaps
from segmentation.lines import Lines, Mask, Sums, inked, ranges, upright_dashes, upright_spaced, whole

MOST_SIZES = 4  # of a page
FEWEST_ALIKE = 2  # boxes that make a size
LEAST_SHARE = 0.12  # of the boxes of the commonest size
SAME_SIZE, ROUGHLY_SAME_SIZE = 1.5, 3.0  # px by which boxes of one size differ
OFF_PLACE = 2  # px by which a line may lie off where its row has it
SIZE_OFF = 0.1  # of their size, by which they may differ anyhow
LEAST_PITCH, LARGEST_PITCH = 0.8, 2.3  # of a box's width
LONGEST_GAP = 6  # boxes that may lack between two of a row
LONGEST_END = 4  # boxes that may lack at its end
COVERED, WORN = 0.75, 0.4  # of a side: where it is a line, and where it is one with a gap in it
UNBROKEN = 0.97  # of ceiling or floor, where neither wall is a box's own
WHOLE = 0.9  # of a side where the one across is missing
THICKEST_LINE = 9  # px between the insides of two boxes that share it
AROUND, FEWEST_DASHED = 6, 100  # px beside a box's inside; px of upright lines that a dashed box has at least
REACH = 48  # px round dashes, beyond which nothing tells whether they are some
NARROWER = 1.15  # times that boxes are wider than the gap between them
BETWEEN = 0.6  # of the outline of a box between two others of its row
CEILING_AND_FLOOR = 1.25  # of both together
ENDS_WITHIN = 0.4  # of a box's width, behind the end of its row
SOLID = 2  # times that a box with solid lines counts against what a row of others would have there
ROW_FILLS = 0.6  # of a region's width that the boxes of a row in it take
FRAME = 0.95  # of the worst side of a frame, that is a line
OFF_FRAME = 3  # px by which a row may stand off its frame
MOST_UNDIVIDED = 1  # dividing line that a stretch of missing boxes may lack

Indices = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_Share = float | Numbers


class Cell(NamedTuple):
    """The inner edges of a box of a row, printed or not."""

    left: float
    top: float
    right: float
    bottom: float

    def moved(self, across: float) -> Cell:
        return Cell(self.left + across, self.top, self.right + across, self.bottom)


class Sides(NamedTuple):
    """How far a line covers each side of a cell, 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def is_held(self) -> bool:
        """Whether ceiling and floor are there, or one of them between two walls."""
        return bool(_hold(*self))


def _hold(left: _Share, top: _Share, right: _Share, bottom: _Share) -> Flags | bool:
    """Tell whether so much of its sides holds a box, of one or of many at once."""
    level = (top >= WORN) & (bottom >= WORN) & (top + bottom >= CEILING_AND_FLOOR)
    walled = ((top >= WHOLE) | (bottom >= WHOLE)) & (left >= COVERED) & (right >= COVERED)
    return level | walled


def complete_rows(boxes: PrintedBoxes, lines: Lines, trust: int = 1) -> PrintedBoxes:
    """Return boxes with those that their rows lack; in the place of a longer row's box no other one stays.

    `trust` is how many times a box that was found counts against what a row of others would have there.
    """
    missing = [each for which in _sizes(boxes) for each in _missing(boxes[which], lines)]
    if not missing:
        return boxes
    both = PrintedBoxes.joined([boxes, _printed([cell for cell, _ in missing], lines)])
    votes = np.concatenate([trust * _mates(boxes), [mates for _, mates in missing]])
    return both[without_overlaps(both, np.argsort(-votes, kind="stable"))]


def surer(ones: PrintedBoxes, others: PrintedBoxes, frames: PrintedBoxes) -> PrintedBoxes:
    """Return the boxes of both; where a longer row has one no other stays, then where one is better covered.

    The ones count SOLID times where lines cover them. A row within one of the `frames` that are as high as it
    is counts least unless it fills it.
    """
    both = PrintedBoxes.joined([ones, others])
    solid = np.where(ones.coverage >= WHOLE, SOLID, 1)
    votes = np.concatenate([solid * _mates(ones), _mates(others)])
    votes *= ~np.concatenate([leave_room(ones, frames), leave_room(others, frames)])
    return both[without_overlaps(both, np.lexsort((-both.coverage, -votes)))]


def leave_room(boxes: PrintedBoxes, frames: PrintedBoxes) -> Flags:
    """Tell which boxes stand in a closed frame, as high as they are, that their row does not fill."""
    frames = frames[frames.alone & (frames.coverage >= FRAME)]
    left, top, right, bottom = (edge[:, None] for edge in frames.edges)
    inside = (
        (np.abs(boxes.top - top) <= OFF_FRAME)
        & (np.abs(boxes.bottom - bottom) <= OFF_FRAME)
        & (boxes.right > left)
        & (boxes.left < right)
    )
    first = np.where(inside, boxes.left, np.inf).min(axis=1, initial=np.inf)
    last = np.where(inside, boxes.right, -np.inf).max(axis=1, initial=-np.inf)
    off = np.maximum(np.abs(first - frames.left), np.abs(last - frames.right))
    return np.asarray((inside & (off > OFF_FRAME)[:, None]).any(axis=0))


def without_rows(regions: PrintedBoxes, boxes: PrintedBoxes) -> PrintedBoxes:
    """Return the regions that are no row of boxes already, no box of one, nor a frame round one.

    What strokes feign between the lines of a region is of many sizes, or there is little of it.
    """
    if not len(regions):
        return regions
    x, y = (boxes.left + boxes.right) / 2, (boxes.top + boxes.bottom) / 2
    left, top, right, bottom = (edge[:, None] for edge in regions.edges)
    within = (x > left) & (x < right) & (y > top) & (y < bottom)
    alike = _alike(boxes, ROUGHLY_SAME_SIZE)
    in_row = within & has_neighbour(boxes, ROUGHLY_SAME_SIZE)
    like = in_row.astype(np.float32) @ alike.astype(np.float32)  # of each region, boxes like each box
    taken = (like * in_row * boxes.width).max(axis=1, initial=0.0)
    return regions[taken < ROW_FILLS * regions.width]


def without_gaps(boxes: PrintedBoxes) -> PrintedBoxes:
    """Return the boxes that are not the white between two wider ones of one size, beside each other."""
    one, other = _in_one_row(boxes)
    wider = boxes.width[one] * NARROWER < boxes.width[other]
    wider &= np.abs(boxes.bottom[one] - boxes.bottom[other]) <= OFF_PLACE
    one, other = one[wider], other[wider]
    to_left, to_right = boxes.left[one] - boxes.right[other], boxes.left[other] - boxes.right[one]
    before, behind = ((gap > -OFF_PLACE) & (gap <= THICKEST_LINE) for gap in (to_left, to_right))
    between = np.zeros(len(boxes), bool)
    for index in np.intersect1d(one[before], one[behind]).tolist():
        sides = (other[side & (one == index)] for side in (before, behind))
        between[index] = _are_alike(boxes, *np.ix_(*sides)).any()
    return boxes[~between]


def dashes_off_rows(boxes: PrintedBoxes, lines: Lines, print_: Mask) -> Mask | None:
    """Return upright lines of dashes, None where few of them stand off the rows of boxes that are known.

    Digits in boxes feign many.
    """
    known, rows = lines.upright.copy(), in_rows(boxes)
    for left, top, right, bottom in np.rint(rows.edges).astype(int).T.tolist():
        known[max(0, top - AROUND) : bottom + AROUND, max(0, left - AROUND) : right + AROUND] = 255
    spaced = cv2.subtract(upright_spaced(print_), known)
    if cv2.countNonZero(spaced) < FEWEST_DASHED:
        return None
    left, top, width, height = cv2.boundingRect(spaced)
    near = slice(max(0, top - REACH), top + height + REACH), slice(max(0, left - REACH), left + width + REACH)
    if 2 * width * height < print_.size:  # a part of the page takes a millisecond less than all of it
        dashes = cv2.subtract(upright_dashes(print_[near]), known[near])
        if cv2.countNonZero(dashes) < FEWEST_DASHED:
            return None
    dashes = upright_dashes(print_)
    return dashes if cv2.countNonZero(cv2.subtract(dashes, known)) >= FEWEST_DASHED else None


def in_rows(boxes: PrintedBoxes) -> PrintedBoxes:
    """Return the boxes that stand beside another one of their size."""
    return boxes[has_neighbour(boxes)]


def has_neighbour(boxes: PrintedBoxes, off: float = SAME_SIZE) -> Flags:
    """Tell which boxes stand beside another one of their size."""
    has = np.zeros(len(boxes), bool)
    pairs = _side_by_side(boxes)
    for one, other in (pairs, pairs[::-1]):
        has[one[_are_alike(boxes, one, other, off)]] = True
    return has


def _side_by_side(boxes: PrintedBoxes) -> tuple[Indices, Indices]:
    """Return boxes, each with those to the right of it in its row that may be the next one."""
    one, other = _in_one_row(boxes)
    apart_by, width = boxes.left[other] - boxes.left[one], boxes.width[one]
    beside = (apart_by > LEAST_PITCH * width) & (apart_by < LARGEST_PITCH * width)
    return one[beside], other[beside]


def _in_one_row(boxes: PrintedBoxes) -> tuple[Indices, Indices]:
    """Return boxes, each with all those whose ceilings are level with its own, itself too."""
    order = np.argsort(boxes.top)
    tops = boxes.top[order]
    first = np.searchsorted(tops, boxes.top - OFF_PLACE)
    one, nth = ranges(first, np.searchsorted(tops, boxes.top + OFF_PLACE, "right"))
    return one, order[nth]


def _mates(boxes: PrintedBoxes) -> Indices:
    """Return of each box how many of its size stand level with it, itself too."""
    one, other = _in_one_row(boxes)
    return np.bincount(one[_are_alike(boxes, one, other)], minlength=len(boxes))


def _are_alike(boxes: PrintedBoxes, one: Indices, other: Indices, off: float = SAME_SIZE) -> Flags:
    """Tell which of these boxes are of the size of those others."""
    width, height = boxes.width, boxes.height
    return np.asarray(
        (np.abs(width[one] - width[other]) <= np.maximum(off, SIZE_OFF * width[one]))
        & (np.abs(height[one] - height[other]) <= np.maximum(off, SIZE_OFF * height[one]))
    )


def _alike(boxes: PrintedBoxes, off: float = SAME_SIZE) -> Flags:
    """Tell of every two boxes, (n, n), whether they are of one size."""
    each = np.arange(len(boxes))
    return _are_alike(boxes, each[:, None], each, off)


def _sizes(boxes: PrintedBoxes) -> Iterator[Indices]:
    """Yield the boxes of each common size, the commonest first."""
    near = _alike(boxes)
    left, fewest = np.ones(len(boxes), bool), 0.0
    for _ in range(MOST_SIZES):
        votes = (near & left).sum(axis=1) * left
        fewest = fewest or max(FEWEST_ALIKE, LEAST_SHARE * votes.max(initial=0))
        if votes.max(initial=0) < fewest:
            return
        alike = near[np.argmax(votes)] & left
        yield np.flatnonzero(alike)
        left &= ~alike


def usual_boxes(boxes: PrintedBoxes, sizes: int, fewest: int) -> Iterator[tuple[PrintedBoxes, float]]:
    """Yield the boxes of each of so many commonest sizes, where there are enough, and their usual pitch."""
    for which in islice(_sizes(boxes), sizes):
        alike = boxes[which]
        next_one = _next_one(alike)
        in_row = np.isfinite(next_one)
        if len(alike) >= fewest and in_row.any():
            yield alike, median(next_one[in_row].tolist())


def _next_one(boxes: PrintedBoxes) -> Numbers:
    """Return how far it is from each box to the next one of its row, infinite where it has none."""
    one, other = _side_by_side(boxes)
    apart_by = boxes.left[other] - boxes.left[one]
    return _least(np.concatenate([one, other]), np.concatenate([apart_by, apart_by]), len(boxes))


def _least(which: Indices, values: Numbers, count: int) -> Numbers:
    """Return the least of the values of each of so many entries, infinite where it has none."""
    least = np.full(count, np.inf)
    np.minimum.at(least, which, values)
    return least


def _missing(boxes: PrintedBoxes, lines: Lines) -> Iterator[tuple[Cell, int]]:
    """Yield the boxes that rows of boxes of one size lack, each with the number of boxes its row has."""
    boxes = boxes[np.argsort(boxes.left)]
    width, height = median(boxes.width.tolist()), median(boxes.height.tolist())
    next_one = _next_one(boxes)
    if not np.isfinite(next_one).any():
        return
    usual = median(next_one[np.isfinite(next_one)].tolist())
    far = LEAST_PITCH * width
    one, other = _in_one_row(boxes)
    apart_by = boxes.left[other] - boxes.left[one]
    after, before = apart_by > far, apart_by < -far
    to_next = _least(one[after], apart_by[after], len(boxes))
    to_last = _least(one[before], -apart_by[before], len(boxes))
    pitches = np.where((_steps(next_one, usual) == 0) & np.isfinite(next_one), next_one, usual)
    ahead, behind = (
        _are_held(boxes.left + way * pitches, boxes.top, width, height, lines) for way in (1, -1)
    )
    gap, mates = _steps(to_next, pitches), np.bincount(one, minlength=len(boxes))
    ahead, behind = ahead & (gap != 1), behind & (_steps(to_last, pitches) == 0)
    for index in np.flatnonzero((gap > 1) | ahead | behind).tolist():
        left, top, pitch = float(boxes.left[index]), float(boxes.top[index]), float(pitches[index])
        cell = Cell(left, top, left + width, top + height)
        between = [cell.moved(nth * pitch) for nth in range(1, gap[index])]
        row: list[Cell] = []
        if between and _goes_on(between, lines, have_own_walls=pitch > width + 2 * OFF_PLACE):
            row += between
        elif ahead[index]:
            row += _end(cell, pitch, lines)
        if behind[index]:
            row += _end(cell, -pitch, lines)
        yield from ((each, int(mates[index])) for each in row)


def _steps(apart_by: Numbers, pitch: Numbers | float) -> Indices:
    """Return by how many boxes each two of them are apart, 0 where they are of no one row."""
    steps = np.rint(np.minimum(apart_by / pitch, LONGEST_GAP + 1))
    in_place = np.abs(apart_by - steps * pitch) <= OFF_PLACE + steps / 2
    return np.where(in_place & (steps >= 1) & (steps <= LONGEST_GAP), steps, 0).astype(np.intp)


def _goes_on(between: Sequence[Cell], lines: Lines, *, have_own_walls: bool) -> bool:
    """Tell whether a row goes on between two of its boxes."""
    sides = [_sides(cell, lines) for cell in between]
    there = (
        (have_own_walls and min(side.left, side.right) >= COVERED)
        or (
            sum(side) / 4 >= BETWEEN
            and max(side.left, side.right) >= COVERED
            and ((side.is_held and have_own_walls) or max(side.top, side.bottom) >= UNBROKEN)
        )
        for side in sides
    )
    return all(there) and _undivided(sides) <= MOST_UNDIVIDED


def _undivided(sides: Sequence[Sides]) -> int:
    return sum(max(one.right, other.left) < WORN for one, other in pairwise(sides))


def _end(last: Cell, pitch: float, lines: Lines) -> Iterator[Cell]:
    """Yield the boxes that follow a row's last one, to the right or, with a negative pitch, to the left.

    Behind the last of them ceiling or floor end.
    """
    waiting: list[Cell] = []
    undivided, wall = 0, 1.0
    while len(waiting) < LONGEST_END:
        cell = last.moved(pitch)
        sides = _sides(cell, lines)
        near, far = (sides.left, sides.right) if pitch > 0 else (sides.right, sides.left)
        undivided += max(wall, near) < WORN
        if not sides.is_held or undivided > MOST_UNDIVIDED:
            return
        waiting.append(cell)
        if lines_end(cell, pitch, lines):
            yield from waiting
            waiting, undivided = [], 0
        last, wall = cell, far


def lines_end(cell: Cell, pitch: float, lines: Lines) -> bool:
    """Tell whether ceiling and floor end behind a box: to its right, or to its left for a negative pitch."""
    reach = ENDS_WITHIN * (cell.right - cell.left)
    start, end = (
        (cell.right + 3, cell.right + 3 + reach) if pitch > 0 else (cell.left - 3 - reach, cell.left - 3)
    )
    along = round(start), round(end)
    return max(_row_covered(lines.level, round(y), *along) for y in (cell.top, cell.bottom)) < COVERED


def _are_held(left: Numbers, top: Numbers, width: float, height: float, lines: Lines) -> Flags:
    """Tell which boxes of one size `Sides.is_held`."""
    right, bottom = left + width, top + height
    at_left, at_right = (walls_covered(x, top, bottom, lines) for x in (left, right))
    ceiling, floor = (_covered(lines.level_sums, y, left, right) for y in (top, bottom))
    return np.asarray(_hold(at_left, ceiling, at_right, floor))


def walls_covered(x: Numbers, top: Numbers, bottom: Numbers, lines: Lines, off: int = OFF_PLACE) -> Numbers:
    """Return how far upright lines cover walls, of those so near each the one that covers most."""
    return _covered(lines.upright_sums.T, x, top, bottom, off)


def _covered(sums: Sums, row: Numbers, start: Numbers, end: Numbers, off: int = OFF_PLACE) -> Numbers:
    near = np.arange(-off, off + 1)[:, None]
    rows, first, last = whole(row) + near, np.maximum(whole(start), 0), np.maximum(whole(end), 0)
    most = inked(sums, first, rows, last, rows + 1).max(axis=0)
    return np.asarray(most / np.maximum(np.minimum(last, sums.shape[1] - 1) - first, 1))


def _sides(cell: Cell, lines: Lines) -> Sides:
    return covered_by(cell, lines.level, lines.upright)


def covered_by(cell: Cell, level: Mask, upright: Mask) -> Sides:
    """Return how far masks cover the sides of a box."""
    left, top, right, bottom = map(round, cell)
    return Sides(
        _column_covered(upright, left, top, bottom),
        _row_covered(level, top, left, right),
        _column_covered(upright, right, top, bottom),
        _row_covered(level, bottom, left, right),
    )


def _row_covered(level: Mask, row: int, start: int, end: int) -> float:
    """Return how far a level line covers the stretch, of those near the row the one that covers most."""
    strip = level[max(0, row - OFF_PLACE) : row + OFF_PLACE + 1, max(0, start) : max(0, end)]
    if not strip.size:
        return 0.0
    return float(cv2.reduce(strip, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).max() / (255 * strip.shape[1]))


def _column_covered(upright: Mask, column: int, start: int, end: int) -> float:
    """Return how far an upright line covers the stretch, of those near the column."""
    strip = upright[max(0, start) : max(0, end), max(0, column - OFF_PLACE) : column + OFF_PLACE + 1]
    if not strip.size:
        return 0.0
    return float(cv2.reduce(strip, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).max() / (255 * len(strip)))


def _printed(cells: Sequence[Cell], lines: Lines) -> PrintedBoxes:
    """Return these boxes, without holding the side against them that is covered worst."""
    left, top, right, bottom = np.array(cells, np.float64).T
    coverage = np.array([np.mean(sorted(_sides(cell, lines))[1:]) for cell in cells])
    return PrintedBoxes(left, top, right, bottom, coverage, np.zeros(len(left), bool))
