"""What is cut out of a printed box: the digit's ink and nothing else, or nothing where it is blank."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.geometry import Box, Point, Quad
from segmentation.page import Cell, Field, Page
from tests.segmentation.drawn_boxes import Boxes, Grey, draw_boxes, paper, turned, write_digit


def cells_of(page: Grey) -> tuple[Cell, ...]:
    (field,) = find_fields(Page(page)).fields
    return cut(page, field)


def cut(page: Grey, field: Field) -> tuple[Cell, ...]:
    (cells,) = cut_cells(Page(page), [field])
    return cells


def likeness(one: Cell, other: Cell) -> float:
    """The correlation of two glyphs, blurred by a pixel: centring moves by whole pixels."""
    assert one.glyph is not None
    assert other.glyph is not None
    first, second = (cv2.GaussianBlur(glyph, (0, 0), 1.0) for glyph in (one.glyph, other.glyph))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.mark.parametrize("line", [1, 3, 8])
@pytest.mark.parametrize("degrees", [-4, 0, 4])
def test_blank_boxes_are_blank_whatever_their_lines_and_the_skew(line: int, degrees: float) -> None:
    page = paper()
    draw_boxes(page, Boxes(6, line=line, y=800))

    assert [cell.glyph for cell in cells_of(turned(page, degrees))] == [None] * 6


def test_paper_grain_watermarks_and_dust_are_no_ink() -> None:
    rng = np.random.default_rng(7)
    page = paper()
    cv2.putText(page, "OFFICIAL COPY", (180, 345), cv2.FONT_HERSHEY_DUPLEX, 1.5, (225,), 4)
    draw_boxes(page, Boxes(6))
    for x in range(215, 480, 50):
        cv2.circle(page, (x, 320), 1, (0,), -1)
    grainy = np.clip(page - np.abs(rng.normal(0, 6, page.shape)), 0, 255).astype(np.uint8)

    assert all(cell.glyph is None for cell in cells_of(grainy))


@pytest.mark.parametrize("shade", [0, 90, 180])
@pytest.mark.parametrize("line", [1, 3, 8])
def test_box_lines_never_end_up_in_a_glyph(line: int, shade: int) -> None:
    lined, bare = paper(), paper()
    boxes = Boxes(5, line=line, shade=shade)
    draw_boxes(lined, boxes)
    for index, digit in enumerate((2, 3, 5, 6, 8)):
        write_digit(lined, boxes, index, digit)
        write_digit(bare, boxes, index, digit)
    (field,) = find_fields(Page(lined)).fields

    pairs = zip(cut(lined, field), cut(bare, field), strict=True)
    assert all(likeness(with_lines, without) > 0.97 for with_lines, without in pairs)


@pytest.mark.parametrize("degrees", [-4, 3])
def test_a_skewed_page_gives_upright_glyphs(degrees: float) -> None:
    page = paper()
    boxes = Boxes(5, y=800)
    draw_boxes(page, boxes)
    for index, digit in enumerate((2, 4, 5, 6, 9)):
        write_digit(page, boxes, index, digit)

    pairs = zip(cells_of(page), cells_of(turned(page, degrees)), strict=True)
    assert all(likeness(straight, askew) > 0.85 for straight, askew in pairs)


def test_a_digit_that_touches_its_box_is_kept_and_doubted() -> None:
    page = paper()
    boxes = Boxes(3)
    draw_boxes(page, boxes)
    write_digit(page, boxes, 0, 5)
    cv2.line(page, (277, 365), (277, 320), (20,), 5)  # a one that stands on the lower line

    touching = cells_of(page)[1]
    assert touching.glyph is not None
    assert touching.doubts == ("touches the box",)
    assert cells_of(page)[0].doubts == ()


def test_the_ink_box_encloses_the_digit_on_the_page() -> None:
    page = paper()
    boxes = Boxes(4)
    draw_boxes(page, boxes)
    cv2.rectangle(page, (318, 320), (330, 350), (0,), -1)
    ink = cells_of(page)[2].ink_box

    assert abs(ink.x - 318) <= 2
    assert abs(ink.y - 320) <= 2
    assert abs(ink.right - 331) <= 2
    assert abs(ink.bottom - 351) <= 2


def test_mnist_digits_written_into_boxes_come_back_as_they_were(shared_data: Path) -> None:
    images = np.load(shared_data / "mnist" / "mnist.npz")["x_train"][59_000:59_060]
    page = paper((1754, 1240))
    for row in range(6):
        boxes = Boxes(10, x=100, y=200 + 150 * row, width=80, height=90)
        draw_boxes(page, boxes)
        for column in range(10):
            ink = cv2.resize(images[10 * row + column], (70, 70), interpolation=cv2.INTER_CUBIC)
            top, left = boxes.y + 10, boxes.x + 80 * column + 5
            part = page[top : top + 70, left : left + 70]
            part[:] = np.minimum(part, 255 - ink)
    fields = find_fields(Page(page)).fields
    assert len(fields) == 6
    cells = [cell for row in cut_cells(Page(page), fields) for cell in row]
    written = [Cell(image, cell.ink_box) for image, cell in zip(images, cells, strict=True)]
    likenesses = [likeness(cell, digit) for cell, digit in zip(cells, written, strict=True)]

    assert np.median(likenesses) > 0.97
    assert min(likenesses) > 0.75


def test_each_field_gets_its_own_cells_whatever_the_size_of_its_boxes() -> None:
    page = paper()
    small, large = Boxes(3, y=300), Boxes(2, y=600, width=100, height=120)
    draw_boxes(page, small)
    draw_boxes(page, large)
    write_digit(page, small, 1, 5)
    write_digit(page, large, 0, 5)
    first, second = cut_cells(Page(page), find_fields(Page(page)).fields)

    assert [cell.glyph is None for cell in first] == [True, False, True]
    assert [cell.glyph is None for cell in second] == [False, True]
    assert likeness(first[1], second[0]) > 0.95


def test_a_digit_is_cut_alike_whatever_and_however_many_boxes_stand_beside_it() -> None:
    page = paper((3000, 1500))
    rows = [Boxes(10, y=300 + 90 * row, width=46 + row % 2, height=60) for row in range(15)]
    narrow, square = Boxes(3, y=1800, width=60, height=100), Boxes(4, y=2100, width=70, height=70)
    for boxes in (*rows, narrow, square):
        draw_boxes(page, boxes)
        write_digit(page, boxes, 0, 5)
        write_digit(page, boxes, 2, 2)
    fields = find_fields(Page(page)).fields
    together, alone = cut_cells(Page(page), fields), [cut(page, field) for field in fields]

    assert [len(row) for row in together] == [10] * 15 + [3, 4]
    for row, others in zip(together, alone, strict=True):
        assert [cell.glyph is None for cell in row] == [index not in (0, 2) for index in range(len(row))]
        assert min(likeness(row[index], others[index]) for index in (0, 2)) > 0.999999


def test_a_page_without_fields_has_no_cells() -> None:
    assert cut_cells(Page(paper()), ()) == ()


def test_the_upper_stroke_of_a_seven_is_kept_where_a_box_is_open_above() -> None:
    page = paper()
    corners = (Point(x, y) for x, y in ((252, 302), (298, 302), (298, 362), (252, 362)))
    open_above = Field("r01c01", (Quad(*corners),), Box(250, 300, 50, 64))
    cv2.rectangle(page, (254, 304), (296, 307), (20,), -1)  # nearly from wall to wall
    cv2.line(page, (294, 307), (270, 355), (20,), 4)

    (seven,) = cut(page, open_above)
    assert abs(seven.ink_box.y - 304) <= 1


@pytest.mark.parametrize("reach", [12, 8, 4, 2])
def test_a_box_that_is_blacked_out_is_not_blank(reach: int) -> None:
    page = paper()
    boxes = Boxes(4)
    draw_boxes(page, boxes)
    cv2.rectangle(page, (250 + reach, 300 + reach), (300 - reach, 364 - reach), (40,), -1)
    filled = cells_of(page)

    assert [cell.glyph is None for cell in filled] == [True, False, True, True]


def test_what_is_paler_than_all_ink_of_a_page_is_none_and_pencil_is_some() -> None:
    page = paper()
    boxes = Boxes(4)
    draw_boxes(page, boxes)
    for index, tone in enumerate((20, 200, 150)):
        cv2.line(page, (215 + 50 * index, 312), (235 + 50 * index, 352), (tone,), 5)

    assert [cell.glyph is None for cell in cells_of(page)] == [False, True, False, True]


def test_a_digit_half_on_a_watermark_is_the_same_digit() -> None:
    plain, marked = paper(), paper()
    boxes = Boxes(3)
    cv2.rectangle(marked, (150, 330), (400, 500), (205,), -1)
    for page in (plain, marked):
        draw_boxes(page, boxes)
        write_digit(page, boxes, 1, 5)
    (field,) = find_fields(Page(plain)).fields

    assert [cell.glyph is None for cell in cut(marked, field)] == [True, False, True]
    assert likeness(cut(plain, field)[1], cut(marked, field)[1]) > 0.97


@pytest.mark.parametrize("light", [0.25, 0.5])
def test_digits_in_dim_light_and_under_the_edge_of_a_shadow_stay(light: float) -> None:
    page = paper()
    boxes = Boxes(4)
    draw_boxes(page, boxes)
    for index, digit in enumerate((3, 5, 8, 2)):
        write_digit(page, boxes, index, digit)
    (field,) = find_fields(Page(page)).fields
    shade = np.where(np.arange(page.shape[1]) < 330, light, 0.9 * light)
    shaded = (page * cv2.GaussianBlur(shade[None], (41, 1), 0)).astype(np.uint8)

    pairs = zip(cut(page, field), cut(shaded, field), strict=True)
    assert all(likeness(lit, dim) > 0.95 for lit, dim in pairs)


def test_digits_that_are_alike_are_no_printed_guide() -> None:
    """All boxes with the palest ink hold a 1, as guides would: what else is written is not over it."""
    page = paper()
    boxes = Boxes(8)
    draw_boxes(page, boxes)
    for index, tone in enumerate((20, 20, 160, 160, 160, 160, 160, 20)):
        if tone == 20:
            write_digit(page, boxes, index, 8)
        else:
            cv2.line(page, (235 + 50 * index, 312), (215 + 50 * index, 352), (tone,), 5)

    assert all(cell.glyph is not None for cell in cells_of(page))


def test_guides_that_are_as_dark_as_ink_in_a_few_boxes_are_told_by_the_others() -> None:
    page = paper()
    rows = Boxes(8, y=300), Boxes(8, y=500)
    guides = {index: 160 if index == 5 else 182 for index in range(8)}
    for boxes in rows:
        draw_boxes(page, boxes)
        for index, tone in guides.items():
            x, y = boxes.x + 50 * index, boxes.y
            cv2.rectangle(page, (x + 15, y + 14), (x + 35, y + 50), (tone,), 3)
            cv2.line(page, (x + 15, y + 32), (x + 35, y + 32), (tone,), 3)
    for index in (0, 3, 4, 7):
        write_digit(page, rows[0], index, index)

    cells = [cell for row in cut_cells(Page(page), find_fields(Page(page)).fields) for cell in row]
    assert [index for index, cell in enumerate(cells) if cell.glyph is not None] == [0, 3, 4, 7]


def test_a_digit_is_one_piece_and_a_ring_with_a_number_in_it_more() -> None:
    page = paper()
    boxes = Boxes(3)
    draw_boxes(page, boxes)
    write_digit(page, boxes, 0, 8)
    write_digit(page, boxes, 1, 3, share=0.3)
    cv2.circle(page, (275, 332), 21, (30,), 2)

    assert [cell.pieces for cell in cells_of(page)[:2]] == [1, 2]


@pytest.mark.parametrize(
    ("x", "top", "bottom", "may_be_line"),
    [(240, 300, 364, True), (205, 315, 350, True), (222, 312, 354, False)],
)
def test_a_thin_stroke_along_a_side_or_from_top_to_bottom_may_be_a_line_and_a_1_in_the_middle_is_none(
    x: int, top: int, bottom: int, may_be_line: bool
) -> None:
    page = paper()
    draw_boxes(page, Boxes(3))
    cv2.line(page, (x, top), (x, bottom), (30,), 3)

    first, *_ = cells_of(page)

    assert first.glyph is not None
    assert first.may_be_line == may_be_line
