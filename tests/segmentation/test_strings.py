"""A whole number in one box is cut where its digits part, touching or not, or it is said not to be one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from segmentation.geometry import Point, Quad
from segmentation.page import Cell, Page
from segmentation.string_ink import find_string_inks, patch_of_string
from segmentation.string_paths import Arc, Features, best_paths
from segmentation.string_pieces import cut_pieces
from segmentation.strings import CutString, choose, propose, read_strings
from tests.segmentation.drawn_boxes import Boxes, Grey, draw_boxes, paper, turned
from worker.recogniser import Recogniser

BOX = Boxes(1, width=500, height=80)


@cache
def recogniser() -> Recogniser:
    return Recogniser.load()


def likeness(one: Cell, other: Cell) -> float:
    """The correlation of two glyphs, blurred by a pixel: centring moves by whole pixels."""
    assert one.glyph is not None
    assert other.glyph is not None
    first, second = (cv2.GaussianBlur(glyph, (0, 0), 1.0) for glyph in (one.glyph, other.glyph))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def quad_of(box: Boxes = BOX) -> Quad:
    inset = box.line / 2
    left, right = box.x + inset, box.x + box.width - inset
    top, bottom = box.y + inset, box.y + box.height - inset
    return Quad(Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom))


def written(value: str, apart: int = 10, *, box: Boxes = BOX, high: int = 50, slant: float = 0.0) -> Grey:
    """Return a page with a number in its box, its digits' ink so many pixels apart."""
    page = paper()
    draw_boxes(page, box)
    x, bottom = box.x + 25, box.y + (box.height + high) // 2
    for digit in value:
        ink = printed(int(digit), high)
        if slant:
            lean = np.array([[1, -slant, slant * high], [0, 1, 0]])
            ink = np.asarray(cv2.warpAffine(ink, lean, (ink.shape[1] + round(slant * high), high)), np.uint8)
        part = page[bottom - high : bottom, x : x + ink.shape[1]]
        np.minimum(part, 255 - ink, out=part)
        x += ink.shape[1] + apart
    return page


def printed(digit: int, high: int) -> Grey:
    canvas = np.zeros((2 * high, 2 * high), np.uint8)
    cv2.putText(
        canvas, str(digit), (9, 2 * high - 20), cv2.FONT_HERSHEY_SIMPLEX, high / 22, (225,), 3, cv2.LINE_AA
    )
    x, y, width, height = cv2.boundingRect(canvas)
    return np.asarray(cv2.resize(canvas[y : y + height, x : x + width], (width, high)), np.uint8)


def read(page: Grey, quad: Quad | None = None, lengths: list[int] | None = None) -> CutString:
    (cut,) = read_strings(Page(page), [quad or quad_of()], recogniser(), lengths)
    return cut


def value(cut: CutString) -> str:
    return "".join(map(str, cut.probabilities[:, :10].argmax(axis=1)))


@pytest.mark.parametrize("number", ["42", "9305", "2846053", "5093628046"])
@pytest.mark.parametrize("apart", [2, 14])
def test_a_number_is_cut_into_its_digits(number: str, apart: int) -> None:
    cut = read(written(number, apart, high=40))

    assert value(cut) == number
    assert len(cut.cells) == len(number)


@pytest.mark.parametrize("number", ["35", "2860", "93052"])
def test_digits_that_touch_are_cut_apart(number: str) -> None:
    page = written(number, -2)
    _, parts = cv2.connectedComponents(255 - page[BOX.y + 5 : BOX.y + 75, BOX.x + 5 : BOX.x + 495])

    assert parts.max() < len(number), "these do not touch"
    assert value(read(page)) == number


def test_digits_that_lean_over_each_other_are_cut_along_their_slant() -> None:
    assert value(read(written("470217", -8, slant=0.5))) == "470217"


def test_what_is_cut_out_is_the_glyph_of_the_digit_alone() -> None:
    together, alone = read(written("358", 12)), [read(written(digit)) for digit in "358"]

    for cell, cut in zip(together.cells, alone, strict=True):
        assert likeness(cell, cut.cells[0]) > 0.9


def test_ink_boxes_lie_on_the_page_where_the_digits_do() -> None:
    cut = read(written("805", 10))

    boxes = [cell.ink_box for cell in cut.cells]
    assert boxes[0].x == pytest.approx(BOX.x + 25, abs=2)
    assert all(
        box.y == pytest.approx(BOX.y + 15, abs=2) and box.height == pytest.approx(50, abs=3) for box in boxes
    )
    assert all(later.x >= earlier.right for earlier, later in pairwise(boxes))


@pytest.mark.parametrize("line", [1, 3, 8])
@pytest.mark.parametrize("degrees", [-3, 0, 3])
def test_an_empty_box_gives_no_digits_whatever_its_lines(line: int, degrees: float) -> None:
    box = replace(BOX, line=line)
    page = turned(written("", box=box), degrees)
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    corners = np.array(quad_of(box).corners) @ turn[:, :2].T + turn[:, 2]

    cut = read(page, Quad(*(Point(*corner) for corner in corners.tolist())))

    assert cut.cells == ()
    assert cut.confidence == 1.0


def test_a_line_that_sags_over_a_long_box_is_no_ink() -> None:
    page = paper()
    for side in (BOX.y, BOX.y + BOX.height):
        curve = [(BOX.x + x, side + round(3 * np.sin(x / 250))) for x in range(0, 501, 10)]
        cv2.polylines(page, [np.array(curve, np.int32)], False, (0,), 3)

    assert propose(Page(page), [quad_of()])[0].glyphs.shape == (0, 28, 28)


def test_the_bars_of_sevens_next_to_a_line_stay() -> None:
    page = written("777", 2, box=BOX, high=64)

    assert value(read(page)) == "777"


def test_specks_of_dust_are_no_digits() -> None:
    page = written("628", 14)
    for x in (-20, 42, 160):
        cv2.circle(page, (BOX.x + 60 + x, BOX.y + 40), 2, (0,), -1)

    assert value(read(page)) == "628"


def test_a_number_that_is_struck_through_is_no_number() -> None:
    page = written("83625", 4)
    for y in (-12, 0, 12):
        cv2.line(page, (BOX.x + 15, BOX.y + 40 + y), (BOX.x + 230, BOX.y + 38 + y), (0,), 6)

    cut = read(page)

    assert len(cut.cells) == 1
    assert cut.probabilities.argmax() >= 10


def test_a_known_length_settles_what_is_unsure() -> None:
    unsure = Features(log_probability=-0.01, digit=1.0)
    arcs = [
        Arc(0, 1, 0, unsure),
        Arc(0, 2, 1, unsure._replace(log_probability=-0.02)),
        Arc(1, 2, 2, unsure),
    ]

    one, two = (best_paths(arcs, 2, lengths=[length]).paths[0] for length in (1, 2))

    assert [arc.glyph for arc in one.arcs] == [1]
    assert [arc.glyph for arc in two.arcs] == [0, 2]


def test_a_length_that_no_cut_gives_is_not_insisted_on() -> None:
    assert value(read(written("61"), lengths=[7])) == "61"


def test_confidence_is_the_share_of_all_ways_to_cut() -> None:
    arcs = [
        Arc(0, 1, 0, Features(digit=1.0)),
        Arc(0, 2, 1, Features(digit=2.0)),
        Arc(1, 2, 2, Features(digit=1.0)),
    ]
    weights = Features(digit=np.log(2.0))

    ranked = best_paths(arcs, 2, weights)

    assert np.exp(ranked.log_sum) == pytest.approx(4 + 4)


def test_a_reader_in_doubt_about_the_cut_lowers_the_confidence() -> None:
    (proposal,) = propose(Page(written("358", -2)), [quad_of()])
    sure = recogniser()(proposal.glyphs)
    flat: npt.NDArray[np.float32] = np.full_like(sure, 1 / sure.shape[1])

    assert choose(proposal, sure).confidence > choose(proposal, flat).confidence + 0.1


def test_a_model_of_ten_classes_reads_too() -> None:
    def digits_only(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return recogniser()(glyphs)[:, :10]

    (cut,) = read_strings(Page(written("7390", 8)), [quad_of()], digits_only)

    assert value(cut) == "7390"


def test_all_boxes_of_a_page_are_classified_in_one_call() -> None:
    page = written("46")
    below = replace(BOX, y=500)
    draw_boxes(page, below)
    calls: list[int] = []

    def counting(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        calls.append(len(glyphs))
        return recogniser()(glyphs)

    first, second = read_strings(Page(page), [quad_of(), quad_of(below)], counting)

    assert len(calls) == 1
    assert (value(first), second.cells) == ("46", ())


def test_a_wide_box_is_cut_as_fine_as_a_narrow_one() -> None:
    narrow, wide = (patch_of_string(quad_of(replace(BOX, width=width))) for width in (120, 900))

    assert narrow.height == wide.height


def test_a_scribble_is_not_taken_to_pieces_without_end() -> None:
    rng = np.random.default_rng(5)
    page = paper()
    draw_boxes(page, BOX)
    points = np.column_stack([rng.integers(210, 690, 60), rng.integers(308, 372, 60)]).astype(np.int32)
    cv2.polylines(page, [points], False, (0,), 2)
    patch = patch_of_string(quad_of())
    (ink,) = find_string_inks([patch.cut_from(page)], [patch.margin])

    assert ink is not None
    pieces = cut_pieces(ink)
    assert pieces is None or len(pieces.extents) <= 40
    assert read(page).probabilities.argmax() >= 10


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 1.0])
def test_a_box_that_is_blacked_out_is_not_blank_and_no_number(share: float) -> None:
    page = paper()
    draw_boxes(page, BOX)
    cv2.rectangle(page, (205, 306), (205 + round(share * 490), 374), (20,), -1)

    cut = read(page)

    assert cut.cells
    as_digits = cut.probabilities[:, :10].max(axis=1).prod() * cut.confidence
    assert as_digits < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_a_dense_scribble_of_all_shades_is_not_blank(seed: int) -> None:
    rng = np.random.default_rng(seed)
    page = paper()
    draw_boxes(page, BOX)
    for _ in range(100):
        (x, y), (to_x, to_y) = rng.uniform((205, 304), (695, 376), (2, 2)).astype(int).tolist()
        cv2.line(page, (x, y), (to_x, to_y), (40,), 2, cv2.LINE_AA)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 1.0), np.uint8)

    assert read(page).cells


def test_short_dashes_in_a_box_are_no_dirt() -> None:
    page = paper()
    draw_boxes(page, BOX)
    for x in (260, 330, 400):
        cv2.line(page, (x, 345), (x + 12, 330), (20,), 3)

    assert read(page).cells
