"""Rows between a ceiling and a floor, in px of the straight print: the walls that are left tell the boxes."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.boxes import PrintedBoxes
from segmentation.lines import Lines
from segmentation.rows_between_lines import find_rows_between

WIDTH, HEIGHT, PITCH = 20.0, 30.0, 23.0
LEFT, TOP = 52.0, 101.0  # of the first box of the row whose lines are there


def boxes_at(lefts: list[float], top: float, width: float = WIDTH) -> PrintedBoxes:
    left, count = np.array(lefts), len(lefts)
    tops, coverage = np.full(count, top), np.ones(count)
    return PrintedBoxes(left, tops, left + width, tops + HEIGHT, coverage, np.zeros(count, bool))


def lines_of(count: int, *, worn: int = -1, without: int = -1, to_right: int = 0) -> Lines:
    """Return the lines of so many boxes, half a wall or all of it left out, the ceiling too long."""
    level, upright = np.zeros((200, 400), np.uint8), np.zeros((200, 400), np.uint8)
    left, top, bottom = round(LEFT) - 3, round(TOP) - 3, round(TOP + HEIGHT)
    right = left + round(count * PITCH) + 3
    level[top : top + 3, left : right + to_right] = 255
    level[bottom : bottom + 3, left:right] = 255
    for wall in range(count + 1):
        if wall != without:
            x = left + round(wall * PITCH)
            upright[top : bottom - (14 if wall == worn else -3), x : x + 3] = 255
    return Lines.of(level, upright)


USUAL = boxes_at([60.0 + PITCH * nth for nth in range(9)], 20)
NONE = Lines.of(np.zeros((200, 400), np.uint8), np.zeros((200, 400), np.uint8))
FEIGNED = boxes_at([55.0, 99.0], TOP, 17.0)


def test_a_row_of_usual_boxes_takes_the_place_of_what_strokes_feign() -> None:
    found = find_rows_between(PrintedBoxes.joined([USUAL, FEIGNED]), lines_of(5, worn=2), NONE)

    row = found[found.top > 50]
    assert row.left == pytest.approx(LEFT + PITCH * np.arange(5), abs=1.5)
    assert len(found) == len(USUAL) + len(row)


@pytest.mark.parametrize(
    "lines", [lines_of(5, to_right=30), lines_of(2, without=2)], ids=["longer", "no end"]
)
def test_no_row_is_told_by_lines_that_are_not_its_own(lines: Lines) -> None:
    assert len(find_rows_between(USUAL, lines, NONE)) == len(USUAL)


def test_several_rows_are_no_row() -> None:
    lines, through = lines_of(5), np.zeros((200, 400), np.uint8)
    through[round(TOP) + 12, round(LEFT) - 3 : round(LEFT + 5 * PITCH)] = 255

    assert len(find_rows_between(USUAL, lines, Lines.of(through, NONE.upright))) == len(USUAL)
    assert len(find_rows_between(USUAL, lines, NONE)) == len(USUAL) + 5


def test_boxes_in_their_place_stay_as_they_are() -> None:
    boxes = PrintedBoxes.joined([USUAL, boxes_at([LEFT + PITCH * nth for nth in range(5)], TOP)])

    assert np.array_equal(find_rows_between(boxes, lines_of(5), NONE).left, boxes.left)
