from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.training.made_digits import made_digits
from training.distortions import Distortion, distort

GLYPHS = made_digits(20).glyphs
STILL = Distortion(turn_degrees=0, slant=0, scale=0, shift=0, bend=0)


def centres(
    glyphs: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the centre of mass (n, 2) as x, y of each glyph."""
    ink = glyphs.astype(float)
    total = ink.sum(axis=(1, 2))
    columns, rows = np.arange(ink.shape[2]), np.arange(ink.shape[1])
    return np.stack([ink.sum(axis=1) @ columns / total, ink.sum(axis=2) @ rows / total], axis=1)


def test_no_distortion_leaves_a_glyph_as_it_is() -> None:
    np.testing.assert_array_equal(distort(GLYPHS, STILL, np.random.default_rng(0)), GLYPHS)


def test_a_shift_moves_the_ink_by_no_more_than_it_says() -> None:
    shifted = distort(GLYPHS, Distortion(0, 0, 0, shift=2.0), np.random.default_rng(0))

    moved = np.abs(centres(shifted) - centres(GLYPHS))
    assert moved.max() <= 2.1
    assert moved.max() > 1.0


def test_a_glyph_is_turned_and_scaled_about_its_middle() -> None:
    middle = np.zeros((1, 28, 28), np.uint8)
    middle[0, 10:18, 10:18] = 255

    turned = distort(np.repeat(middle, 20, axis=0), Distortion(shift=0), np.random.default_rng(0))

    np.testing.assert_allclose(centres(turned), 13.5, atol=0.2)
    assert len(np.unique(turned, axis=0)) == 20


def test_a_bend_moves_ink_within_a_glyph_and_not_into_its_neighbour() -> None:
    bent = distort(GLYPHS, replace(STILL, bend=1.0), np.random.default_rng(0))
    alone = distort(GLYPHS[:1], replace(STILL, bend=1.0), np.random.default_rng(0))

    overlap = np.minimum(bent, GLYPHS).sum(axis=(1, 2)) / GLYPHS.sum(axis=(1, 2))
    assert overlap.max() < 1
    assert overlap.min() > 0.4
    assert alone.shape == (1, 28, 28)


def test_ink_that_is_shifted_out_does_not_come_back_elsewhere() -> None:
    edge = np.zeros((2, 28, 28), np.uint8)
    edge[0, -1] = 255  # the first glyph's lowest row borders on the second glyph

    moved = distort(edge, replace(STILL, shift=6.0), np.random.default_rng(0))

    assert not moved[1].any()


def test_the_same_seed_distorts_alike() -> None:
    first, again = (distort(GLYPHS, Distortion(), np.random.default_rng(5)) for _ in range(2))

    np.testing.assert_array_equal(first, again)


def test_stretching_makes_narrow_digits_wider_and_leaves_wide_ones_within_the_glyph() -> None:
    narrow, wide = np.zeros((2, 28, 28), np.uint8)
    narrow[4:24, 13:16] = 255
    wide[4:24, 3:25] = 255
    stretch = replace(STILL, stretch=1.0)

    stretched = distort(np.stack([narrow, wide] * 20), stretch, np.random.default_rng(0))

    widths = (stretched > 127).any(axis=1).sum(axis=1).reshape(20, 2)
    heights = (stretched > 127).any(axis=2).sum(axis=1)
    assert widths[:, 0].max() >= 5
    assert widths[:, 0].min() >= 2
    assert widths[:, 1].max() <= 22
    assert set(heights) == {20}


def test_more_glyphs_than_a_picture_has_rows_for_are_distorted_too() -> None:
    glyphs = np.full((1_000, 28, 28), 255, np.uint8)

    assert distort(glyphs, Distortion(), np.random.default_rng(0)).shape == glyphs.shape


def test_some_glyphs_are_seen_as_by_a_coarse_scanner_in_black_and_white() -> None:
    grey = np.zeros((200, 28, 28), np.uint8)
    grey[:, 6:22, 10:18] = 90
    grey[:, 8:20, 12:16] = 230

    seen = distort(grey, replace(STILL, coarse=0.25), np.random.default_rng(0))

    changed = (seen != grey).any(axis=(1, 2))
    assert 0.15 < changed.mean() < 0.35
    assert all(set(np.unique(glyph)) >= {0, 255} for glyph in seen[changed])
