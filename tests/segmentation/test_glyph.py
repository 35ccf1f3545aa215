"""The pixel contract: what ink of any size becomes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.glyph import GLYPH_SIDE, INK_SIDE, BlankCell, normalise, normalise_all


def stroke(height: int, width: int, pen: int) -> np.ndarray:
    ink = np.zeros((height, width), np.uint8)
    cv2.line(ink, (width // 4, height // 8), (3 * width // 4, 7 * height // 8), (255,), pen, cv2.LINE_AA)
    return ink


def test_no_ink_is_a_blank_cell() -> None:
    with pytest.raises(BlankCell):
        normalise(np.zeros((50, 40), np.uint8))


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 200), st.integers(8, 200), st.integers(1, 9))
def test_ink_of_any_size_is_twenty_pixels_long_and_centred_by_mass(height: int, width: int, pen: int) -> None:
    glyph = normalise(stroke(height, width, pen))
    rows, columns = np.nonzero(glyph)

    assert glyph.shape == (GLYPH_SIDE, GLYPH_SIDE)
    assert glyph.dtype == np.uint8
    assert INK_SIDE - 1 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= INK_SIDE
    mass = glyph.astype(float)
    assert abs((mass.sum(axis=0) @ np.arange(GLYPH_SIDE)) / mass.sum() - 14) <= 1
    assert abs((mass.sum(axis=1) @ np.arange(GLYPH_SIDE)) / mass.sum() - 14) <= 1


def test_a_thin_pen_gives_as_bright_a_glyph_as_a_thick_one() -> None:
    thin, thick = normalise(stroke(160, 120, 2)), normalise(stroke(160, 120, 16))

    assert np.percentile(thin[thin > 0], 70) > 200
    assert thin.sum() > 0.5 * thick.sum()


def test_mnist_images_are_glyphs_already(shared_data: Path) -> None:
    images = np.load(shared_data / "mnist" / "mnist.npz")["x_train"][-500:]
    unchanged = [np.abs(normalise(image).astype(int) - image).max() <= 2 for image in images]

    assert np.mean(unchanged) > 0.95


def test_digits_become_the_same_glyphs_together_as_one_by_one() -> None:
    sizes = [(160, 120, 2), (40, 200, 5), (8, 8, 1), (30, 22, 3), (75, 50, 1), (20, 20, 9)]
    inks = [stroke(*size) for size in sizes]

    np.testing.assert_array_equal(normalise_all(inks), [normalise(ink) for ink in inks])
    assert normalise_all([]).shape == (0, GLYPH_SIDE, GLYPH_SIDE)
