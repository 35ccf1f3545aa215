from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from training.forms.box_kinds import BoxKind
from training.forms.camera import PHOTOS, photograph
from training.forms.hard_forms import DrawnPage, PlacedField, kind_and_damage, random_hard_form
from training.forms.page_damage import PageDamage, corners_of, moved

LINED = [kind for kind in BoxKind if kind not in (BoxKind.OPEN_TICKS, BoxKind.DOTTED, BoxKind.DASHED)]


def corners(field: PlacedField) -> npt.NDArray[np.float64]:
    return np.array([(corner.x, corner.y) for corner in field.quad.corners])


def darkness(page: DrawnPage, points: npt.NDArray[np.float64]) -> float:
    """Return how much darker than white the darkest of the pixels at and around each point are, at median."""
    grey, height = page.page.grey, page.page.grey.shape[0]
    columns, rows = np.floor(points).astype(int).T
    near = [
        grey[max(row - 1, 0) : min(row + 2, height), column - 1 : column + 2].min()
        for row, column in zip(rows, columns, strict=True)
    ]
    return 255 - float(np.median(near))


def around(field: PlacedField, grown: float) -> npt.NDArray[np.float64]:
    """Return points on the field's sides, moved outwards by a share of its height."""
    ends = corners(field)
    right, down = ends[1] - ends[0], ends[3] - ends[0]
    reach = grown * np.linalg.norm(down)
    right, down = right / np.linalg.norm(right), down / np.linalg.norm(down)
    ends = ends + reach * np.array([-right - down, right - down, right + down, down - right])
    along = np.linspace(0.05, 0.95, 40)[:, None]
    return np.concatenate([a + along * (b - a) for a, b in zip(ends, np.roll(ends, -1, axis=0), strict=True)])


def test_the_same_seed_gives_the_same_page_and_another_another() -> None:
    first, again, other = (random_hard_form(seed) for seed in (17, 17, 31))

    assert np.array_equal(first.page.grey, again.page.grey)
    assert first.fields == again.fields
    assert first.fields != other.fields


def test_as_many_seeds_as_there_are_pairs_draw_every_kind_with_every_damage() -> None:
    pairs = len(BoxKind) * len(PageDamage)

    for start in (0, pairs):
        drawn = {kind_and_damage(seed) for seed in range(start, start + pairs)}
        assert drawn == {(kind, damage) for kind in BoxKind for damage in PageDamage}


def test_a_few_seeds_in_a_row_have_other_kinds_and_other_damages() -> None:
    drawn = [kind_and_damage(seed) for seed in range(8)]

    assert len({kind for kind, _ in drawn}) == len({damage for _, damage in drawn}) == 8


@pytest.mark.parametrize("kind", BoxKind)
def test_every_kind_has_fields_with_their_true_values(kind: BoxKind) -> None:
    page = random_hard_form(3, kind, PageDamage.NONE)

    assert (page.kind, page.damage) == (kind, PageDamage.NONE)
    assert len(page.fields) >= 5
    for field in page.fields:
        assert set(field.value) <= set("0123456789_")
        assert len(field.cells) == (1 if kind is BoxKind.WHOLE else len(field.value))


@pytest.mark.parametrize("kind", LINED)
def test_the_true_places_lie_on_the_printed_lines(kind: BoxKind) -> None:
    page = random_hard_form(5, kind, PageDamage.NONE)

    for field in page.fields:
        on_line, beside = darkness(page, around(field, -0.01)), darkness(page, around(field, 0.12))
        assert on_line > 40
        assert beside < 25 or kind is BoxKind.TABLE


@pytest.mark.parametrize("damage", PageDamage)
def test_the_true_places_move_with_the_page(damage: PageDamage) -> None:
    page = random_hard_form(9, BoxKind.THICK, damage)

    medians = [
        darkness(page, around(field, -0.02)) - darkness(page, around(field, 0.15)) for field in page.fields
    ]
    assert np.median(medians) > 40


def test_turned_pages_turn_the_reading_direction_of_their_fields() -> None:
    upside_down = random_hard_form(2, BoxKind.JOINED, PageDamage.UPSIDE_DOWN).fields[0]
    quarter = random_hard_form(2, BoxKind.JOINED, PageDamage.QUARTER_TURN).fields[0]

    assert upside_down.quad.top_left.x > upside_down.quad.top_right.x
    assert quarter.box.height > quarter.box.width


def test_boxes_at_low_resolution_are_about_23_pixels_high() -> None:
    for seed in range(6):
        page = random_hard_form(seed, BoxKind.JOINED, PageDamage.LOW_RESOLUTION)

        assert 20 < page.fields[0].quad.height < 29


def test_the_white_of_a_box_lies_within_its_lines() -> None:
    page = random_hard_form(5, BoxKind.THICK, PageDamage.SKEW)

    for field in page.fields:
        for outer, white in zip(field.cells, field.whites, strict=True):
            assert 0.55 * outer.height < white.height < 0.95 * outer.height
            assert 0.5 * outer.width < white.width < 0.95 * outer.width


def test_a_1_bit_page_is_black_and_white_only() -> None:
    page = random_hard_form(6, BoxKind.JOINED, PageDamage.ONE_BIT)

    assert set(np.unique(page.page.grey)) == {0, 255}


def test_a_spread_holds_the_fields_of_two_pages_side_by_side() -> None:
    page = random_hard_form(8, BoxKind.JOINED, PageDamage.SPREAD)
    middle = page.page.grey.shape[1] / 2

    sides = {field.name.startswith("right "): field.quad.centre.x > middle for field in page.fields}
    assert sides == {True: True, False: False}


@pytest.mark.parametrize("damage", PHOTOS)
def test_photos_show_the_whole_sheet_on_a_desk(damage: PageDamage) -> None:
    sheet = np.full((600, 420), 250, np.uint8)

    taken = photograph(sheet, damage, 60, np.random.default_rng(3))

    height, width = taken.image.shape
    ends = moved(taken.views[0], corners_of(sheet))
    assert ends.min() > 0
    assert (ends < (width, height)).all()
    reach = np.ptp(ends, axis=0) / (width, height)
    assert 0.6 < reach.max() < 0.97


def test_a_tilted_sheet_is_larger_on_the_near_side() -> None:
    sheet = np.full((600, 420), 250, np.uint8)
    ratios = []
    for seed in range(10):
        view = photograph(sheet, PageDamage.PHOTO_TILTED, 60, np.random.default_rng(seed)).views[0]
        ends = moved(view, corners_of(sheet))
        sides = np.linalg.norm(ends - np.roll(ends, -1, axis=0), axis=1)
        ratios.append(max(sides[0] / sides[2], sides[2] / sides[0], sides[1] / sides[3], sides[3] / sides[1]))

    assert min(ratios) > 1.05
    assert np.median(ratios) > 1.1
