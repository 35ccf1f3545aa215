"""Boxes that a printed line runs through."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.boxes import PrintedBoxes
from segmentation.crossed import without_crossed, without_divided
from segmentation.lines import Lines, Mask

LEFT, TOP, RIGHT, BOTTOM = 50, 60, 80, 100


def box(right_edge: int = RIGHT) -> PrintedBoxes:
    left, top, right, bottom = (np.array([float(edge)]) for edge in (LEFT, TOP, right_edge, BOTTOM))
    return PrintedBoxes(left, top, right, bottom, np.ones(1), np.zeros(1, bool))


def uprights(*lines: tuple[int, int, int]) -> Mask:
    """Upright lines: where, from where, and down to where."""
    mask = np.zeros((200, 150), np.uint8)
    for x, top, bottom in lines:
        mask[top:bottom, x - 1 : x + 2] = 255
    return mask


def lines(upright: Mask) -> Lines:
    return Lines.of(np.zeros_like(upright), upright)


def test_a_box_that_lacks_a_side_and_has_a_printed_line_through_it_is_none() -> None:
    assert not len(without_crossed(box(), lines(uprights((LEFT - 1, TOP, BOTTOM), (65, 0, 200)))))


def test_a_one_that_sticks_out_of_its_box_is_no_printed_line() -> None:
    assert len(without_crossed(box(), lines(uprights((LEFT - 1, TOP, BOTTOM), (65, TOP - 10, BOTTOM + 10)))))


def test_a_box_with_whole_sides_is_one_though_the_scanner_drew_a_line_down_the_page() -> None:
    sides = (LEFT - 1, TOP, BOTTOM), (RIGHT + 1, TOP, BOTTOM)

    assert len(without_crossed(box(), lines(uprights(*sides, (65, 0, 200)))))


def test_the_line_of_a_boxs_own_side_does_not_run_through_it() -> None:
    assert len(without_crossed(box(), lines(uprights((LEFT - 1, 0, 200)))))


@pytest.mark.parametrize(("first", "last"), [(TOP - 30, BOTTOM), (TOP, BOTTOM + 30)])
@pytest.mark.parametrize("leaning", [False, True])
def test_a_row_of_a_table_is_no_box_for_a_number(first: int, last: int, leaning: bool) -> None:
    walls = uprights((LEFT - 1, first, last), (80, first, last), (120, first, last))
    if leaning:
        walls[: (first + last) // 2] = np.roll(walls[: (first + last) // 2], 2, axis=1)

    assert not len(without_divided(box(120), walls))


def test_a_wide_box_with_digits_as_high_as_it_is_one_for_a_number() -> None:
    sides = (LEFT - 1, TOP, BOTTOM), (121, TOP, BOTTOM)

    assert len(without_divided(box(120), uprights(*sides, (80, TOP, BOTTOM), (90, TOP - 10, BOTTOM + 10))))


def test_a_line_through_a_wide_box_that_goes_on_without_its_sides_divides_none() -> None:
    sides = (LEFT - 1, TOP, BOTTOM), (121, TOP, BOTTOM)

    assert len(without_divided(box(120), uprights(*sides, (80, 0, 200))))
