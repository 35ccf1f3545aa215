from __future__ import annotations

import numpy as np

from tests.worker.small_models import small_model
from training.score import matrix_product_peak, open_session, try_on
from training.trials import Trial

SESSION = open_session(small_model())
GLYPHS = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
READ = np.argmax(SESSION.run(None, {"glyphs": GLYPHS})[0], axis=1).astype(np.uint8)


def test_a_trial_is_counted_by_the_groups_of_its_glyphs() -> None:
    labels = READ.copy()
    labels[[0, 1, 30]] = (READ[[0, 1, 30]] + 1) % 10

    tallies = try_on(SESSION, Trial("made", GLYPHS, labels, ("pens",) * 30 + ("others",) * 10))

    assert (tallies["pens"].glyphs, tallies["pens"].right) == (30, 28)
    assert (tallies["others"].glyphs, tallies["others"].right) == (10, 9)
    assert tallies["pens"].stretched_right is None
    assert (tallies["pens"] + tallies["others"]).accuracy == 37 / 40


def test_what_is_no_digit_is_never_read_rightly_by_a_model_of_digits_alone() -> None:
    (tally,) = try_on(SESSION, Trial("made", GLYPHS, np.full(40, 10, np.uint8), ("cross",) * 40)).values()

    assert (tally.right, tally.as_digit) == (0, 40)


def test_uncleaned_boxes_are_counted_beside_the_cleaned_ones() -> None:
    trial = Trial("made", GLYPHS, READ, ("pens",) * 40, stretched=np.zeros_like(GLYPHS))

    (tally,) = try_on(SESSION, trial).values()

    assert tally.right == 40
    assert tally.stretched_right is not None
    assert tally.stretched_right < 40


def test_an_interval_is_the_published_one() -> None:
    labels = READ.copy()
    labels[:4] = (READ[:4] + 1) % 10
    (tally,) = try_on(SESSION, Trial("made", GLYPHS, labels, ("pens",) * 40)).values()

    np.testing.assert_allclose(tally.interval, (0.769, 0.960), atol=0.001)  # Wilson, 36 of 40


def test_the_peak_is_that_of_a_machine() -> None:
    assert 1 < matrix_product_peak() < 10_000
