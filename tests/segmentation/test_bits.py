"""Masks with 64 pixels to a word do what OpenCV does with a byte each."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.bits import closed, edged, moved, opened, outlines, packed, spread, stretches, unpacked

HEIGHT = 90
Mask = np.ndarray


@pytest.fixture(params=[64, 70, 127, 200])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def print_(width: int, share: float) -> Mask:
    return np.where(np.random.default_rng(width).random((HEIGHT, width)) < share, 255, 0).astype(np.uint8)


def bar(length: int, *, upright: bool) -> Mask:
    return np.ones((length, 1) if upright else (1, length), np.uint8)


def test_what_is_packed_is_unpacked_as_it_was(width: int) -> None:
    mask = print_(width, 0.5)

    assert np.array_equal(unpacked(packed(mask), width), mask)


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("length", [5, 13])
def test_runs_that_are_long_enough_stay_and_edges_count_as_print(
    width: int, length: int, upright: bool
) -> None:
    mask, half = print_(width, 0.8), length // 2
    expected = cv2.morphologyEx(mask, cv2.MORPH_OPEN, bar(length, upright=upright))

    runs = opened(edged(packed(mask), width, half, half, upright=upright), length, upright=upright)

    on_page = runs[half : half + HEIGHT] if upright else runs[:, 1:-1]
    assert np.array_equal(unpacked(on_page, width), expected)


@pytest.mark.parametrize("upright", [False, True])
def test_bits_are_made_longer_on_both_sides(width: int, upright: bool) -> None:
    mask = print_(width, 0.05)

    longer = unpacked(spread(packed(mask), 4, width, upright=upright), width)

    assert np.array_equal(longer, cv2.dilate(mask, bar(9, upright=upright)))


@pytest.mark.parametrize("upright", [False, True])
def test_spaces_are_closed_that_are_short_enough(upright: bool) -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10, [5, 9, 20]] = 255  # spaces of 3 and 10 px
    mask = mask.T.copy() if upright else mask

    line = unpacked(closed(packed(mask), 3, upright=upright), 40)

    line = line.T if upright else line
    assert np.flatnonzero(line[10]).tolist() == [5, 6, 7, 8, 9, 20]


def test_bits_move_from_word_to_word() -> None:
    mask = np.zeros((1, 200), np.uint8)
    mask[0, [60, 130]] = 255

    assert np.flatnonzero(unpacked(moved(packed(mask), 7), 200)).tolist() == [67, 137]
    assert np.flatnonzero(unpacked(moved(packed(mask), -7), 200)).tolist() == [53, 123]


def test_stretches_of_bits_begin_and_end_where_those_of_the_mask_do(width: int) -> None:
    mask = print_(width, 0.5)
    padded = np.pad(mask > 0, ((0, 0), (1, 1)))

    first, last, row = stretches(packed(mask))

    for places, edge in (
        (first, padded[:, 1:-1] & ~padded[:, :-2]),
        (last, padded[:, 1:-1] & ~padded[:, 2:]),
    ):
        y, x = np.nonzero(edge)
        assert np.array_equal(places, y * row + x)


def test_outlines_are_what_erosion_by_a_cross_takes_away(width: int) -> None:
    mask = print_(width, 0.9)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask, cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)

    assert np.array_equal(unpacked(outlines(packed(mask)), width), cv2.subtract(mask, inner))
