"""Spots of a mask, told row by row, are those that OpenCV finds pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.bits import packed
from segmentation.spots import columns, find_spots

Mask = np.ndarray


def scattered(share: float) -> Mask:
    return np.where(np.random.default_rng(0).random((90, 150)) < share, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.6])
def test_spots_are_what_hangs_together_corner_to_corner_too(share: float) -> None:
    mask = scattered(share)
    expected = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]

    spots = find_spots(packed(mask))

    size = spots.width, spots.bottom - spots.top + 1
    pixels = np.add.reduceat(spots.last - spots.first + 1, spots.starts)
    found = np.stack([spots.left, spots.top, *size, pixels], axis=1)
    assert sorted(found.tolist()) == sorted(expected.tolist())


def test_some_of_the_spots_have_the_rows_they_had_among_all() -> None:
    mask = scattered(0.4)
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    spots = find_spots(packed(mask))
    some = spots[np.arange(len(spots))[::-3]]

    upper, lower, starts = some.rows_of_columns()

    for nth, start in enumerate(starts.tolist()):
        left, width = int(some.left[nth]), int(some.width[nth])
        spot = labels == labels[some.top[nth], some.first[some.starts[nth]]]
        rows = [np.flatnonzero(column) for column in spot[:, left : left + width].T]
        assert upper[start : start + width].tolist() == [row[0] for row in rows]
        assert lower[start : start + width].tolist() == [row[-1] for row in rows]


def test_a_rectangle_is_seen_from_above() -> None:
    mask = scattered(0.05)
    left, top, right, bottom = (
        np.array(edges) for edges in ([3, 60, 0], [0, 5, 80], [9, 140, 149], [4, 9, 89])
    )

    rect, column = columns(packed(mask), left, top, right, bottom)

    for nth in range(3):
        inside = mask[top[nth] : bottom[nth] + 1, left[nth] : right[nth] + 1]
        assert column[rect == nth].tolist() == (left[nth] + np.flatnonzero(inside.any(axis=0))).tolist()
