"""Rows of boxes made whole, and boxes of dashed lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segmentation.boxes import PrintedBoxes
from segmentation.fields import find_fields
from segmentation.lines import upright_dashes
from segmentation.page import Page
from segmentation.rows import surer
from tests.segmentation.drawn_boxes import A4, Boxes, Grey, draw_boxes, draw_dashed_boxes, paper

WHITE = 255
ROW, MODEL = Boxes(5), Boxes(4, y=600)


def boxes_found(page: Grey) -> list[int]:
    return [len(field.cells) for field in find_fields(Page(page)).fields]


@pytest.fixture
def page() -> Grey:
    """Two combs of one kind; the upper one is worn by the tests."""
    page = paper()
    draw_boxes(page, ROW)
    draw_boxes(page, MODEL)
    return page


def rub_out(page: Grey, left: float, top: float, right: float, bottom: float) -> None:
    """Rub out print of the upper row: edges in boxes from its left, in heights from its top."""
    x = [round(ROW.x + edge * ROW.width) for edge in (left, right)]
    y = [round(ROW.y + edge * ROW.height) for edge in (top, bottom)]
    page[y[0] - 5 : y[1] + 6, x[0] - 5 : x[1] + 6] = WHITE


@pytest.mark.parametrize(
    ("what", "worn"),
    [
        ("a ceiling", (2.15, 0.0, 2.85, 0.0)),
        ("a floor", (0.15, 1.0, 0.85, 1.0)),
        ("a dividing line", (2.0, 0.15, 2.0, 0.85)),
        ("the last wall", (5.0, 0.0, 5.0, 1.0)),
        ("half a wall and its corner", (0.0, 0.55, 0.0, 1.0)),
    ],
)
def test_a_row_goes_on_where_one_side_is_worn_away(
    page: Grey, what: str, worn: tuple[float, float, float, float]
) -> None:
    rub_out(page, *worn)

    assert boxes_found(page) == [5, 4], what


def test_a_row_does_not_go_on_over_white_paper(page: Grey) -> None:
    rub_out(page, 2.2, -0.1, 2.8, 1.1)
    rub_out(page, 2.2, 0.0, 2.8, 1.0)
    page[ROW.y - 8 : ROW.y + ROW.height + 8, ROW.x + 2 * ROW.width + 8 : ROW.x + 3 * ROW.width - 8] = WHITE

    assert boxes_found(page) == [2, 2, 4]


def test_a_row_does_not_grow_into_the_words_of_its_table(page: Grey) -> None:
    left, top, bottom = ROW.x - 4 * ROW.width + 18, ROW.y, ROW.y + ROW.height
    for y in (top, bottom):
        page[y - 1 : y + 2, left : ROW.x] = 0
    page[top + 14 : bottom - 12, ROW.x - ROW.width - 1 : ROW.x - ROW.width + 2] = 0  # a letter
    page[top - 30 : bottom + 30, left - 1 : left + 2] = 0  # the table goes on

    assert 5 in boxes_found(page)


def dashed(grey: Grey, on: int, off: int) -> Grey:
    """Take regular spaces out of all lines, as far as they are level, then as far as they are upright."""
    height, width = grey.shape
    spaces = (np.arange(width) % (on + off) >= on)[None, :] & np.ones((height, 1), bool)
    level = np.zeros_like(spaces)
    for boxes in (ROW, MODEL):
        for y in (boxes.y, boxes.y + boxes.height):
            level[y - 3 : y + 4] = True
    upright_spaces = (np.arange(height) % (on + off) >= on)[:, None] & np.ones((1, width), bool)
    return np.where((level & spaces) | (~level & upright_spaces), WHITE, grey).astype(np.uint8)


@pytest.mark.parametrize(("on", "off"), [(12, 6), (3, 5)])
def test_boxes_of_dashes_and_of_dots_are_found(page: Grey, on: int, off: int) -> None:
    assert boxes_found(dashed(page, on, off)) == [5, 4]


@pytest.mark.parametrize("gap", [6, 9])
def test_boxes_of_dots_are_told_from_boxes_with_the_gap_behind_them(gap: int) -> None:
    page = paper()
    for y in (300, 450, 600):
        draw_dashed_boxes(page, Boxes(8, y=y, width=40, height=56, gap=gap), dash=4, space=4)

    cells = [cell for field in find_fields(Page(page)).fields for cell in field.cells]
    assert [cell.width for cell in cells] == pytest.approx([37] * 24, abs=4)


def test_dashed_walls_side_by_side_are_two_lines() -> None:
    walls = [12, 16]  # of thick lines, with 2 px of white between them
    print_ = np.zeros((80, 40), np.uint8)
    for wall in walls:
        print_[10:70, wall : wall + 2] = WHITE
    print_[np.arange(80) % 7 >= 4] = 0

    assert upright_dashes(print_)[12:66, walls].all()


def test_grain_is_no_dashed_line() -> None:
    rng = np.random.default_rng(0)
    grain = np.clip(rng.normal(225, 25, A4), 0, WHITE).astype(np.uint8)

    assert boxes_found(grain) == []


def test_boxes_inside_a_dark_border_are_found(page: Grey) -> None:
    page[:40], page[-40:], page[:, :40], page[:, -40:] = 20, 20, 20, 20

    assert boxes_found(page) == [5, 4]


def test_a_box_that_is_blacked_out_and_a_bar_above_the_row_hide_no_box(page: Grey) -> None:
    black_out(page, 2)
    page[MODEL.y - 30 : MODEL.y, MODEL.x : MODEL.x + MODEL.count * MODEL.width] = 20

    assert boxes_found(page) == [5, 4]


def black_out(page: Grey, box: int) -> None:
    left = ROW.x + box * ROW.width
    page[ROW.y : ROW.y + ROW.height, left : left + ROW.width] = 10


def test_the_white_between_thick_frames_is_no_box() -> None:
    page = paper()
    for y, gap in ((300, 22), (500, 30)):
        draw_boxes(page, Boxes(5, y=y, gap=gap, line=9))

    assert boxes_found(page) == [5, 5]


def test_of_two_rows_in_a_frame_the_one_that_fills_it_stays() -> None:
    frame = in_a_row(1, left=100, width=131)
    from_lines, from_dashes = in_a_row(5, left=104, width=24), in_a_row(6, left=100, width=20)

    kept = surer(from_lines, from_dashes, replace(frame, alone=np.ones(1, bool)))
    assert kept.left.tolist() == from_dashes.left.tolist()
    assert len(surer(from_lines, from_dashes, frame)) == 5


def test_of_two_boxes_in_one_place_the_one_that_is_better_covered_stays() -> None:
    broken, joined = in_a_row(5, left=100, width=24), in_a_row(5, left=100.5, width=24)
    broken = replace(broken, coverage=np.full(5, 0.8))

    assert surer(broken, joined, PrintedBoxes.joined([])).left.tolist() == joined.left.tolist()


def in_a_row(count: int, *, left: float, width: float) -> PrintedBoxes:
    """Return boxes side by side with 2 px between them."""
    lefts = np.array([left + (width + 2) * nth for nth in range(count)])
    top, bottom, coverage = (np.full(count, each) for each in (50.0, 80.0, 1.0))
    return PrintedBoxes(lefts, top, lefts + width, bottom, coverage, np.zeros(count, bool))
