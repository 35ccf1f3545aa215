"""A user's own digits: learnt, compared, put in place or refused, and nothing lost. Trains in seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from segmentation.glyph import GLYPH_RECIPE
from tests.training.own_images import digit_image, write_folders
from training import export, retrain
from training.architectures import deep
from training.calibrate import certain_card
from training.calibration_pages import calibration_pages
from training.cli import EXIT_CODES, cli, own
from training.dataset import Dataset, LabelledGlyphs
from training.errors import GateMissed, ModelUnreadable, TrainingError, WeightsUnreadable
from training.fit import fit, save_weights
from training.model_card import CLASSES, OPSET, Calibration, ModelCard
from training.paper import paper_marks, paper_pens
from training.recipe import Recipe
from worker.recogniser import Recogniser

ARCHITECTURE = "deep"
CALIBRATED_ON = 16  # pages
CARD = ModelCard(ARCHITECTURE, GLYPH_RECIPE, CLASSES, {}, "", 0.9, None, None, 0, OPSET, "2026-01-01", "none")


@dataclass(frozen=True)
class Shipped:
    """A model that knows drawn digits and marks, as if it shipped, and the folder of its weights."""

    model: Path
    weights: Path


@pytest.fixture(scope="module", autouse=True)
def narrow() -> Iterator[None]:
    """Learn with a narrow network, which is quicker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deep, "WIDTHS", (8, 16, 32))
        yield


@pytest.fixture(scope="module")
def shipped(narrow: None, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    folder = tmp_path_factory.mktemp("shipped")
    pens, marks = paper_pens(2_400, 1, folder), paper_marks(1_200, 1, folder)
    known = LabelledGlyphs(
        np.concatenate([pens.glyphs, marks.glyphs]), np.concatenate([pens.labels, marks.labels])
    )
    trained = fit(
        Recipe(ARCHITECTURE, epochs=4, batch=32, learning_rate=2e-3),
        Dataset(known, pens[:100], pens[:0], {}),
        folder / "run",
        cache=folder,
    )
    graph = export.convert(trained.model, pens.glyphs)
    pages = calibration_pages(pens, folder, pages=CALIBRATED_ON)
    card = certain_card(
        CARD, graph.SerializeToString(), pages
    )  # as what ships is, and what is compared with it
    export.save(graph, card, folder / "digits.onnx")
    save_weights(trained.model, folder / "weights" / f"{ARCHITECTURE}.weights.h5")
    return Shipped(folder / "digits.onnx", folder / "weights")


@pytest.fixture(autouse=True)
def small(shipped: Shipped, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rehearse, test and calibrate little, start from the small model, and have no MNIST."""
    monkeypatch.setattr(retrain, "REHEARSED", 800)
    monkeypatch.setattr(retrain, "TESTED", 400)
    monkeypatch.setattr(retrain, "SMALL_STEPS", 1e-3)  # there are few of them
    monkeypatch.setattr(retrain, "PAGES", CALIBRATED_ON)
    monkeypatch.setattr(retrain, "WEIGHTS", shipped.weights)
    monkeypatch.setattr(own, "SHIPPED_MODEL", shipped.model)
    monkeypatch.setattr(own, "KERAS_CACHE", tmp_path / "no" / "mnist.npz")


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of a hand that writes its 2, 4 and 7 from right to left, as no model expects."""
    folder = tmp_path_factory.mktemp("mirrored")
    for digit in (2, 4, 7):
        (folder / str(digit)).mkdir()
        for number in range(60):
            image = cv2.flip(digit_image(digit, 30 + number, number), 1)
            cv2.imwrite(str(folder / str(digit) / f"{number}.png"), image)
    return folder


def run(*words: str | Path) -> str:
    """Run `digitmill-train` and return what it said; an error that has an exit code of its own is raised."""
    ended = CliRunner().invoke(cli, [str(word) for word in words])
    if ended.exception:
        raise ended.exception
    return str(ended.stderr)


def files_in(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*.onnx")}


def test_own_digits_are_learnt_and_the_model_before_is_kept(
    mirrored: Path, shipped: Shipped, tmp_path: Path
) -> None:
    model = tmp_path / "models" / "ours.onnx"
    model.parent.mkdir()
    model.write_bytes(shipped.model.read_bytes())

    said = run("fit", "--data", mirrored, "--out", tmp_path / "run", "--replace", model, "--epochs", "4")

    recogniser = Recogniser.load(model)
    assert recogniser.card.classes == CLASSES
    assert recogniser.card.note == "trained from the shipped model on a user's own digits"
    assert recogniser.card.validation_accuracy > 0.5  # none of them was read before
    assert recogniser.card.calibration is not None
    assert recogniser.card.field_errors is not None
    kept = [file for file in model.parent.iterdir() if file != model]
    assert [file.read_bytes() for file in kept] == [shipped.model.read_bytes()]
    assert "180 images: 2: 60, 4: 60, 7: 60" in said
    assert "your images set aside" in said
    assert f"DIGITMILL_MODEL={model}" in said


def test_what_is_learnt_already_is_not_learnt_again(mirrored: Path, tmp_path: Path) -> None:
    words = ("fit", "--data", mirrored, "--out", tmp_path, "--epochs", "1", "--even-if-worse")
    run(*words)
    learnt = files_in(tmp_path)

    said = run(*words)

    assert f"{tmp_path / 'model.onnx'} has learnt these images already" in said
    assert files_in(tmp_path) == learnt
    assert "read right, by" in run(*words, "--seed", "1")


def test_models_are_compared_as_they_read_in_use_with_their_calibration(
    mirrored: Path, shipped: Shipped, tmp_path: Path
) -> None:
    never_a_digit = Calibration("made", (1.0,) * 12, (-30.0,) * 10 + (0.0, 0.0), 0.9, "none")
    export.save(onnx.load(shipped.model), replace(CARD, calibration=never_a_digit), tmp_path / "blind.onnx")

    said = run("fit", "--data", mirrored, "--out", tmp_path / "run", "--replace", tmp_path / "blind.onnx",
               "--epochs", "1", "--even-if-worse")  # fmt: skip

    assert re.search(r"pen strokes in drawn cells: 0 and [1-9]", said)


def test_a_model_that_is_no_better_replaces_nothing_unless_told_to(
    shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrain, "SMALL_STEPS", 1e-9)  # it learns nothing
    images = write_folders(tmp_path / "own", ("0", "1"), 25)
    out, before = tmp_path / "run", shipped.model.read_bytes()
    words = ("fit", "--data", images, "--out", out, "--epochs", "1")

    with pytest.raises(
        GateMissed, match=f"not shown to be better.*{shipped.model} stays as it is"
    ) as refused:
        run(*words)

    assert EXIT_CODES[type(refused.value)] == 10
    assert shipped.model.read_bytes() == before
    assert set(files_in(tmp_path)) == {out / "candidate.onnx"}

    run(*words, "--even-if-worse")

    assert (out / "model.onnx").read_bytes() == (out / "candidate.onnx").read_bytes()
    assert shipped.model.read_bytes() == before


def test_a_network_can_start_from_nothing(mirrored: Path, tmp_path: Path) -> None:
    run("fit", "--data", mirrored, "--architecture", ARCHITECTURE, "--out", tmp_path, "--epochs", "1",
        "--even-if-worse")  # fmt: skip

    note = Recogniser.load(tmp_path / "model.onnx").card.note
    assert note == "trained from nothing on a user's own digits"


def test_an_architecture_that_knows_digits_alone_is_refused() -> None:
    with pytest.raises(TrainingError, match="convolution tells 10 classes apart"):
        retrain.from_nothing("convolution", 0, 1)


def test_without_weights_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retrain, "WEIGHTS", tmp_path)

    with pytest.raises(WeightsUnreadable, match="name an --architecture to start from nothing"):
        retrain.from_shipped(0, 1)


def test_a_file_that_is_no_model_is_refused_before_anything_is_trained(
    mirrored: Path, tmp_path: Path
) -> None:
    (tmp_path / "ours.onnx").write_text("no model")

    with pytest.raises(ModelUnreadable, match=r"ours\.onnx is no model"):
        run("fit", "--data", mirrored, "--out", tmp_path / "run", "--replace", tmp_path / "ours.onnx")

    assert not (tmp_path / "run").exists()


def test_mnist_needs_an_architecture() -> None:
    ended = CliRunner().invoke(cli, ["fit", "--out", "nowhere"])

    assert ended.exit_code == 2
    assert "--architecture is needed" in ended.stderr
