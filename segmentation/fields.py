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
from statistics import mean

import numpy as np
import numpy.typing as npt

from segmentation.boxes import PrintedBox, find_boxes
from segmentation.edges import LineEdges, Sides, measure_lines
from segmentation.geometry import Point, Quad, enclosing_box
from segmentation.page import Field, Page, PageLayout
from segmentation.page_frame import working_copy

LARGEST_GAP = 0.7  # of a box's width, between boxes of one field
SIZE_TOLERANCE = 0.15  # by which boxes of one field may differ in width and height
SIZE_SLACK = 2.0  # px of the working copy by which they may differ anyhow
OFF_LINE = 0.2  # of a box's height, by which neighbours may be shifted against each other
WIDEST_ALONE = 1.3  # a wider box that stands alone holds a word or a number
BEST_COVERAGE, MEAN_COVERAGE = 0.92, 0.74  # of the worst sides of a field's boxes; words leave more gaps
SHORT_RUN = 0.3  # by which they must be better covered, shared by the boxes of a run
AS_FOUND = Sides(0.0, 0.0, 0.0, 0.0)
SAME_ROW = 0.5  # of a box's height, within which fields share a row


@dataclass(frozen=True, slots=True)
class _Placed:
    """A box where it would stand if the page were straight."""

    box: PrintedBox
    lines: LineEdges
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Turn:
    """How the page is turned, as the sine and cosine of its skew."""

    sine: float
    cosine: float

    @classmethod
    def by(cls, degrees: float) -> _Turn:
        return cls(math.sin(math.radians(degrees)), math.cos(math.radians(degrees)))

    def place(self, box: PrintedBox, lines: LineEdges) -> _Placed:
        x, y = box.centre.x, box.centre.y
        return _Placed(box, lines, x * self.cosine + y * self.sine, y * self.cosine - x * self.sine)

    def quad(self, box: PrintedBox, sides: Sides = AS_FOUND) -> Quad:
        """Return a box as it lies on the page, its sides moved out."""
        left, right = -box.width / 2 - sides.left, box.width / 2 + sides.right
        top, bottom = -box.height / 2 - sides.top, box.height / 2 + sides.bottom
        x, y, sine, cosine = box.centre.x, box.centre.y, self.sine, self.cosine
        return Quad(
            Point(x + left * cosine - top * sine, y + left * sine + top * cosine),
            Point(x + right * cosine - top * sine, y + right * sine + top * cosine),
            Point(x + right * cosine - bottom * sine, y + right * sine + bottom * cosine),
            Point(x + left * cosine - bottom * sine, y + left * sine + bottom * cosine),
        )


def find_fields(page: Page) -> PageLayout:
    """Return the digit fields of a page, named r01c01 by row and column in reading order, and its skew.

    A field is two or more similar boxes in a row with gaps under 0.7 of a box's width, or a single box that
    shares its lines with no other. A page without any, or too small to have any, has no fields.
    """
    copy = working_copy(page.grey)
    found = find_boxes(copy)
    turn = _Turn.by(found.skew_degrees)
    lines = measure_lines(page.grey, [turn.quad(box) for box in found.boxes], copy.reduction)
    placed = [turn.place(box, edges) for box, edges in zip(found.boxes, lines, strict=True)]
    runs = [run for run in _runs(placed, SIZE_SLACK * copy.reduction) if _is_digit_field(run)]
    return PageLayout(tuple(_fields(list(_rows(runs)), turn)), found.skew_degrees)


def _fields(rows: Sequence[list[list[_Placed]]], turn: _Turn) -> Iterator[Field]:
    for row_number, row in enumerate(rows, start=1):
        for column, run in enumerate(row, start=1):
            cells = tuple(turn.quad(placed.box, placed.lines.inner) for placed in run)
            box = enclosing_box([turn.quad(placed.box, placed.lines.outer) for placed in run])
            yield Field(f"r{row_number:02d}c{column:02d}", cells, box)


def _runs(boxes: Sequence[_Placed], slack: float) -> Iterator[list[_Placed]]:
    """Yield the boxes of one field each, from left to right; their sizes may differ by `slack` px anyhow."""
    boxes = sorted(boxes, key=lambda placed: placed.x)
    following = _following(boxes, slack)
    followers = set(following.values())
    for first in range(len(boxes)):
        if first not in followers:
            run = [first]
            while run[-1] in following:
                run.append(following[run[-1]])
            yield [boxes[index] for index in run]


def _following(boxes: Sequence[_Placed], slack: float) -> dict[int, int]:
    """Return for each box that has one the next box of its field. `boxes` stand from left to right."""
    x, y, width, height = (
        np.array([(placed.x, placed.y, placed.box.width, placed.box.height) for placed in boxes])
        .reshape(-1, 4)
        .T
    )
    left_line, right_line = (
        np.array([(placed.lines.outer.left, placed.lines.outer.right) for placed in boxes]).reshape(-1, 2).T
    )
    gap = (x - width / 2 - left_line) - (x + width / 2 + right_line)[:, None]
    follows = (
        (gap > -width[:, None] / 2)
        & (gap < LARGEST_GAP * (width + left_line + right_line)[:, None])
        & (np.abs(y - y[:, None]) < OFF_LINE * height[:, None])
        & _alike(width, slack)
        & _alike(height, slack)
        & np.triu(np.ones((len(boxes), len(boxes)), bool), 1)
    )
    following: dict[int, int] = {}
    for index in np.flatnonzero(follows.any(axis=1)).tolist():
        nearest = int(np.argmax(follows[index]))
        if nearest not in following.values():
            following[index] = nearest
    return following


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


def _alike(sizes: npt.NDArray[np.float64], slack: float) -> npt.NDArray[np.bool_]:
    largest = np.maximum(sizes, sizes[:, None])
    return np.asarray(np.abs(sizes - sizes[:, None]) <= np.maximum(slack, SIZE_TOLERANCE * largest))
