"""Rows in which little is whole: where a page's other boxes tell what to expect, pieces of lines are enough.

A row of two boxes with a gap in three of its sides has no box that lines enclose, and none that the row could
be completed from. But a form's boxes are of one size and stand at one pitch, and a corner is left somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from segmentation.boxes import PrintedBoxes, TracedLines, corner_boxes, covered_sides
from segmentation.lines import Mask
from segmentation.regions import apart
from segmentation.rows import (
    WORN,
    Cell,
    Sides,
    covered_by,
    has_neighbour,
    leave_room,
    lines_end,
    usual_boxes,
)

FEWEST_WHOLE = 8  # boxes of one size and at one pitch that tell of others
WALL, CEILING = 0.9, 0.9  # of one wall, and of ceiling or floor, that is a line
OUTLINE = 2.2  # of the four sides that are lines, in the sum
PRINTED = 0.8  # of three sides, that is print
OFF_PLACE = 3.0  # px by which a box of the page may stand off its row's pitch
LONGEST_ROW, MOST_SEEDS = 12, 24  # boxes of a row; places that are looked at closely
STUB = 0.2  # of a box's height, that what is left of a wall goes on for, from ceiling or floor
ASIDE = 2  # px by which it may stand off its place
CORNER, BEYOND, GOES_ON = 4, 8, 0.9  # px round a corner; px behind it, and the share, that a wall goes on for
OFF_ROWS = 4.0  # px by which a place may reach into a box of a row
MOST_OPEN = 1  # box of a row, whose ceiling or floor is missing
SIZES = 2  # of a page, the commonest ones
IN_PLACE = 0.5  # of a box's size, within which two stand in one place


class _Size(NamedTuple):
    """How large the boxes of a row are, and how far it is from one to the next."""

    width: float
    height: float
    pitch: float


def find_worn_rows(
    boxes: PrintedBoxes, frames: PrintedBoxes, traced: TracedLines, print_: Mask
) -> PrintedBoxes:
    """Return boxes with those of worn rows; where these are, strokes feign boxes that stand alone.

    A row within one of the `frames` that are as high as it is fills it from wall to wall.
    """
    in_row = has_neighbour(boxes)
    rows = boxes[in_row]
    found = [
        row
        for usual, pitch in usual_boxes(rows, SIZES, FEWEST_WHOLE)
        for row in map(_boxes, _worn(usual, pitch, rows, traced, print_))
        if not leave_room(row, frames).any()
    ]
    if not found:
        return boxes
    worn = apart(PrintedBoxes.joined(found), rows)
    return PrintedBoxes.joined([rows, apart(boxes[~in_row], worn), worn])


def _boxes(row: Sequence[Cell]) -> PrintedBoxes:
    left, top, right, bottom = np.array(row, np.float64).T
    return PrintedBoxes(left, top, right, bottom, np.ones(len(row)), np.zeros(len(row), bool))


def _worn(
    usual: PrintedBoxes, pitch: float, rows: PrintedBoxes, traced: TracedLines, print_: Mask
) -> list[Sequence[Cell]]:
    """Return the worn rows of boxes that are of one size and at one pitch."""
    size = _Size(median(usual.width.tolist()), median(usual.height.tolist()), pitch)
    worn: list[Sequence[Cell]] = []
    for seed in _seeds(rows, size, traced):
        is_taken = any(_in_place(seed, cell, size) for row in worn for cell in row)
        if not is_taken and (found := _row(seed, size, usual, traced, print_)):
            worn.append(found)
    return worn


def _seeds(rows: PrintedBoxes, size: _Size, traced: TracedLines) -> list[Cell]:
    """Return where a corner and two whole sides tell of a box off the rows, the surest first."""
    left, top = corner_boxes(traced, size.width, size.height)
    right, bottom = left + size.width, top + size.height
    across = (left[:, None] < rows.right - OFF_ROWS) & (right[:, None] > rows.left + OFF_ROWS)
    down = (top[:, None] < rows.bottom - OFF_ROWS) & (bottom[:, None] > rows.top + OFF_ROWS)
    off_rows = ~(across & down).any(axis=1)
    left, top, right, bottom = (edge[off_rows] for edge in (left, top, right, bottom))
    sides = covered_sides(traced, left, top, right, bottom)
    at_left, at_top, at_right, at_bottom = sides
    outline = np.sum(sides, axis=0)
    held = (
        (np.maximum(at_left, at_right) >= WALL)
        & (np.maximum(at_top, at_bottom) >= CEILING)
        & (outline >= OUTLINE)
    )
    order = np.flatnonzero(held)[np.argsort(-outline[held], kind="stable")]
    seeds: list[Cell] = []
    for x, y in zip(left[order].tolist(), top[order].tolist(), strict=True):
        seed = Cell(x, y, x + size.width, y + size.height)
        if len(seeds) < MOST_SEEDS and not any(_is_same(seed, other) for other in seeds):
            seeds.append(seed)
    return seeds


def _row(seed: Cell, size: _Size, usual: PrintedBoxes, traced: TracedLines, print_: Mask) -> Sequence[Cell]:
    """Return the boxes of the row that a seed is one of; none where no row ends on both sides of it."""
    sides = covered_by(seed, print_, print_)
    if not _is_printed(sides):
        return ()
    found, others, open_ones = [seed], 0, int(_is_open(sides))
    for step in (-size.pitch, size.pitch):
        cell = seed
        for _ in range(LONGEST_ROW):
            following = cell.moved(step)
            if _has(usual, following):
                others += 1
                break
            sides = covered_by(following, print_, print_)
            if not _is_printed(sides):
                if not lines_end(cell, step, traced.lines):
                    return ()
                break
            if not _are_divided(min(cell, following), max(cell, following), print_):
                return ()
            found.append(following)
            open_ones += _is_open(sides)
            cell = following
    if len(found) + others < 2 or open_ones > MOST_OPEN or _walls_go_on(found, traced.lines.upright):
        return ()
    return found


def _is_printed(sides: Sides) -> bool:
    return sum(sorted(sides)[1:]) / 3 >= PRINTED


def _walls_go_on(row: Sequence[Cell], upright: Mask) -> bool:
    """Tell whether walls at the ends of a row go on above or below: a table's, or those of a higher box."""
    first, last = min(row), max(row)
    for at in (round(first.left) - 1, round(last.right) + 1):
        near = upright[:, max(0, at - ASIDE) : at + ASIDE + 1]
        for start in (round(first.top) - BEYOND - CORNER, round(first.bottom) + CORNER):
            beyond = near[max(0, start) : max(0, start + BEYOND)]
            if beyond.size and beyond.mean(axis=0).max() >= GOES_ON * 255:
                return True
    return False


def _are_divided(left: Cell, right: Cell, print_: Mask) -> bool:
    """Tell whether a wall stands between two boxes, or what is left of one: it begins at ceiling or floor.

    The strokes of a number in one wide box do not.
    """
    reach = round(STUB * (left.bottom - left.top))
    top, bottom = max(0, round(left.top)), round(left.bottom)
    for wall in (left.right, right.left):
        at = round(wall)
        strip = np.asarray(print_[top:bottom, max(0, at - ASIDE) : at + ASIDE + 1] > 0)
        if strip.size and strip.mean(axis=0).max() >= WORN:
            across = np.asarray(strip.any(axis=1))
            if across[:reach].all() or across[-reach:].all():
                return True
    return False


def _is_open(sides: Sides) -> bool:
    return min(sides.top, sides.bottom) < WORN


def _is_same(one: Cell, other: Cell) -> bool:
    return abs(one.left - other.left) <= OFF_PLACE and abs(one.top - other.top) <= OFF_PLACE


def _has(boxes: PrintedBoxes, cell: Cell) -> bool:
    off = np.maximum(np.abs(boxes.left - cell.left), np.abs(boxes.top - cell.top))
    return bool((off <= OFF_PLACE).any())


def _in_place(one: Cell, other: Cell, size: _Size) -> bool:
    return (
        abs(one.left - other.left) <= IN_PLACE * size.width
        and abs(one.top - other.top) <= IN_PLACE * size.height
    )
