"""Combs divided by short ticks, drawn line by line: what is one, how many boxes it has, and what is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import pytest

from segmentation.boxes import find_boxes, trace
from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.lines import find_lines, find_print
from segmentation.page import Field, Page
from segmentation.page_frame import find_frame, working_copy
from segmentation.ticks import find_combs
from tests.segmentation.drawn_boxes import Boxes, Grey, draw_boxes, paper, turned, write_digit
from training.forms import BoxKind, DrawnPage, PageDamage, random_hard_form


@dataclass(frozen=True, slots=True)
class Comb:
    """Boxes on a base line at `boxes.y + boxes.height`; the rest is how far up its uprights go, in pixels."""

    boxes: Boxes
    tick: int = 20
    post: int = 20
    is_closed: bool = False


def draw_comb(page: Grey, comb: Comb) -> None:
    boxes = comb.boxes
    left, right, floor = boxes.x, boxes.x + boxes.count * boxes.width, boxes.y + boxes.height
    cv2.line(page, (left, floor), (right, floor), (boxes.shade,), boxes.line)
    if comb.is_closed:
        cv2.line(page, (left, boxes.y), (right, boxes.y), (boxes.shade,), boxes.line)
    for x in range(left, right + 1, boxes.width):
        height = comb.post if x in (left, right) else comb.tick
        cv2.line(page, (x, floor), (x, floor - height), (boxes.shade,), boxes.line)


def page_of(*combs: Comb) -> Grey:
    page = paper()
    for comb in combs:
        draw_comb(page, comb)
    return page


def fields_of(page: Grey) -> tuple[Field, ...]:
    return find_fields(Page(page)).fields


ROWS = (Boxes(5, y=300), Boxes(3, y=500), Boxes(4, y=700))
OPEN = tuple(Comb(row) for row in ROWS)
POSTS = tuple(Comb(row, post=row.height) for row in ROWS)
CLOSED = tuple(Comb(row, post=row.height, is_closed=True) for row in ROWS)


@pytest.mark.parametrize("combs", [OPEN, POSTS, CLOSED], ids=["open", "posts", "closed"])
def test_ticks_on_a_base_line_divide_it_into_boxes(combs: tuple[Comb, ...]) -> None:
    assert [len(field.cells) for field in fields_of(page_of(*combs))] == [5, 3, 4]


def test_a_page_askew_has_the_same_combs() -> None:
    assert [len(field.cells) for field in fields_of(turned(page_of(*OPEN), 3))] == [5, 3, 4]


@pytest.mark.parametrize("combs", [POSTS, CLOSED], ids=["posts", "closed"])
def test_posts_tell_how_high_the_boxes_are(combs: tuple[Comb, ...]) -> None:
    for field, row in zip(fields_of(page_of(*combs)), ROWS, strict=True):
        assert field.box.height == pytest.approx(row.height, abs=7)


def test_boxes_whose_height_nothing_tells_are_nearly_square() -> None:
    for field, row in zip(fields_of(page_of(*OPEN)), ROWS, strict=True):
        assert field.box.height == pytest.approx(1.2 * row.width, abs=6)


def test_digits_that_stand_on_the_base_line_are_no_ticks() -> None:
    page = page_of(*OPEN)
    for index in range(5):
        x = ROWS[0].x + index * 50 + 25
        cv2.line(page, (x, ROWS[0].y + 10), (x, ROWS[0].y + 64), (30,), 4)  # a one

    assert [len(field.cells) for field in fields_of(page)] == [5, 3, 4]


def test_a_comb_whose_ticks_are_written_over_is_told_by_the_others() -> None:
    page = page_of(*OPEN)
    for index in range(1, 4):
        x = ROWS[2].x + index * 50
        cv2.line(page, (x - 12, ROWS[2].y + 20), (x + 6, ROWS[2].y + 64), (30,), 5)

    assert [len(field.cells) for field in fields_of(page)] == [5, 3, 4]


def test_digits_in_an_open_comb_are_cut_whole() -> None:
    page = page_of(*OPEN)
    for index in range(5):
        write_digit(page, ROWS[0], index, index + 4)
    (row, *_) = cut_cells(Page(page), fields_of(page))

    assert [cell.glyph is not None for cell in row] == [True] * 5
    assert min(cell.ink_box.height for cell in row) >= 0.5 * 64


@pytest.mark.parametrize("width", [49, 52])
def test_boxes_stand_between_their_ticks_at_both_ends_of_a_comb(width: int) -> None:
    rows = [replace(row, count=count, width=width) for row, count in zip(ROWS, (9, 3, 4), strict=True)]

    for field, row in zip(fields_of(page_of(*map(Comb, rows))), rows, strict=True):
        assert middles(field) == pytest.approx(middles_of(row), abs=0.8)


def test_combs_keep_their_own_pitch_beside_boxes_that_are_hardly_wider() -> None:
    combs = [Comb(Boxes(4, y=y, width=49), tick=28, post=64, is_closed=True) for y in (500, 650, 800)]
    page = page_of(*combs)
    for boxes in (Boxes(5, y=200), Boxes(4, y=300)):
        draw_boxes(page, boxes)

    for field, comb in zip(fields_of(page)[2:], combs, strict=True):
        assert middles(field) == pytest.approx(middles_of(comb.boxes), abs=1.5)


def middles(field: Field) -> list[float]:
    return [cell.centre.x for cell in field.cells]


def middles_of(row: Boxes) -> list[float]:
    return [row.x + (index + 0.5) * row.width for index in range(row.count)]


def test_a_single_line_with_two_uprights_is_no_comb() -> None:
    assert fields_of(page_of(Comb(Boxes(1, width=200), tick=20))) == ()


@pytest.mark.parametrize("uprights", [(0, 55, 190, 250), (0, 30, 60, 250)])
def test_uprights_at_no_one_pitch_are_no_comb(uprights: tuple[int, ...]) -> None:
    page = paper()
    for y in (300, 500, 700):
        cv2.line(page, (200, y), (450, y), (0,), 3)
        for x in uprights:
            cv2.line(page, (200 + x, y), (200 + x, y - 20), (0,), 3)

    assert fields_of(page) == ()


def test_boxes_with_whole_sides_are_no_comb() -> None:
    page = paper()
    for row in ROWS:
        draw_boxes(page, row)
    frame = find_frame(working_copy(page))
    lines = find_lines(frame.print_)

    assert len(find_combs(lines, frame.print_, find_boxes(trace(lines)))) == 0


def test_words_on_a_line_are_no_comb() -> None:
    page = paper()
    for y in range(300, 900, 60):
        cv2.line(page, (200, y), (700, y), (0,), 2)
        cv2.putText(page, "illicit limitation", (200, y - 1), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0,), 2)
    print_ = find_print(page)
    lines = find_lines(print_)

    assert len(find_combs(lines, print_, find_boxes(trace(lines)))) == 0


def found(page: DrawnPage) -> int:
    fields = find_fields(page.page).fields
    return sum(
        any(
            field.box.intersection_over_union(true.box) >= 0.5 and len(field.cells) == len(true.cells)
            for field in fields
        )
        for true in page.fields
    )


@pytest.mark.parametrize("kind", [BoxKind.OPEN_TICKS, BoxKind.CLOSED_TICKS])
@pytest.mark.parametrize("damage", [PageDamage.NONE, PageDamage.LOW_RESOLUTION, PageDamage.PHOTO_TILTED])
def test_nearly_all_combs_of_a_drawn_page_are_found(kind: BoxKind, damage: PageDamage) -> None:
    pages = [random_hard_form(seed, kind=kind, damage=damage) for seed in (11, 12)]

    assert sum(map(found, pages)) >= 0.95 * sum(len(page.fields) for page in pages)


def test_a_few_ticks_close_together_do_not_move_the_far_end_of_a_comb() -> None:
    page = paper((1170, 827))  # 100 dpi: a pixel is one of the small copy's
    for y in range(80, 440, 60):
        draw_comb(page, Comb(Boxes(10, y=y, width=20, height=26, x=60, line=1), tick=6, post=6))
    floor, end = 600, 60 + 11 * 20
    cv2.line(page, (60, floor), (end, floor), (20,), 1)
    for off in (0, 19, 38):  # a pixel nearer each time
        cv2.line(page, (60 + off, floor), (60 + off, floor - 6), (20,), 1)
    for x in range(120, end + 1, 20):  # strokes hide the others
        cv2.line(page, (x - 3, floor + 5), (x + 4, floor - 20), (20,), 3)
    field = fields_of(page)[-1]

    assert len(field.cells) == 11
    assert field.cells[-1].top_right.x == pytest.approx(end, abs=3)
