"""Boxes that a printed line runs through."""

from __future__ import annotations

import numpy as np

from segmentation.boxes import PrintedBoxes
from segmentation.crossed import without_crossed
from segmentation.lines import Mask

LEFT, TOP, RIGHT, BOTTOM = 50, 60, 80, 100


def box() -> PrintedBoxes:
    left, top, right, bottom = (np.array([float(edge)]) for edge in (LEFT, TOP, RIGHT, BOTTOM))
    return PrintedBoxes(left, top, right, bottom, np.ones(1), np.zeros(1, bool))


def uprights(*lines: tuple[int, int, int]) -> Mask:
    """Upright lines: where, from where, and down to where."""
    mask = np.zeros((200, 150), np.uint8)
    for x, top, bottom in lines:
        mask[top:bottom, x - 1 : x + 2] = 255
    return mask


def test_a_box_that_lacks_a_side_and_has_a_printed_line_through_it_is_none() -> None:
    assert not len(without_crossed(box(), uprights((LEFT - 1, TOP, BOTTOM), (65, 0, 200))))


def test_a_one_that_sticks_out_of_its_box_is_no_printed_line() -> None:
    assert len(without_crossed(box(), uprights((LEFT - 1, TOP, BOTTOM), (65, TOP - 10, BOTTOM + 10))))


def test_a_box_with_whole_sides_is_one_though_the_scanner_drew_a_line_down_the_page() -> None:
    sides = (LEFT - 1, TOP, BOTTOM), (RIGHT + 1, TOP, BOTTOM)

    assert len(without_crossed(box(), uprights(*sides, (65, 0, 200))))


def test_the_line_of_a_boxs_own_side_does_not_run_through_it() -> None:
    assert len(without_crossed(box(), uprights((LEFT - 1, 0, 200))))
