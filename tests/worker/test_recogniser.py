from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto

from tests.worker.small_models import CARD, small_model
from training.dataset import load_dataset
from training.model_card import CLASSES, METADATA_KEY, Calibration, ErrorCurve
from worker.cli import main
from worker.errors import ModelRefused, PathUnreadable
from worker.recogniser import BATCH, Recogniser

MAX_BYTES = 4_000_000


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return path


def test_the_shipped_model_reads_mnist_and_is_small(shared_data: Path) -> None:
    recogniser = Recogniser.load()
    validation = load_dataset(shared_data / "mnist").validation

    right = recogniser(validation.glyphs).argmax(axis=1) == validation.labels

    assert recogniser.card.classes == CLASSES
    assert recogniser.card.calibration
    assert recogniser.card.field_errors
    # Calibrated for paper, where more is struck or no digit than in MNIST.
    assert right.mean() == pytest.approx(recogniser.card.validation_accuracy, abs=2e-3)
    assert right.mean() > 0.995
    assert recogniser.size <= MAX_BYTES


def test_a_model_is_named_by_the_hash_of_its_file(tmp_path: Path) -> None:
    content = small_model()

    recogniser = Recogniser.load(written(tmp_path, content))

    assert recogniser.sha256 == f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, 2 * BATCH + 1])
def test_any_number_of_glyphs_is_read_in_order(tmp_path: Path, count: int) -> None:
    recogniser = Recogniser.load(written(tmp_path, small_model()))
    glyphs = np.random.default_rng(1).integers(0, 255, (count, 28, 28), np.uint8)

    probabilities = recogniser(glyphs)

    assert probabilities.shape == (count, 10)
    assert probabilities.dtype == np.float32
    for glyph, row in zip(glyphs, probabilities, strict=True):
        np.testing.assert_allclose(recogniser(glyph[None])[0], row, atol=1e-5)


def test_the_columns_are_the_digits_then_struck_and_other_whatever_the_order_of_the_card(
    tmp_path: Path,
) -> None:
    glyphs = np.random.default_rng(1).integers(0, 255, (3, 28, 28), np.uint8)
    shuffled = ("other", *"9876543210", "struck")

    as_is, ordered = (
        Recogniser.load(written(tmp_path, small_model(replace(CARD, classes=classes))))(glyphs)
        for classes in (CLASSES, shuffled)
    )

    np.testing.assert_array_equal(ordered, as_is[:, [shuffled.index(label) for label in CLASSES]])


def test_probabilities_are_calibrated_as_the_card_says(tmp_path: Path) -> None:
    glyphs = np.random.default_rng(1).integers(0, 9, (3, 28, 28), np.uint8)
    calibration = Calibration(
        "by hand", tuple(np.linspace(1, 3, 10)), tuple(np.linspace(-1, 1, 10)), 0.99, "none"
    )
    plain, calibrated = (
        Recogniser.load(written(tmp_path, small_model(replace(CARD, calibration=each))))(glyphs)
        for each in (None, calibration)
    )

    scores = np.exp(np.log(plain) * calibration.scale + calibration.bias)
    np.testing.assert_allclose(calibrated, scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)


def test_a_session_uses_one_thread(tmp_path: Path) -> None:
    options = Recogniser.load(written(tmp_path, small_model())).session.get_session_options()

    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


REFUSED = {
    "no onnx": (b"a letter to the editor", "it is not an ONNX model"),
    "cut short": (small_model()[:-500], "it is not an ONNX model"),
    "another recipe": (
        small_model(replace(CARD, glyph_recipe="square-2")),
        "trained on glyphs of the recipe square-2, and this version makes mnist-mass-1",
    ),
    "no card": (small_model(None), "it carries no model card"),
    "a torn card": (small_model(metadata={METADATA_KEY: "{"}), "its model card is damaged"),
    "half a card": (
        small_model(metadata={METADATA_KEY: json.dumps({"glyph_recipe": "mnist-mass-1"})}),
        "its model card is damaged",
    ),
    "other glyphs": (
        small_model(side=32),
        r"its input is glyphs tensor\(uint8\) \(batch, 32, 32\); wanted is glyphs .* \(batch, 28, 28\)",
    ),
    "floats": (small_model(input_type=TensorProto.FLOAT), r"its input is glyphs tensor\(float\)"),
    "another output": (small_model(output_name="logits"), "its output is logits"),
    "more columns than classes": (
        small_model(columns=11),
        r"its output is .*\(batch, 11\); wanted .*\(batch, 10\)",
    ),
    "unknown classes": (
        small_model(replace(CARD, classes=("0", "cross"))),
        "its classes are 0, cross; wanted",
    ),
    "half calibrated": (
        small_model(replace(CARD, calibration=Calibration("by hand", (1.0,), (0.0,), 0.99, "none"))),
        "its calibration has another number of classes",
    ),
    "one at a time": (small_model(batch=1), "takes 1 glyphs at a time; wanted is any number"),
}


@pytest.mark.parametrize(("content", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_an_unfit_file_is_refused_and_the_sentence_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    path = written(tmp_path, content)

    with pytest.raises(ModelRefused, match=why) as refusal:
        Recogniser.load(path)

    assert str(path) in str(refusal.value)


def test_a_file_that_is_not_there_is_no_refusal_but_a_path_error(tmp_path: Path) -> None:
    with pytest.raises(PathUnreadable, match="No such file"):
        Recogniser.load(tmp_path / "gone.onnx")


def test_model_show_prints_the_card_of_the_shipped_model() -> None:
    shown = CliRunner().invoke(main, ["model", "show", "--json"])

    card = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert card["sha256"] == Recogniser.load().sha256
    assert card["glyph_recipe"] == "mnist-mass-1"


def test_model_show_of_a_named_file_speaks_in_lines(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["model", "show", str(written(tmp_path, small_model()))])

    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines() if len(line.split()) > 1)
    assert lines["architecture"] == "one matrix"
    assert lines["classes"] == "0 1 2 3 4 5 6 7 8 9"
    assert lines["validation_accuracy"] == "10.00%"


def test_model_show_says_how_the_model_was_calibrated_and_what_is_wrong(tmp_path: Path) -> None:
    calibration = Calibration("by hand", (1.5,) * 10, (0.25,) * 10, 0.99, "70 cells")
    card = replace(CARD, calibration=calibration, field_errors=ErrorCurve((0.0, 0.9), (400, 300), (12, 1)))

    shown = CliRunner().invoke(main, ["model", "show", str(written(tmp_path, small_model(card)))])

    assert "calibration          method by hand, scale 1.5 1.5" in shown.stdout
    assert "field_errors         12 of 400 wrong" in shown.stdout


def test_model_check_tells_fit_from_unfit_by_exit_code(tmp_path: Path) -> None:
    fit = CliRunner().invoke(main, ["model", "check", str(written(tmp_path, small_model()))])
    unfit = CliRunner().invoke(main, ["model", "check", str(written(tmp_path, b"no model"))])

    assert (fit.exit_code, unfit.exit_code) == (0, 9)
    assert "fit to read with, 10 classes" in fit.stdout
    assert "it is not an ONNX model" in unfit.stderr
