"""Boxes become fields: which boxes belong together, and which are no digit boxes at all.

A table has boxes too. What tells a digit field from a table's other cells is its neighbours: people write
one digit a box into a run of boxes that are of one size and narrow. So a field is such a run, joined or
with small gaps; a single box counts only where it shares its lines with nothing, drawn by itself on the
paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from statistics import mean

from segmentation.boxes import PrintedBox, find_boxes
from segmentation.edges import Sides, measure_sides
from segmentation.geometry import Point, Quad, enclosing_box
from segmentation.page import Field, Page, PageLayout
from segmentation.page_frame import skew_of, working_copy

LARGEST_GAP = 0.7  # of a box's width, between boxes of one field
SIZE_TOLERANCE = 0.15  # by which boxes of one field may differ in width and height
SIZE_SLACK = 2.0  # px of the working copy by which they may differ anyhow
OFF_LINE = 0.2  # of a box's height, by which neighbours may be shifted against each other
WIDEST_ALONE = 1.3  # a wider box that stands alone holds a word or a number
BEST_COVERAGE, MEAN_COVERAGE = 0.92, 0.74  # of the worst sides of a field's boxes; words leave more gaps
SHORT_RUN = 0.3  # by which they must be better covered, shared by the boxes of a run
SAME_ROW = 0.5  # of a box's height, within which fields share a row


@dataclass(frozen=True, slots=True)
class _Placed:
    """A box where it would stand if the page were straight."""

    box: PrintedBox
    x: float
    y: float

    def continues(self, left: _Placed, slack: float) -> bool:
        """Whether this box is the next of `left`'s field; sizes may differ by `slack` px anyhow."""
        this, before = self.box, left.box
        gap = self.x - left.x - (this.width + before.width) / 2
        return (
            -before.width / 2 < gap < LARGEST_GAP * before.width
            and abs(self.y - left.y) < OFF_LINE * before.height
            and _alike(this.width, before.width, slack)
            and _alike(this.height, before.height, slack)
        )


def find_fields(page: Page) -> PageLayout:
    """Return the digit fields of a page, named r01c01 by row and column in reading order, and its skew.

    A field is two or more similar boxes in a row with gaps under 0.7 of a box's width, or a single box that
    shares its lines with no other. A page without any, or too small to have any, has no fields.
    """
    copy = working_copy(page.grey)
    boxes = find_boxes(copy)
    slack = SIZE_SLACK * copy.reduction
    skew = skew_of([_baseline(run) for run in _runs(_place(boxes, 0.0), slack) if len(run) > 1])
    runs = [run for run in _runs(_place(boxes, skew), slack) if _is_digit_field(run)]
    return PageLayout(tuple(_fields(page, list(_rows(runs)), skew, copy.reduction)), skew)


def _fields(page: Page, rows: Sequence[list[list[_Placed]]], skew: float, unit: float) -> Iterator[Field]:
    """Yield a field for each run of each row; `unit` is page pixels per pixel of the small copy."""
    boxes = [placed.box for row in rows for run in row for placed in run]
    insides = [_quad(box, skew, Sides()) for box in boxes]
    outsides = map(_quad, boxes, repeat(skew), measure_sides(page.grey, insides, unit))
    cells = zip(insides, outsides, strict=True)
    for row_number, row in enumerate(rows, start=1):
        for column, run in enumerate(row, start=1):
            inner, outer = zip(*islice(cells, len(run)), strict=True)
            yield Field(f"r{row_number:02d}c{column:02d}", inner, enclosing_box(outer))


def _place(boxes: Sequence[PrintedBox], skew: float) -> list[_Placed]:
    cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    return [
        _Placed(box, box.centre.x * cos + box.centre.y * sin, box.centre.y * cos - box.centre.x * sin)
        for box in boxes
    ]


def _runs(boxes: Sequence[_Placed], slack: float) -> Iterator[list[_Placed]]:
    """Yield the boxes of one field each, from left to right."""
    waiting = sorted(boxes, key=lambda box: box.x)
    while waiting:
        run = [waiting.pop(0)]
        rest: list[_Placed] = []
        for box in waiting:
            (run if box.continues(run[-1], slack) else rest).append(box)
        waiting = rest
        yield run


def _baseline(run: Sequence[_Placed]) -> tuple[Point, Point]:
    return run[0].box.centre, run[-1].box.centre


def _is_digit_field(run: Sequence[_Placed]) -> bool:
    coverages = [placed.box.coverage for placed in run]
    if max(coverages) < BEST_COVERAGE:
        return False
    if len(run) > 1:
        return mean(coverages) >= MEAN_COVERAGE + SHORT_RUN / len(run)
    (single,) = run
    return single.box.alone and single.box.width < WIDEST_ALONE * single.box.height


def _rows(runs: Sequence[list[_Placed]]) -> Iterator[list[list[_Placed]]]:
    """Yield the runs that stand on one line each, from left to right; the lines from top to bottom."""
    waiting = sorted(runs, key=lambda run: run[0].y)
    while waiting:
        first = waiting[0][0]
        row = [run for run in waiting if run[0].y - first.y < SAME_ROW * first.box.height]
        waiting = waiting[len(row) :]
        yield sorted(row, key=lambda run: run[0].x)


def _quad(box: PrintedBox, skew: float, lines: Sides) -> Quad:
    """Return a box as it lies on the page, within its lines or with them."""
    cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    left, right = -box.width / 2 - lines.left, box.width / 2 + lines.right
    top, bottom = -box.height / 2 - lines.top, box.height / 2 + lines.bottom
    return Quad(
        *(
            Point(box.centre.x + x * cos - y * sin, box.centre.y + x * sin + y * cos)
            for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
        )
    )


def _alike(a: float, b: float, slack: float) -> bool:
    return abs(a - b) <= max(slack, SIZE_TOLERANCE * max(a, b))
