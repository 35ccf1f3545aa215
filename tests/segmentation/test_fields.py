"""Which printed boxes of a page become digit fields."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.fields import find_fields
from segmentation.geometry import Box
from segmentation.page import Page
from tests.segmentation.drawn_boxes import Boxes, draw_boxes, paper, turned, write_digit


def sizes(page: np.ndarray) -> list[int]:
    """The number of boxes of each field, in reading order."""
    return [len(field.cells) for field in find_fields(Page(page)).fields]


@pytest.mark.parametrize("line", [1, 3, 7])
@pytest.mark.parametrize("shade", [0, 170])
@pytest.mark.parametrize("gap", [0, 14])
def test_boxes_are_found_whatever_their_lines_and_gaps(line: int, shade: int, gap: int) -> None:
    page = paper()
    draw_boxes(page, Boxes(6, line=line, shade=shade, gap=gap))

    assert sizes(page) == [6]


@pytest.mark.parametrize("degrees", [-5, -2, 2, 5])
def test_skew_is_measured_and_hides_no_box(degrees: float) -> None:
    page = paper()
    for row in range(3):
        draw_boxes(page, Boxes(7, y=400 + 150 * row))
    layout = find_fields(Page(turned(page, degrees)))

    assert [len(field.cells) for field in layout.fields] == [7, 7, 7]
    assert layout.skew_degrees == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("dpi", [100, 200, 300, 600])
def test_the_resolution_does_not_matter(dpi: int) -> None:
    page = paper()
    boxes = Boxes(5)
    draw_boxes(page, boxes)
    write_digit(page, boxes, 2, 8)
    factor = dpi / 150
    scaled = cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)

    assert sizes(np.asarray(scaled, np.uint8)) == [5]


def test_digits_that_touch_and_cross_the_lines_break_no_box() -> None:
    page = paper()
    for row, share in enumerate((0.5, 0.6, 0.9, 1.05)):
        boxes = Boxes(6, y=300 + 150 * row)
        draw_boxes(page, boxes)
        for index, digit in enumerate((8, 0, 1, 7, 4, 6)):
            write_digit(page, boxes, index, digit, share)

    assert sizes(page) == [6, 6, 6, 6]


def test_the_box_of_a_field_encloses_the_outer_edges_of_its_boxes() -> None:
    page = paper()
    draw_boxes(page, Boxes(4, x=300, y=500, width=60, height=80, line=5))
    (field,) = find_fields(Page(page)).fields

    assert field.box.intersection_over_union(Box(298, 498, 245, 85)) > 0.9


def test_fields_are_named_by_row_and_column_in_reading_order() -> None:
    page = paper()
    for x, y in ((700, 900), (200, 310), (700, 300), (200, 900)):
        draw_boxes(page, Boxes(4, x=x, y=y))
    fields = find_fields(Page(page)).fields

    assert [field.name for field in fields] == ["r01c01", "r01c02", "r02c01", "r02c02"]
    assert [field.box.x < 400 for field in fields] == [True, False, True, False]


def test_a_gap_wider_than_seven_tenths_of_a_box_starts_a_new_field() -> None:
    page = paper()
    draw_boxes(page, Boxes(3, x=200))
    draw_boxes(page, Boxes(3, x=400))  # 50 px, a whole box, behind the first three

    assert sizes(page) == [3, 3]


def test_a_box_by_itself_is_a_field() -> None:
    page = paper()
    boxes = Boxes(1)
    draw_boxes(page, boxes)
    write_digit(page, boxes, 0, 5)

    assert sizes(page) == [1]


@pytest.mark.parametrize("width", [90, 100, 110, 200, 500])
def test_a_wider_box_by_itself_is_a_field_for_a_whole_number(width: int) -> None:
    page = paper()
    draw_boxes(page, Boxes(1, width=width))
    (field,) = find_fields(Page(page)).fields

    assert field.holds_number


def test_strokes_that_look_like_a_box_hide_no_frame_for_two_digits() -> None:
    page = paper()
    draw_boxes(page, Boxes(1, width=98))
    cv2.rectangle(page, (225, 312), (250, 352), (30,), 3)  # a square nought
    (field,) = find_fields(Page(page)).fields

    assert field.holds_number


def test_a_stroke_through_a_whole_number_hides_no_frame() -> None:
    page = paper()
    draw_boxes(page, Boxes(1, width=300))
    cv2.line(page, (225, 332), (475, 332), (30,), 4)
    (field,) = find_fields(Page(page)).fields

    assert field.holds_number


@pytest.mark.parametrize(("gap", "goes_on"), [(20, True), (60, False)])
def test_a_frame_close_beside_another_one_may_be_a_part_of_a_row(gap: int, goes_on: bool) -> None:
    page = paper()
    draw_boxes(page, Boxes(1, width=92))
    draw_boxes(page, Boxes(1, x=292 + gap, width=140))

    assert [field.goes_on for field in find_fields(Page(page)).fields] == [goes_on, goes_on]


def test_wide_boxes_side_by_side_are_for_a_digit_each() -> None:
    page = paper()
    draw_boxes(page, Boxes(4, width=92, gap=30))
    (field,) = find_fields(Page(page)).fields

    assert (len(field.cells), field.holds_number) == (4, False)


def test_a_table_of_words_holds_no_field() -> None:
    page = paper()
    for row in range(6):
        for x, width in ((100, 90), (190, 300), (490, 250), (740, 300)):
            draw_boxes(page, Boxes(1, x=x, y=300 + 50 * row, width=width, height=50))
            text = str(row + 1) if width == 90 else "reading meter"
            cv2.putText(page, text, (x + 10, 335 + 50 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0,), 2)

    assert sizes(page) == []


def test_a_page_of_text_holds_no_field() -> None:
    page = paper()
    for row in range(30):
        text = "Hdo lB 0808 please write one digit IIII in each of the boxes"
        cv2.putText(page, text, (100, 150 + 45 * row), cv2.FONT_HERSHEY_DUPLEX, 0.9, (0,), 2)

    assert sizes(page) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 9), (40, 4000), (2, 5000)])
def test_a_page_of_any_size_is_looked_at_without_an_error(size: tuple[int, int]) -> None:
    assert sizes(paper(size)) == []


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 400), st.integers(10, 400), st.floats(1, 25))
def test_noise_on_paper_holds_no_field(seed: int, height: int, width: int, deviation: float) -> None:
    noise = np.random.default_rng(seed).normal(200, deviation, (height, width))

    assert sizes(np.clip(noise, 0, 255).astype(np.uint8)) == []


def test_most_boxed_fields_of_the_real_tally_scans_are_found(shared_data: Path) -> None:
    folder = shared_data / "forms" / "kawalc1-c1"
    pages = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    found = total = 0
    for truth in pages:
        boxes = [Box(*map(round, field["box"])) for field in truth["fields"] if field.get("box")]
        if truth["capture"] != "scan" or not boxes:
            continue
        grey = cv2.imdecode(np.fromfile(folder / truth["file"], np.uint8), cv2.IMREAD_GRAYSCALE)
        fields = find_fields(Page(np.asarray(grey, np.uint8))).fields
        total += len(boxes)
        found += sum(any(f.box.intersection_over_union(box) >= 0.5 for f in fields) for box in boxes)

    assert total == 32
    assert found >= 0.95 * total


def test_thick_lines_between_separate_boxes_are_no_gap() -> None:
    page = paper()
    draw_boxes(page, Boxes(5, gap=24, line=7))

    assert sizes(page) == [5]


def test_columns_of_numbers_side_by_side_are_fields_of_their_own() -> None:
    page = paper()
    for row in range(3):
        draw_boxes(page, Boxes(6, x=300, y=600 + 60 * row, width=40, height=60, line=3))
    for x in (300, 420, 540):  # the lines of the table's head, above the columns
        cv2.line(page, (x, 540), (x, 600), 0, 3)
    cv2.line(page, (300, 540), (540, 540), 0, 3)

    assert sizes(page) == [3, 3] * 3


@pytest.mark.parametrize(("lowest", "highest"), [(400, 480), (450, 600)])
def test_a_single_line_above_a_table_that_is_none_of_its_head_divides_no_field(
    lowest: int, highest: int
) -> None:
    page = paper()
    for row in range(3):
        draw_boxes(page, Boxes(4, x=300, y=600 + 60 * row, width=40, height=60, line=3))
    cv2.rectangle(page, (300, 560), (460, 600), 0, 3)
    cv2.line(page, (380, lowest), (380, highest), 0, 3)

    assert sizes(page) == [4] * 3


def test_where_a_row_goes_on_in_boxes_of_another_width_both_may_be_parts_of_a_field() -> None:
    page = paper()
    draw_boxes(page, Boxes(4))
    draw_boxes(page, Boxes(3, x=410, width=72))
    draw_boxes(page, Boxes(4, y=500))
    draw_boxes(page, Boxes(3, x=500, y=500, width=72))

    fields = find_fields(Page(page)).fields

    assert [(len(field.cells), field.goes_on) for field in fields] == [
        (4, True),
        (3, True),
        (4, False),
        (3, False),
    ]


def test_a_line_between_two_boxes_of_a_row_parts_them() -> None:
    page = paper()
    one, other = Boxes(3, x=200, gap=12), Boxes(3, x=200 + 3 * 62 + 10, gap=12)
    draw_boxes(page, one)
    draw_boxes(page, other)
    assert sizes(page) == [6]
    between = other.x - 11
    page[one.y - 30 : one.y + one.height + 30, between - 1 : between + 2] = 0

    assert sizes(page) == [3, 3]


def test_a_stroke_between_two_boxes_as_close_as_the_others_of_a_row_parts_none() -> None:
    page = paper()
    boxes = Boxes(6, gap=16)
    draw_boxes(page, boxes)
    between = boxes.x + 3 * 66 - 8
    page[boxes.y - 30 : boxes.y + boxes.height + 30, between - 1 : between + 2] = 0

    assert sizes(page) == [6]


def test_lines_between_all_boxes_of_a_row_part_none() -> None:
    page = paper()
    boxes = Boxes(6, gap=20)
    draw_boxes(page, boxes)
    for index in range(7):
        line = boxes.x + index * 70 - 10
        page[boxes.y - 30 : boxes.y + boxes.height + 30, line - 1 : line + 2] = 0

    assert sizes(page) == [6]


def test_a_thick_line_that_two_boxes_share_parts_none() -> None:
    page = paper()
    boxes = Boxes(6, width=80, height=90)
    draw_boxes(page, boxes)
    middle = boxes.x + 3 * boxes.width
    page[boxes.y - 60 : boxes.y + boxes.height + 60, middle - 7 : middle + 8] = 0

    assert sizes(page) == [6]


@pytest.mark.parametrize("paper_shade", [255, 160])
def test_lines_that_hardly_show_are_found_when_asked_for(paper_shade: int) -> None:
    page = np.full((1754, 1240), paper_shade, np.uint8)
    for row in range(3):
        draw_boxes(page, Boxes(6, y=300 + 150 * row, gap=14, shade=paper_shade - 6))

    assert sizes(page) == []
    assert [len(field.cells) for field in find_fields(Page(page), pale=True).fields] == [6, 6, 6]


def test_a_dividing_line_that_was_never_printed_is_told_by_the_row() -> None:
    page = paper()
    boxes = Boxes(6)
    draw_boxes(page, boxes)
    wall = boxes.x + 2 * boxes.width
    page[boxes.y + 3 : boxes.y + boxes.height - 2, wall - 3 : wall + 4] = 255

    assert sizes(page) == [6]


def test_small_boxes_by_themselves_or_apart_or_square_may_be_for_ticks() -> None:
    page = paper()
    for row in range(3):
        draw_boxes(page, Boxes(6, y=300 + 150 * row))
    draw_boxes(page, Boxes(1, y=800, width=26, height=30))
    draw_boxes(page, Boxes(5, y=900, width=26, height=26, gap=14))
    draw_boxes(page, Boxes(5, y=1000, width=26, height=30))
    draw_boxes(page, Boxes(5, y=1100, width=36, height=36))  # as rings in rows seem to be

    fields = find_fields(Page(page)).fields

    assert [field.for_ticks for field in fields] == [False, False, False, True, True, False, True]


def test_boxes_as_small_as_all_others_of_a_page_are_not_for_ticks() -> None:
    page = paper()
    for row in range(3):
        draw_boxes(page, Boxes(5, y=300 + 150 * row, width=26, height=26, gap=14))

    assert not any(field.for_ticks for field in find_fields(Page(page)).fields)


@pytest.mark.parametrize("count", [2, 5])
def test_a_stroke_along_a_pale_line_is_not_taken_for_the_line(count: int) -> None:
    page = paper()
    draw_boxes(page, Boxes(count, width=24, height=30, line=1, shade=150, gap=6))
    cv2.line(page, (206, 303), (218, 303), (20,), 2)  # the bar of a 7
    (field,) = find_fields(Page(page)).fields

    assert [round(cell.top_left.y) for cell in field.cells] == pytest.approx([301] * count, abs=1)
