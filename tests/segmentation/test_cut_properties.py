"""What changes nothing for a person changes no glyph that is cut, beyond what sampling does to it."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.cells import cut_cells
from segmentation.geometry import Box, Point, Quad
from segmentation.page import Cell, Field, Page
from tests.segmentation.drawn_boxes import Boxes, Grey, draw_boxes, write_digit
from training.forms import PenDigits, random_hand

BOXES = Boxes(6, x=60, y=60, width=50, height=64)
BLANK = 3  # the box in which nobody writes
PAGE = 200, 440
FEW = settings(max_examples=25, derandomize=True, deadline=None, database=None)


def row_of_digits(seed: int) -> Grey:
    """Return a white page with a comb that a hand filled, but for one box."""
    rng = np.random.default_rng(seed)
    page = np.full(PAGE, 255, np.uint8)
    draw_boxes(page, BOXES)
    hand = PenDigits(random_hand(rng))
    for index in range(BOXES.count):
        if index != BLANK:
            ink = hand(int(rng.integers(10)), 38.0, rng)
            x, y = BOXES.x + index * BOXES.width + 25 - ink.shape[1] // 2, BOXES.y + 32 - ink.shape[0] // 2
            part = page[y : y + ink.shape[0], x : x + ink.shape[1]]
            part[:] = np.minimum(part, 255 - ink * 0.8)
    return page


def cut(page: Grey, scale: float = 1.0, right: float = 0.0, down: float = 0.0) -> tuple[Cell, ...]:
    """Return the cells of the comb where it lies on a page that was scaled and then shifted."""
    quads = []
    for index in range(BOXES.count):
        left, top = BOXES.x + index * BOXES.width + 2, BOXES.y + 2
        corners = (
            (left, top),
            (left + BOXES.width - 3, top),
            (left + BOXES.width - 3, top + BOXES.height - 3),
            (left, top + BOXES.height - 3),
        )
        quads.append(Quad(*(Point(x * scale + right, y * scale + down) for x, y in corners)))
    (cells,) = cut_cells(Page(page), [Field("r01c01", tuple(quads), Box(0, 0, 1, 1))])
    return cells


def likeness(one: Grey, other: Grey) -> float:
    """The correlation of two glyphs, blurred by a pixel, where they match best: centring moves by one."""
    first, second = (cv2.GaussianBlur(glyph, (0, 0), 1.0) for glyph in (one, other))
    return float(cv2.matchTemplate(first, second[1:-1, 1:-1], cv2.TM_CCOEFF_NORMED).max())


def assert_same(before: tuple[Cell, ...], after: tuple[Cell, ...], at_least: float) -> None:
    for one, other in zip(before, after, strict=True):
        assert (one.glyph is None) == (other.glyph is None)
        if one.glyph is not None and other.glyph is not None:
            assert likeness(one.glyph, other.glyph) >= at_least


@FEW
@given(st.integers(0, 999), st.integers(0, 300), st.integers(0, 300), st.sampled_from([0, 128, 255]))
def test_margins_of_whatever_shade_change_no_glyph(seed: int, left: int, top: int, shade: int) -> None:
    page = row_of_digits(seed)
    larger = cv2.copyMakeBorder(page, top, 20, left, 20, cv2.BORDER_CONSTANT, value=(shade,))

    assert_same(cut(page), cut(np.asarray(larger, np.uint8), right=left, down=top), 1.0 - 1e-6)


@FEW
@given(st.integers(0, 999), st.floats(0, 1), st.floats(0, 1))
def test_a_shift_by_part_of_a_pixel_changes_hardly_anything(seed: int, right: float, down: float) -> None:
    page = row_of_digits(seed)
    move = np.array([[1, 0, right], [0, 1, down]])
    moved = cv2.warpAffine(page, move, PAGE[::-1], borderValue=(255,))

    assert_same(cut(page), cut(np.asarray(moved, np.uint8), right=right, down=down), 0.9)


@FEW
@given(st.integers(0, 999), st.floats(0.8, 1.3))
def test_a_scan_of_another_resolution_gives_the_same_glyphs(seed: int, scale: float) -> None:
    page = row_of_digits(seed)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(page, None, fx=scale, fy=scale, interpolation=how)

    assert_same(cut(page), cut(np.asarray(scaled, np.uint8), scale=scale), 0.85)


@FEW
@given(st.integers(0, 999), st.floats(0.35, 1.0), st.integers(0, 40))
def test_darker_paper_and_paler_ink_change_hardly_anything(seed: int, light: float, lift: int) -> None:
    page = row_of_digits(seed)
    toned = (page * light * (255 - lift) / 255 + lift * light).astype(np.uint8)

    assert_same(cut(page), cut(toned), 0.9)


@FEW
@given(st.integers(0, 999), st.integers(1, 40))
def test_pale_print_over_all_boxes_changes_hardly_anything(seed: int, pale: int) -> None:
    page = row_of_digits(seed)
    printed = page.copy()
    for index in range(BOXES.count):
        guides = np.full(PAGE, 255, np.uint8)
        write_digit(guides, BOXES, index, 8)
        printed = np.where(guides < 128, np.minimum(printed, 255 - pale), printed)

    assert_same(cut(page), cut(printed), 0.9)
