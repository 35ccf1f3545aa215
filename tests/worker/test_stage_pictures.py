from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ImageColor

from segmentation.fields import find_fields
from segmentation.page import Field, Page
from training.forms import Ruling, draw_form
from worker.stage_pictures import BLUE, CELL_SIDE, GREEN, VERMILION, draw_stages


@pytest.fixture(scope="module")
def page() -> Page:
    return draw_form("275 1041").page


@pytest.fixture(scope="module")
def pictures(page: Page) -> dict[str, npt.NDArray[np.uint8]]:
    return {stage: np.asarray(picture) for stage, picture in draw_stages(page, [], "a.png, page 1")}


def coloured(picture: npt.NDArray[np.uint8], colour: str) -> npt.NDArray[np.bool_]:
    return np.asarray((picture == ImageColor.getrgb(colour)).all(axis=-1))


def test_the_first_picture_is_the_page_as_it_was_decoded(
    page: Page, pictures: dict[str, npt.NDArray[np.uint8]]
) -> None:
    assert np.array_equal(pictures["decoded"][: page.grey.shape[0], :, 0], page.grey)


def test_level_and_upright_lines_have_colours_of_their_own(
    pictures: dict[str, npt.NDArray[np.uint8]],
) -> None:
    level, upright = (coloured(pictures["lines"], colour) for colour in (BLUE, VERMILION))

    assert level.sum(axis=1).max() > 2 * level.sum(axis=0).max()
    assert upright.sum(axis=0).max() > upright.sum(axis=1).max()


def test_every_box_and_every_field_is_outlined_where_it_lies(
    page: Page, pictures: dict[str, npt.NDArray[np.uint8]]
) -> None:
    boxes, fields = coloured(pictures["boxes"], BLUE), coloured(pictures["fields"], GREEN)

    found = find_fields(page).fields
    assert found
    for field in found:
        assert fields[field.box.y, field.box.x : field.box.right].mean() > 0.9
        for quad in field.cells:
            left = round(quad.top_left.x)
            assert boxes[round(quad.centre.y), left - 2 : left + 3].any()


def test_below_each_box_is_the_glyph_that_was_cut_from_it(
    pictures: dict[str, npt.NDArray[np.uint8]],
) -> None:
    sheet = pictures["cells"]
    dark = (sheet < 60).all(axis=2).sum(axis=1)

    assert dark.max() > 4 * CELL_SIDE  # glyphs are light on black, seven of them side by side


def test_a_page_without_boxes_has_all_its_pictures_too() -> None:
    empty = Page(np.full((300, 200), 255, np.uint8))

    assert [stage for stage, _ in draw_stages(empty, [], "empty")][-1] == "reading"


def draw_fields_as_read(page: Page, as_read: Sequence[Field]) -> npt.NDArray[np.uint8]:
    records = [
        {
            "field": field.name,
            "box": [field.box.x, field.box.y, field.box.width, field.box.height],
            "status": "blank",
            "value": "",
            "confidence": 0.99,
            "digits": [],
        }
        for field in as_read
    ]
    return np.asarray(dict(draw_stages(page, records, "a.png, page 1"))["fields"])


def test_a_page_that_was_read_on_its_side_is_drawn_as_it_was_read() -> None:
    turned = Page(np.ascontiguousarray(np.rot90(draw_form("275 1041").page.grey)))
    as_read = find_fields(turned, 1).fields
    assert as_read

    fields = draw_fields_as_read(turned, as_read)

    for field in as_read:
        assert coloured(fields, GREEN)[field.box.y, field.box.x : field.box.right].mean() > 0.9


def test_a_page_whose_lines_hardly_show_is_drawn_as_it_was_read() -> None:
    pale = draw_form("275 1041 407", ruling=Ruling(colour=(247, 247, 247))).page
    as_read = find_fields(pale, pale=True).fields
    assert len(as_read) > len(find_fields(pale).fields)

    fields = draw_fields_as_read(pale, as_read)

    for field in as_read:
        assert coloured(fields, GREEN)[field.box.y, field.box.x : field.box.right].mean() > 0.9
