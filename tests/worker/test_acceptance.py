from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.worker.small_models import CARD, small_model
from training.model_card import Calibration, ErrorCurve
from worker.acceptance import ACCEPT_NOTHING, error_bound, reading_rules, refuse_beyond_promise, threshold_for
from worker.errors import BadSettings
from worker.settings import Settings

CURVE = ErrorCurve((0.0, 0.5, 0.9, 0.99, 0.999), (10_000, 9_500, 9_000, 8_000, 900), (400, 150, 60, 2, 0))
CALIBRATION = Calibration("temperature scaling", (1.0,) * 10, (0.0,) * 10, 0.994, "cells of a test")
MEASURED = replace(CARD, field_errors=CURVE, calibration=CALIBRATION)


def settings(**values: float) -> Settings:
    return Settings.read(**values)


@pytest.mark.parametrize(
    ("wrong", "trials", "bound"),
    [
        (0, 2_995, 0.001),  # the rule of three, exactly
        (0, 10, 0.2589),  # one-sided, as binom.test(0, 10, alternative = "less") has it
        (3, 10, 0.6066),
        (10, 10, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_bound_is_that_of_clopper_and_pearson(wrong: int, trials: int, bound: float) -> None:
    assert error_bound(wrong, trials) == pytest.approx(bound, abs=1e-4)


def test_the_lowest_threshold_is_taken_whose_bound_keeps_the_target() -> None:
    assert threshold_for(CURVE, 0.05) == 0.0
    assert threshold_for(CURVE, 0.01) == 0.9  # 60 of 9,000: 0.67 %, at most 0.83 %
    assert threshold_for(CURVE, 0.007) == 0.99  # 0.67 % is less, its bound is not
    assert threshold_for(CURVE, 0.0005) is None  # none wrong of 900 says no more than 0.33 %


@pytest.mark.parametrize("target", [0.3, 0.05, 0.01, 0.002])
def test_a_threshold_and_its_bound_agree(target: float) -> None:
    for threshold, accepted, wrong in zip(CURVE.thresholds, CURVE.accepted, CURVE.wrong, strict=True):
        single = ErrorCurve((threshold,), (accepted,), (wrong,))
        assert (threshold_for(single, target) is not None) == (error_bound(wrong, accepted) <= target)


def test_the_target_of_the_batch_goes_before_what_is_set() -> None:
    set_by_hand = settings(accept_confidence=0.42, target_error=0.05)

    assert reading_rules(set_by_hand, MEASURED, 0.01).accept_confidence == 0.9
    assert reading_rules(set_by_hand, MEASURED, None).accept_confidence == 0.42
    assert reading_rules(settings(target_error=0.05), MEASURED, None).accept_confidence == 0.0


def test_where_the_target_cannot_be_promised_nothing_is_accepted() -> None:
    assert reading_rules(settings(), MEASURED, 0.0001).accept_confidence == ACCEPT_NOTHING


def test_a_model_without_a_curve_goes_by_confidence_alone() -> None:
    assert reading_rules(settings(), CARD, None).accept_confidence == 0.9


def test_a_target_that_a_batch_names_is_not_forgotten_where_a_model_knows_no_errors() -> None:
    assert reading_rules(settings(accept_confidence=0.99), CARD, 0.001).accept_confidence == ACCEPT_NOTHING


def test_a_promise_holds_though_the_lowest_of_many_thresholds_is_taken() -> None:
    rng = np.random.default_rng(0)

    def is_promised() -> bool:
        outcomes = zip(rng.uniform(0, 1, 4_000).tolist(), (rng.random(4_000) > 0.0101).tolist(), strict=True)
        return threshold_for(ErrorCurve.count(outcomes), 0.01) is not None

    assert sum(is_promised() for _ in range(60)) <= 3  # one in twenty


def test_how_sure_blank_is_comes_from_the_calibration() -> None:
    assert reading_rules(settings(), MEASURED, None).blank_confidence == 0.994


def test_a_target_beyond_the_promise_is_refused_with_the_best_there_is(tmp_path: Path) -> None:
    model = tmp_path / "measured.onnx"
    model.write_bytes(small_model(MEASURED))

    refuse_beyond_promise(Settings.read(model=model), 0.01)
    with pytest.raises(BadSettings, match=r"0\.010% cannot be promised.* 10,000 fields.* 0\.105%"):
        refuse_beyond_promise(Settings.read(model=model), 0.0001)


def test_a_model_without_a_curve_promises_no_target(tmp_path: Path) -> None:
    model = tmp_path / "unmeasured.onnx"
    model.write_bytes(small_model(CARD))

    with pytest.raises(BadSettings, match="carries no error curve"):
        refuse_beyond_promise(Settings.read(model=model), 0.01)


def test_a_target_that_is_set_and_cannot_be_promised_is_refused_too(tmp_path: Path) -> None:
    model = tmp_path / "measured.onnx"
    model.write_bytes(small_model(MEASURED))

    refuse_beyond_promise(Settings.read(model=model), None)
    refuse_beyond_promise(Settings.read(model=model, target_error=0.0001, accept_confidence=0.9), None)
    with pytest.raises(BadSettings, match="cannot be promised"):
        refuse_beyond_promise(Settings.read(model=model, target_error=0.0001), None)
