"""Calibration on made-up networks whose mistakes are known, and on a few drawn pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.made_digits import made_dataset
from tests.worker.small_models import CARD, small_model
from training.calibrate import calibrate, calibrated, certain_card, error_curve
from training.calibration_pages import BLANK_CELL, GLYPH, NO_GLYPH, CutPages, calibration_pages
from training.model_card import CLASSES, DIGITS, OTHER
from training.scaling import BENT, TEMPERATURE, VECTOR, fit_scaling, log_loss, log_scores, softmax
from training.score import classify, open_session
from worker.recogniser import Recogniser

RNG_SEED = 5


def drawn_by(scores: np.ndarray) -> np.ndarray:
    """A label for each row by chance, as probable as the scores say."""
    rng = np.random.default_rng(RNG_SEED)
    return np.array([rng.choice(scores.shape[1], p=row) for row in softmax(scores)])


def overconfident(cells: int, factors: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a network whose scores are the true ones less `shifts`, divided by `factors`."""
    true_scores = np.random.default_rng(RNG_SEED).normal(0, 2.0, (cells, len(factors)))
    return softmax((true_scores - shifts) / factors).astype(np.float32), drawn_by(true_scores)


def test_temperature_scaling_finds_the_factor_of_an_overconfident_network() -> None:
    probabilities, truth = overconfident(20_000, np.full(4, 0.5), np.zeros(4))

    fitted = fit_scaling(log_scores(probabilities), truth, TEMPERATURE)

    np.testing.assert_allclose(fitted.scale, 0.5, atol=0.02)
    np.testing.assert_array_equal(fitted.bias, 0.0)


def test_vector_scaling_finds_a_factor_and_a_shift_for_each_class() -> None:
    probabilities, truth = overconfident(20_000, np.full(4, 0.5), np.array([1.0, 0.0, -1.0, 0.0]))
    scores = log_scores(probabilities)

    fitted = fit_scaling(scores, truth, VECTOR)

    np.testing.assert_allclose(fitted.scale, 0.5, atol=0.05)
    np.testing.assert_allclose(fitted.bias - fitted.bias[1], [1.0, 0.0, -1.0, 0.0], atol=0.1)


def test_a_bend_draws_apart_what_label_smoothing_squeezed_together() -> None:
    true_scores = np.random.default_rng(RNG_SEED).normal(0, 3.0, (20_000, 4))
    truth = drawn_by(true_scores)
    scores = log_scores((0.9 * softmax(true_scores) + 0.025).astype(np.float32))

    straight, bent = (fit_scaling(scores, truth, method) for method in (VECTOR, BENT))

    assert straight.bend == 0.0
    assert bent.bend < -0.1
    assert log_loss(bent(scores), truth) < log_loss(straight(scores), truth)


def test_a_bend_the_other_way_is_none_lest_the_improbable_become_probable() -> None:
    true_scores = np.random.default_rng(RNG_SEED).normal(0, 2.0, (5_000, 4))
    truth = drawn_by(true_scores)
    logs = np.log(softmax(true_scores))

    assert fit_scaling(logs - 0.2 * logs**2, truth, BENT).bend == 0.0


def test_glyphs_of_which_nobody_knows_the_truth_do_not_count() -> None:
    probabilities, truth = overconfident(2_000, np.full(4, 0.5), np.zeros(4))
    scores = log_scores(probabilities)
    misleading = np.concatenate([scores, scores[:, ::-1]]), np.concatenate([truth, np.full(len(truth), -1)])

    both, known = fit_scaling(*misleading, BENT), fit_scaling(scores, truth, BENT)
    np.testing.assert_array_equal(both.scale, known.scale)
    np.testing.assert_array_equal(both.bias, known.bias)


def pages_of(fields: list[tuple[str, str]]) -> CutPages:
    """Pages of one field each, given as what is in its cells (a digit, _ blank, ? other) and what is cut."""
    cells, glyphs = [], 0
    for number, (true, cut) in enumerate(fields):
        for truth, ink in zip(true, cut, strict=True):
            label = {"_": BLANK_CELL, "?": CLASSES.index(OTHER)}.get(truth) or int(truth)
            cells.append((number, number, NO_GLYPH if ink == "_" else glyphs, label))
            glyphs += ink != "_"
    values = tuple(None if "?" in true else true.replace("_", "") for true, _ in fields)
    none = (False,) * len(fields)
    return CutPages(np.zeros((glyphs, 28, 28), np.uint8), np.array(cells, np.int32), values, none)


def said(labels: str, sure: float) -> np.ndarray:
    rows = np.full((len(labels), len(CLASSES)), (1 - sure) / (len(CLASSES) - 1))
    for row, label in zip(rows, labels, strict=True):
        row[CLASSES.index(OTHER) if label == "?" else int(label)] = sure
    return rows.astype(np.float32)


def test_curves_count_digits_and_fields_that_are_right_at_each_threshold() -> None:
    pages = pages_of([("_12", "_12"), ("34", "34"), ("5?", "5?"), ("6?", "66")] * 200)

    certainty = calibrate(said("12395?66" * 200, sure=0.9), CLASSES, pages)

    digits, fields = certainty.digit_errors, certainty.field_errors
    assert (digits.accepted[0], digits.wrong[0]) == (1400, 400)  # the ? that is read as such is no digit
    assert (fields.accepted[0], fields.wrong[0]) == (600, 400)  # nor is its field ever accepted


def test_what_may_be_a_part_of_a_field_counts_in_no_curve_of_fields() -> None:
    pages = replace(pages_of([("12", "12"), ("34", "34")] * 200), may_be_parts=(False, True) * 200)

    fields = calibrate(said("1235" * 200, sure=0.9), CLASSES, pages).field_errors

    assert (fields.accepted[0], fields.wrong[0]) == (200, 0)


def test_blank_is_as_sure_as_boxes_without_ink_around_digits_are_blank() -> None:
    pages = pages_of([("_1", "_1")] * 97 + [("21", "_1")] * 3 + [("2", "_")] * 50)

    assert calibrate(said("1" * 100, sure=0.9), CLASSES, pages).calibration.blank == pytest.approx(98 / 102)


def test_out_of_fold_one_scale_is_taken_where_a_scale_for_each_class_gains_nothing() -> None:
    probabilities, truth = overconfident(400, np.full(10, 0.5), np.zeros(10))
    cells = np.array([(page, page, page, label) for page, label in enumerate(truth)], np.int32)
    pages = CutPages(np.zeros((400, 28, 28), np.uint8), cells, tuple(map(str, truth)), (False,) * 400)

    calibration = calibrate(probabilities, DIGITS, pages).calibration

    assert calibration.method == TEMPERATURE
    assert calibration.scale == (calibration.scale[0],) * 10


def test_calibration_lowers_the_log_loss_on_pages_it_has_not_seen() -> None:
    probabilities, truth = overconfident(4_000, np.linspace(0.3, 0.6, 10), np.linspace(-1, 1, 10))
    scores = log_scores(probabilities)

    fitted = fit_scaling(scores[:2000], truth[:2000], VECTOR)

    before = log_loss(softmax(scores[2000:]), truth[2000:])
    assert log_loss(fitted(scores[2000:]), truth[2000:]) < 0.9 * before


def test_drawn_pages_are_cut_once_and_then_read_from_the_cache(tmp_path: Path) -> None:
    digits = made_dataset().validation

    drawn = calibration_pages(digits, tmp_path, pages=4)
    files = list(tmp_path.iterdir())
    kept = calibration_pages(digits, tmp_path, pages=4)

    assert [file.suffix for file in files] == [".npz"]
    np.testing.assert_array_equal(drawn.glyphs, kept.glyphs)
    np.testing.assert_array_equal(drawn.cells, kept.cells)
    assert (drawn.values, drawn.may_be_parts) == (kept.values, kept.may_be_parts)
    assert drawn.of_glyphs(GLYPH).tolist() == list(range(len(drawn.glyphs)))


def test_other_digits_or_seeds_are_other_pages(tmp_path: Path) -> None:
    digits = made_dataset().validation

    calibration_pages(digits, tmp_path, pages=1)
    calibration_pages(digits, tmp_path, pages=1, first_seed=7)
    calibration_pages(digits[:-1], tmp_path, pages=1)

    assert len(list(tmp_path.iterdir())) == 3


def test_a_model_is_calibrated_as_the_worker_reads_with_it(tmp_path: Path) -> None:
    pages = calibration_pages(made_dataset().validation, tmp_path, pages=6)
    model = small_model()

    card = certain_card(CARD, model, pages)
    path = tmp_path / "calibrated.onnx"
    path.write_bytes(small_model(card))

    assert card.calibration is not None
    expected = calibrated(classify(open_session(model), pages.glyphs), card.calibration)
    np.testing.assert_allclose(Recogniser.load(path)(pages.glyphs), expected, atol=1e-5)


def test_the_error_curve_of_labelled_digits_goes_by_what_is_most_probable() -> None:
    curve = error_curve(np.array([[0.95, 0.05], [0.4, 0.6], [0.8, 0.2]]), np.array([0, 0, 0]))

    of = dict(zip(curve.thresholds, zip(curve.accepted, curve.wrong, strict=True), strict=True))
    assert (of[0.0], of[0.9]) == ((3, 1), (1, 0))
