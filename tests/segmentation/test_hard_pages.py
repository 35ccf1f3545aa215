"""Which kinds of boxes are found, and on which pages: drawn ones, with their true places."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from training.forms import BoxKind, DrawnPage, PageDamage, random_hard_form

SEED = 3


def found(page: DrawnPage, quarter_turns: int = 0) -> int:
    """The number of true fields that are found with all their boxes."""
    fields = find_fields(page.page, quarter_turns).fields
    return sum(
        any(
            field.box.intersection_over_union(true.box) >= 0.5 and len(field.cells) == len(true.cells)
            for field in fields
        )
        for true in page.fields
    )


@pytest.mark.parametrize(
    "kind",
    [
        BoxKind.JOINED,
        BoxKind.SEPARATE,
        BoxKind.TABLE,
        BoxKind.THICK,
        BoxKind.GREY,
        BoxKind.DROP_OUT,
        BoxKind.GUIDES,
    ],
)
def test_every_field_of_a_clean_page_is_found(kind: BoxKind) -> None:
    page = random_hard_form(SEED, kind=kind, damage=PageDamage.NONE)

    assert found(page) == len(page.fields)


@pytest.mark.parametrize(
    "kind",
    [
        BoxKind.OPEN_TICKS,
        BoxKind.CLOSED_TICKS,
        BoxKind.DASHED,
        BoxKind.DOTTED,
        BoxKind.BROKEN,
        BoxKind.MISSING,
        BoxKind.WHOLE,
    ],
)
def test_boxes_without_whole_sides_are_found_on_clean_pages(kind: BoxKind) -> None:
    pages = [random_hard_form(seed, kind=kind, damage=PageDamage.NONE) for seed in (3, 4)]

    assert sum(map(found, pages)) >= 17  # of 18


@pytest.mark.parametrize(
    "damage",
    [
        PageDamage.SKEW,
        PageDamage.UPSIDE_DOWN,
        PageDamage.SPREAD,
        PageDamage.DARK_BORDER,
        PageDamage.PHOTO,
        PageDamage.PHOTO_TILTED,
        PageDamage.PHOTO_SHADOW,
        PageDamage.PHOTO_DIM,
    ],
)
def test_every_comb_is_found_however_the_page_was_taken(damage: PageDamage) -> None:
    page = random_hard_form(SEED, kind=BoxKind.JOINED, damage=damage)

    assert found(page) == len(page.fields)


def test_a_page_on_its_side_is_found_once_it_is_turned() -> None:
    page = random_hard_form(SEED, kind=BoxKind.JOINED, damage=PageDamage.QUARTER_TURN)

    assert found(page) == 0
    assert max(found(page, 1), found(page, 3)) == len(page.fields)


def test_a_guide_that_is_printed_into_a_box_is_no_ink() -> None:
    page = random_hard_form(SEED, kind=BoxKind.GUIDES, damage=PageDamage.NONE)
    fields = find_fields(page.page).fields
    cells = cut_cells(page.page, fields)

    for true in page.fields:
        overlap = [field.box.intersection_over_union(true.box) for field in fields]
        row = cells[int(np.argmax(overlap))]
        assert [cell.glyph is not None for cell in row] == [digit != "_" for digit in true.value]
