from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.forms.ink import Ink
from training.forms.marks import MARKS, draw_mark
from training.forms.pen import PenDigits, random_hand

HEIGHT = 48


def drawn(kind: str, seed: int) -> Ink:
    rng = np.random.default_rng(seed)
    return draw_mark(kind, HEIGHT, rng, PenDigits(random_hand(rng)))


def spread(ink: Ink) -> tuple[int, int]:
    """Return how wide and how high the ink itself is."""
    _, _, width, height = cv2.boundingRect((ink > 60).astype(np.uint8))
    return width, height


@pytest.mark.parametrize("kind", MARKS)
def test_every_kind_is_ink_as_high_as_the_digits_of_its_writer_or_higher(kind: str) -> None:
    for seed in range(20):
        ink = drawn(kind, seed)
        assert ink.dtype == np.uint8
        assert ink.shape[0] >= HEIGHT
        assert ink.max() > 16
        assert np.array_equal(ink, drawn(kind, seed))


def test_dashes_are_flat_and_single_slashes_lean_more_than_a_one() -> None:
    for seed in range(40):
        width, height = spread(drawn("dash", seed))
        assert width > 0.8 * height
    leaning = [width / height for width, height in (spread(drawn("slash", seed)) for seed in range(40))]
    assert np.mean(np.array(leaning) > 1) > 0.2


def test_a_cross_has_ink_in_its_middle_and_at_its_four_ends() -> None:
    for seed in range(20):
        ink = drawn("cross", seed)
        x, y, width, height = cv2.boundingRect((ink > 60).astype(np.uint8))
        cross = cv2.resize(ink[y : y + height, x : x + width], (9, 9), interpolation=cv2.INTER_AREA)
        assert cross[3:6, 3:6].max() > 60
        assert min(part.max() for part in (cross[:3, :3], cross[:3, 6:], cross[6:, :3], cross[6:, 6:])) > 30
        assert max(cross[0, 4], cross[8, 4]) < cross.max()


def test_a_crossed_out_digit_has_more_ink_than_the_digit() -> None:
    for seed in range(20):
        written: list[Ink] = []

        def writer(digit: int, height: float, rng: np.random.Generator, _into: list[Ink] = written) -> Ink:
            _into.append(PenDigits(random_hand(rng))(digit, height, rng))
            return _into[-1]

        struck = draw_mark("crossed-out digit", HEIGHT, np.random.default_rng(seed), writer)
        assert (struck > 100).sum() > 1.15 * (written[0] > 100).sum()


def test_two_digits_are_two_pieces_of_ink_more_often_than_not() -> None:
    pieces = [
        cv2.connectedComponents((drawn("two digits", seed) > 60).astype(np.uint8))[0] - 1
        for seed in range(40)
    ]

    assert np.mean(np.array(pieces) >= 2) > 0.5


def test_a_kind_that_is_not_known_is_refused() -> None:
    with pytest.raises(KeyError):
        drawn("doodle", 0)
