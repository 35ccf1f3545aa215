"""Where lines meet: corners are what hangs together of the places from which two lines go on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.boxes import ARM, trace
from segmentation.lines import Lines, Mask, inked


def arm(mask: Mask, down: int, right: int) -> Mask:
    """Return from where a mask goes on in a direction for an arm's length."""
    inside = np.zeros_like(mask)
    inside[ARM:-ARM, ARM:-ARM] = 255
    for step in range(1, ARM):
        inside &= np.roll(mask, (-step * down, -step * right), axis=(0, 1))
    return inside


def scattered(grain: np.random.Generator, width: int, height: int) -> Mask:
    """Return bars here and there, none of which comes near the edges."""
    dots = np.where(grain.random((120, 150)) < 0.02, 255, 0)
    dots[: 2 * ARM] = dots[-2 * ARM :] = dots[:, : 2 * ARM] = dots[:, -2 * ARM :] = 0
    return np.asarray(cv2.dilate(dots.astype(np.uint8), np.ones((height, width))), np.uint8)


@pytest.mark.parametrize(
    ("kind", "down", "right"),
    [("top_left", 1, 1), ("top_right", 1, -1), ("bottom_left", -1, 1), ("bottom_right", -1, -1)],
)
def test_corners_are_the_rectangles_round_what_hangs_together(kind: str, down: int, right: int) -> None:
    grain = np.random.default_rng(0)
    level, upright = scattered(grain, 20, 3), scattered(grain, 3, 20)
    together = cv2.bitwise_and(arm(level, 0, right), arm(upright, down, 0))
    expected = cv2.connectedComponentsWithStats(together, connectivity=8)[2][1:, :4]

    corners = getattr(trace(Lines.of(level, upright)), kind)

    found = np.stack([corners.columns.first, corners.rows.first, corners.columns.last, corners.rows.last], 1)
    found[:, 2:] += 1 - found[:, :2]
    assert len(found) > 20
    assert sorted(found.tolist()) == sorted(expected.tolist())


def test_pixels_of_a_mask_are_counted_as_far_as_a_rectangle_is_on_the_page() -> None:
    lines = Lines.of(np.full((10, 20), 255, np.uint8), np.zeros((10, 20), np.uint8))
    left, top, right, bottom = (np.array(edge) for edge in ([-5, 3], [2, 8], [4, 30], [5, 12]))

    assert inked(lines.level_sums, left, top, right, bottom).tolist() == [12, 34]
