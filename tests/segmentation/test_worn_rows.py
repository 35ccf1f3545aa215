"""Rows of which no box is whole, drawn line by line beside others that are."""

from __future__ import annotations

import cv2
import pytest

from segmentation.fields import find_fields
from segmentation.page import Field, Page
from tests.segmentation.drawn_boxes import Boxes, Grey, draw_boxes, paper, write_digit

WHITE = (255,)
WHOLE = (Boxes(5, y=300), Boxes(4, y=500))
WORN = Boxes(2, y=700)


def page_with_worn_row() -> Grey:
    """A row of two boxes lacks half of a ceiling, of a floor and of the wall between: no box is whole."""
    page = paper()
    for boxes in (*WHOLE, WORN):
        draw_boxes(page, boxes)
    left, middle, bottom = WORN.x, WORN.x + WORN.width, WORN.y + WORN.height
    cv2.line(page, (left + 14, WORN.y), (left + 32, WORN.y), WHITE, 7)
    cv2.line(page, (middle + 14, bottom), (middle + 32, bottom), WHITE, 7)
    cv2.line(page, (middle, WORN.y + 20), (middle, WORN.y + 44), WHITE, 7)
    return page


def rub_out(page: Grey, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Rub out a line from one point of it to another one."""
    (left, top), (right, bottom) = start, end
    across, down = (0, 4) if top == bottom else (4, 0)
    page[top - down : bottom + down + 1, left - across : right + across + 1] = WHITE


def fields_of(page: Grey) -> tuple[Field, ...]:
    return find_fields(Page(page)).fields


def test_a_row_without_a_whole_box_is_told_by_the_others_of_its_size() -> None:
    assert [len(field.cells) for field in fields_of(page_with_worn_row())] == [5, 4, 2]


def test_walls_of_dashes_tell_of_a_worn_row_too() -> None:
    page = paper()
    worn = Boxes(2, y=700), Boxes(2, y=900)
    for boxes in (*WHOLE, *worn):
        draw_boxes(page, boxes)
    for row in worn:
        left, middle, right = (row.x + wall * row.width for wall in range(3))
        rub_out(page, (left + 16, row.y), (left + 32, row.y))
        rub_out(page, (middle + 16, row.y + row.height), (middle + 32, row.y + row.height))
        rub_out(page, (middle, row.y + 22), (middle, row.y + 46))
        for wall in (left, right):
            rub_out(page, (wall, row.y + 28), (wall, row.y + 37))

    assert [len(field.cells) for field in fields_of(page)] == [5, 4, 2, 2]


def test_digits_in_a_worn_row_make_no_boxes_of_their_own() -> None:
    page = page_with_worn_row()
    for index, digit in enumerate((5, 0)):
        write_digit(page, WORN, index, digit)

    assert [len(field.cells) for field in fields_of(page)] == [5, 4, 2]


def test_a_wide_box_is_no_worn_row_because_it_is_as_high_as_the_others() -> None:
    page = paper()
    for boxes in WHOLE:
        draw_boxes(page, boxes)
    wide = Boxes(1, y=700, width=3 * WORN.width)
    draw_boxes(page, wide)
    for index, digit in enumerate((4, 7, 1)):
        write_digit(page, Boxes(3, y=700), index, digit)

    *_, number = fields_of(page)
    assert number.holds_number


def test_worn_boxes_for_whole_numbers_are_told_by_others_as_high() -> None:
    page = paper()
    numbers = [Boxes(1, y=y, width=220) for y in (300, 450, 600, 750, 900)]
    for boxes in numbers:
        draw_boxes(page, boxes)
    for worn in numbers[3:]:
        for wall in (worn.x, worn.x + worn.width):
            rub_out(page, (wall, worn.y + 28), (wall, worn.y + 37))

    assert [field.holds_number for field in fields_of(page)] == [True] * 5


def test_in_a_closed_frame_no_row_is_told_by_the_others_that_does_not_reach_both_walls() -> None:
    page = paper()
    for boxes in WHOLE:
        draw_boxes(page, boxes)
    narrower = Boxes(3, y=700, width=46)  # at 50 px, the third would stand beyond the wall
    draw_boxes(page, Boxes(1, y=narrower.y, width=narrower.count * narrower.width))
    for wall in (1, 2):
        x = narrower.x + wall * narrower.width
        for y in (narrower.y, narrower.y + narrower.height - 16):
            cv2.line(page, (x, y), (x, y + 16), (0,), 3)
    for index, digit in enumerate((8, 2, 4)):
        write_digit(page, narrower, index, digit)

    *_, field = fields_of(page)
    assert field.box.width == pytest.approx(3 * 46, abs=6)


def test_a_page_of_few_boxes_tells_of_no_others() -> None:
    page = paper()
    draw_boxes(page, Boxes(3, y=300))
    before = fields_of(page)
    cv2.line(page, (200, 700), (300, 700), (0,), 3)
    cv2.line(page, (200, 700), (200, 764), (0,), 3)

    assert fields_of(page) == before
