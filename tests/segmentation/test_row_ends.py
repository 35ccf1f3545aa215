"""Whether a row of boxes goes on beyond what was found of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.lines import Mask
from segmentation.row_ends import Edges, goes_on, goes_on_as

BOXES = [Edges(40.0 + 30 * nth, 50, 68.0 + 30 * nth, 90) for nth in range(5)]


@pytest.fixture
def print_() -> Mask:
    """A row of five boxes, printed."""
    page = np.zeros((200, 300), np.uint8)
    for box in BOXES:
        outline(page, box)
    return page


def outline(page: Mask, box: Edges) -> None:
    cv2.rectangle(page, (int(box.left) - 1, int(box.top) - 1), (int(box.right), int(box.bottom)), (255,))


def test_a_row_that_lacks_boxes_at_either_end_goes_on(print_: Mask) -> None:
    assert goes_on(BOXES[:4], [], print_)
    assert goes_on(BOXES[2:], [], print_)
    assert goes_on(BOXES[2:3], [], print_)
    assert not goes_on(BOXES, [], print_)


def test_a_row_that_lacks_a_box_within_goes_on(print_: Mask) -> None:
    assert goes_on([*BOXES[:2], *BOXES[3:]], [], print_)


def test_boxes_that_stand_apart_lack_nothing_between_them() -> None:
    apart = [Edges(40.0 + 50 * nth, 50, 68.0 + 50 * nth, 90) for nth in range(4)]
    page = np.zeros((200, 300), np.uint8)
    for box in apart:
        outline(page, box)

    assert not goes_on(apart, [], page)


def test_a_box_whose_sides_have_gaps_is_one_more_box(print_: Mask) -> None:
    print_[45:55, 165:175] = 0
    print_[65:78, 185:195] = 0

    assert goes_on(BOXES[:4], [], print_)


def test_a_worn_box_and_a_whole_one_behind_it_are_more_boxes(print_: Mask) -> None:
    print_[45:95, 132:144] = 0  # of ceiling and floor
    print_[52:74, 155:163] = 0  # of the wall between the two

    assert goes_on(BOXES[:3], [], print_)


def test_a_box_of_another_row_does_not_lack(print_: Mask) -> None:
    assert not goes_on(BOXES[:3], BOXES[3:], print_)


def test_a_word_beside_a_row_is_no_box(print_: Mask) -> None:
    cv2.putText(print_, "votes", (195, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255,), 2)

    assert not goes_on(BOXES, [], print_)


def test_a_tables_lines_go_on_without_a_box_and_so_do_strokes_between_them(print_: Mask) -> None:
    cv2.rectangle(print_, (189, 49), (290, 90), (255,))
    cv2.line(print_, (218, 56), (218, 84), (255,), 2)  # somebody's 1

    assert not goes_on(BOXES, [], print_)


@pytest.mark.parametrize("height", [8, 40])
def test_a_grid_of_other_cells_or_a_solid_bar_is_no_box(print_: Mask, height: int) -> None:
    print_[49:91, 190:220] = 255
    for top in range(50, 90, height):
        print_[top : top + height - 1, 191:219] = 0 if height < 40 else 255

    assert not goes_on(BOXES, [], print_)


def test_a_row_goes_on_in_boxes_of_another_width_beside_it_or_upon_it() -> None:
    beside = [Edges(192.0 + 42 * nth, 52, 230.0 + 42 * nth, 88) for nth in range(2)]
    upon = [Edges(60.0 + 42 * nth, 48, 98.0 + 42 * nth, 92) for nth in range(3)]

    assert goes_on_as(BOXES, beside)
    assert goes_on_as(beside, BOXES)
    assert goes_on_as(BOXES, upon)


@pytest.mark.parametrize(("right", "down"), [(40, 0), (0, 20), (0, 44)])
def test_a_row_does_not_go_on_in_boxes_that_stand_apart_or_off_its_line(right: int, down: int) -> None:
    other = [Edges(192.0 + right, 50 + down, 230.0 + right, 90 + down)]

    assert not goes_on_as(BOXES, other)


def test_a_row_does_not_go_on_in_much_higher_boxes() -> None:
    assert not goes_on_as(BOXES, [Edges(192, 30, 260, 110)])


def test_what_may_be_a_worn_box_is_none_where_nothing_stands_behind_it(print_: Mask) -> None:
    print_[:, 160:] = 0  # the two last boxes
    print_[45:55, 132:144] = 0
    print_[85:95, 132:144] = 0  # half of ceiling and floor of the one before
    print_[52:74, 155:163] = 0  # and of its wall

    assert not goes_on(BOXES[:3], [], print_)
