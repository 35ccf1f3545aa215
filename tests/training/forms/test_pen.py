from dataclasses import replace

import numpy as np
import pytest

from training.forms.pen import SHAPES, random_hand, write

RNG = np.random.default_rng
STEADY = replace(
    random_hand(RNG(1)), jitter=0.0, turn_degrees=0.0, size_spread=0.0, fickleness=0.0, slant=0.0
)
EUROPEAN = replace(
    STEADY, shapes=tuple("european" if digit == 1 else name for digit, name in enumerate(STEADY.shapes))
)


@pytest.mark.parametrize("digit", range(10))
def test_every_shape_of_every_digit_is_drawn_about_as_high_as_asked(digit: int) -> None:
    for shape in SHAPES[digit]:
        hand = replace(STEADY, shapes=(shape,) * 10)
        ink = write(digit, 60, hand, RNG(0))
        assert 55 <= ink.shape[0] <= 75, shape
        assert ink.max() > 100


def test_ink_is_cropped_to_what_was_drawn() -> None:
    ink = write(8, 60, STEADY, RNG(0))

    assert min(ink[0].max(), ink[-1].max(), ink[:, 0].max(), ink[:, -1].max()) > 16


def test_a_writer_is_consistent_and_two_writers_differ() -> None:
    steady = [write(4, 40, STEADY, RNG(0)).shape for _ in range(3)]

    assert len(set(steady)) == 1
    assert random_hand(RNG(1)) == random_hand(RNG(1)) != random_hand(RNG(2))


def test_a_european_one_is_wider_than_a_plain_stroke() -> None:
    plain = replace(STEADY, shapes=("oval", "stroke", *STEADY.shapes[2:]))

    assert write(1, 60, EUROPEAN, RNG(0)).shape[1] > 1.8 * write(1, 60, plain, RNG(0)).shape[1]


def test_a_felt_pen_leaves_more_ink_than_a_ballpoint() -> None:
    felt, ballpoint = replace(STEADY, pen_width=0.15, grain=0.0), replace(STEADY, pen_width=0.06, grain=0.0)

    assert write(5, 60, felt, RNG(0)).mean() > 1.5 * write(5, 60, ballpoint, RNG(0)).mean()
