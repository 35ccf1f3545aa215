from __future__ import annotations

import math

import pytest

from worker.reliability import EDGES, Outcome, expected_calibration_error, log_loss, reliability


def outcomes(confidence: float, count: int, right: int) -> list[Outcome]:
    return [(confidence, number < right) for number in range(count)]


def test_a_bin_shows_how_far_confidence_and_truth_are_apart() -> None:
    bins = reliability(outcomes(0.85, 400, 300) + outcomes(0.9995, 1000, 1000))

    assert [(each.count, each.right) for each in bins] == [(400, 0.75), (1000, 1.0)]
    assert bins[0].gap == pytest.approx(0.10)
    assert expected_calibration_error(bins) == pytest.approx((400 * 0.10 + 1000 * 0.0005) / 1400)


def test_bins_with_few_outcomes_are_joined_with_the_next() -> None:
    bins = reliability(outcomes(0.55, 150, 75) + outcomes(0.65, 150, 100) + outcomes(0.97, 300, 290))

    assert [(each.low, each.high, each.count) for each in bins] == [(0.0, 0.7, 300), (0.7, 0.98, 300)]


def test_every_outcome_is_in_a_bin_the_surest_and_the_last_few_too() -> None:
    everything = outcomes(1.0, 3, 3) + [(edge, True) for edge in EDGES] + outcomes(0.3, 500, 100)

    assert sum(each.count for each in reliability(everything)) == len(everything)
    assert reliability([]) == ()
    assert expected_calibration_error(()) == 0.0


def test_log_loss_makes_a_sure_mistake_dear() -> None:
    assert log_loss([(0.8, True), (0.8, False)]) == pytest.approx(-(math.log(0.8) + math.log(0.2)) / 2)
    assert log_loss([(1.0, False)]) == pytest.approx(-math.log(1e-6))
    assert math.isnan(log_loss([]))
