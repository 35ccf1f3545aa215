"""Which way up a page lies, told by its digits."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.orientation import Standing, lies_over, lies_sideways, reads_well, standing, turns_to_stand
from segmentation.page import Page
from training.forms import BoxKind, PageDamage, draw_form, random_hard_form
from worker.recogniser import Recogniser

READER = Recogniser.load()


@pytest.fixture(scope="module")
def upright() -> list[np.ndarray]:
    page = draw_form("4071 2533 275 7464").page
    rows = cut_cells(page, find_fields(page).fields)
    return [np.stack([cell.glyph for cell in row if cell.glyph is not None]) for row in rows]


def test_digits_tell_whether_they_stand_on_their_heads(upright: list[np.ndarray]) -> None:
    inverted = [np.ascontiguousarray(glyphs[:, ::-1, ::-1]) for glyphs in upright]

    as_it_is, turned = standing(upright, READER), standing(inverted, READER)
    assert as_it_is.upright
    assert turned.upside_down
    assert as_it_is.votes == -turned.votes
    assert as_it_is.legible_pairs == turned.legible_pairs == turned.pairs == 3 + 3 + 2 + 3


def test_one_ill_written_digit_turns_no_page(upright: list[np.ndarray]) -> None:
    def hardly_reads_the_seven(glyphs: np.ndarray) -> np.ndarray:
        """Read a digit in everything, less surely in most that stands on its head and hardly in one 7."""
        certain = np.where(_stand(glyphs, upright), 1.0, 0.9)
        certain[(glyphs == upright[0][2]).all(axis=(1, 2))] = 0.01
        return np.pad(certain[:, None], ((0, 0), (0, 10))).astype(np.float32)

    assert standing(upright, hardly_reads_the_seven).upright


def _stand(glyphs: np.ndarray, upright: list[np.ndarray]) -> np.ndarray:
    known = {glyph.tobytes() for row in upright for glyph in row}
    return np.array([glyph.tobytes() in known for glyph in glyphs])


def test_a_page_is_turned_over_for_more_than_one_glyph_can_say() -> None:
    def lies(votes: float, turned: float) -> bool:
        return lies_over(Standing(votes, 3, 9), Standing(turned, 3, 9))

    assert lies(-0.9, 0.4)
    assert not lies(-0.5, 0.5)
    assert not lies(-2.0, -0.5)


def test_digits_side_by_side_tell_that_a_page_lies_on_its_side(upright: list[np.ndarray]) -> None:
    one_by_one = [
        np.ascontiguousarray(np.rot90(glyph[None], axes=(1, 2))) for row in upright for glyph in row
    ]
    as_it_lies, turned = standing(one_by_one, READER), standing(upright, READER)

    assert lies_sideways(as_it_lies, turned)
    assert not lies_sideways(turned, as_it_lies)


def test_a_few_digits_side_by_side_turn_no_page(upright: list[np.ndarray]) -> None:
    nothing, one_field = standing([], READER), standing([upright[2]], READER)

    assert one_field.legible_pairs == 2
    assert not lies_sideways(nothing, one_field)


def test_some_digits_among_many_marks_turn_no_page() -> None:
    upright, grid = Standing(1.0, legible_pairs=6, pairs=10), Standing(1.0, legible_pairs=40, pairs=200)

    assert not lies_sideways(upright, grid)


@pytest.mark.parametrize(("pairs_of_names", "pairs_of_digits"), [(3, 26), (6, 24)])
def test_names_beside_many_digits_keep_no_page_on_its_side(pairs_of_names: int, pairs_of_digits: int) -> None:
    as_it_lies, turned = (
        Standing(1.0, legible_pairs=pairs_of_names, pairs=pairs_of_names + 2),
        Standing(1.0, legible_pairs=pairs_of_digits, pairs=71),
    )

    assert lies_sideways(as_it_lies, turned)


def test_a_page_without_digits_stays_as_it_is() -> None:
    assert standing([], READER) == Standing(0.0, legible_pairs=0, pairs=0)


def test_only_digits_that_stand_upright_read_well(upright: list[np.ndarray]) -> None:
    glyphs = np.concatenate(upright)

    assert reads_well(READER(glyphs))
    assert not reads_well(READER(np.ascontiguousarray(np.rot90(glyphs, 1, axes=(1, 2)))))
    assert not reads_well(np.empty((0, 12), np.float32))


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_ticks_tell_how_to_turn_a_page_for_its_combs_to_stand(quarter_turns: int) -> None:
    page = random_hard_form(4, kind=BoxKind.OPEN_TICKS, damage=PageDamage.NONE).page

    assert turns_to_stand(Page(np.ascontiguousarray(np.rot90(page.grey, quarter_turns)))) == quarter_turns


def test_boxes_that_look_the_same_on_their_heads_turn_no_page() -> None:
    page = draw_form("4071 2533 275 7464").page

    assert turns_to_stand(Page(np.ascontiguousarray(page.grey[::-1, ::-1]))) == 0


def test_a_page_is_doubtful_while_less_than_half_of_what_stands_in_rows_is_legible() -> None:
    assert Standing(1.0, legible_pairs=0, pairs=0).is_doubtful
    assert Standing(1.0, legible_pairs=5, pairs=14).is_doubtful
    assert not Standing(1.0, legible_pairs=7, pairs=14).is_doubtful
    assert not Standing(1.0, legible_pairs=20, pairs=80).is_doubtful
