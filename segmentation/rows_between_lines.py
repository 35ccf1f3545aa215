"""Rows of boxes between two lines as long as one another, where a page's other boxes tell what to expect.

A dashed wall is lost where a digit stands beside it, and strokes that are closed to lines feign others. But
ceiling and floor begin and end with the row: few rows of usual boxes fit between them; the walls tell which.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segmentation.bits import Bits
from segmentation.boxes import PrintedBoxes
from segmentation.lines import Lines, Mask, ranges
from segmentation.regions import apart
from segmentation.rows import usual_boxes, walls_covered
from segmentation.spots import find_spots

SIZES, FEWEST_USUAL = 1, 8  # of a page, the commonest sizes; boxes of one size that tell of others
SAME_END = 6  # px by which ceiling and floor may begin or end apart
SAME_HEIGHT = 3  # px by which they may be closer or further apart than those of usual boxes
BEYOND = 5  # px that a line goes on beyond the inside of a row's last box: a wall, and some that is closed
WORN_OFF = 2  # px by which it may end before the inside of that box
STRETCHES = (-2.0, -1.0, 0.0, 1.0, 2.0)  # px by which a row may be longer than usual boxes have it
WALLED, WORST = 0.85, 0.5  # of all walls of a row, and of each of them, that lines cover
AS_GOOD = 0.01  # of all walls, by which one place has less of them than the best one
OFF_PLACE = 1  # px by which a wall may lie off its place
SAME_SIZE, OFF_LINES = 2.0, 3.0  # px by which boxes found may differ from usual ones, and stand off the strip
OFF_LINE, CROSSED = 0.2, 0.6  # of a strip's height, off its lines; of its length, that a line through it has
NEXT = 1.25  # times the usual pitch, from one box to the next of a row without a gap

_Strip = tuple[float, float, float, float]
"""Left, top, right and bottom of a row; its ends are those of its lines."""


def find_rows_between(boxes: PrintedBoxes, lines: Lines, solid: Lines) -> PrintedBoxes:
    """Return boxes with the rows of usual ones between ceilings and floors that are as long.

    Where usual boxes stand side by side from one end to the other, they stay. `solid` are those of the lines
    that are not of dashes.
    """
    found = PrintedBoxes.joined([])
    for usual, pitch in usual_boxes(boxes, SIZES, FEWEST_USUAL):
        width, height = float(np.median(usual.width)), float(np.median(usual.height))
        for left, right, middle in _strips(lines.level_bits, height, width + pitch):
            strip = left, middle - height / 2, right, middle + height / 2
            if _is_filled(strip, width, pitch, boxes) or _is_crossed(strip, solid.level):
                continue
            row = _row(strip, width, pitch, lines)
            if row is not None and len(apart(row, found)) == len(row):
                found = PrintedBoxes.joined([found, row])
    return PrintedBoxes.joined([apart(boxes, found), found])


def _strips(level: Bits, height: float, least: float) -> Iterator[tuple[float, float, float]]:
    """Yield where two lines so far apart and so long begin and end, and what row is in the middle of them."""
    runs = find_spots(level)
    runs = runs[runs.width >= least]
    left, right, middle = runs.left, runs.right + 1, (runs.top + runs.bottom + 1) / 2
    order = np.argsort(middle, kind="stable")
    floors = middle[order]
    first = np.searchsorted(floors, middle + height - SAME_HEIGHT)
    upper, nth = ranges(first, np.searchsorted(floors, middle + height + SAME_HEIGHT, "right"))
    lower = order[nth]
    as_long = (np.abs(left[upper] - left[lower]) <= SAME_END) & (
        np.abs(right[upper] - right[lower]) <= SAME_END
    )
    for pair in np.stack([upper, lower], axis=1)[as_long]:
        yield float(left[pair].max()), float(right[pair].min()), float(middle[pair].mean())


def _is_filled(strip: _Strip, width: float, pitch: float, boxes: PrintedBoxes) -> bool:
    """Tell whether boxes as wide as usual stand side by side from one end of a strip to the other."""
    left, top, right, bottom = strip
    inside = (
        (np.abs(boxes.top - top) <= OFF_LINES)
        & (np.abs(boxes.bottom - bottom) <= OFF_LINES)
        & (np.abs(boxes.width - width) <= SAME_SIZE)
        & (boxes.right > left)
        & (boxes.left < right)
    )
    lefts = np.sort(boxes.left[inside])
    steps = np.diff([left + BEYOND - pitch, *lefts, right - BEYOND])
    return bool(len(lefts)) and float(steps.max()) <= NEXT * pitch


def _is_crossed(strip: _Strip, level: Mask) -> bool:
    """Tell whether another line goes through a strip from one end to the other: these are several rows."""
    left, top, right, bottom = map(round, strip)
    far = round(OFF_LINE * (bottom - top))
    through = level[max(0, top + far) : max(0, bottom - far), max(0, left) : right]
    return bool(through.size) and float(through.mean(axis=1).max()) >= CROSSED * 255


def _row(strip: _Strip, width: float, pitch: float, lines: Lines) -> PrintedBoxes | None:
    """Return the usual boxes from one end of a strip to the other, where there are walls for them."""
    left, top, right, bottom = strip
    count = int((right - left - width + WORN_OFF) / pitch) + 1
    room = right - left - width - (count - 1) * pitch
    if count < 2 or room > 2 * BEYOND:
        return None
    firsts = np.arange(-WORN_OFF, max(room, 0) + WORN_OFF + 1)
    first, longer = (each.ravel()[:, None] for each in np.meshgrid(firsts, STRETCHES))
    lefts = left + first + (pitch + longer / (count - 1)) * np.arange(count)
    walls = np.concatenate([lefts - 1, lefts + width + 1], axis=1)
    tops, bottoms = np.full(walls.size, top), np.full(walls.size, bottom)
    covered = walls_covered(walls.ravel(), tops, bottoms, lines, OFF_PLACE).reshape(walls.shape)
    score = covered.mean(axis=1) * (covered.min(axis=1) >= WORST)
    if score.max() < WALLED:
        return None
    best = lefts[score >= score.max() - AS_GOOD].mean(axis=0)  # lines are thick
    return PrintedBoxes(
        best, tops[:count], best + width, bottoms[:count], np.ones(count), np.zeros(count, bool)
    )
