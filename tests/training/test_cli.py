from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.training.made_digits import made_digits
from training import calibration_pages, experiments, quantisation
from training.calibration_pages import CutPages
from training.cli import cli
from training.fit import LEARNT
from training.recipe import Recipe
from training.score import open_model
from worker.recogniser import Recogniser

LABELLED = made_digits(100)
GLYPHS = LABELLED.glyphs
CELLS = np.array([(n // 2, n, n, label) for n, label in enumerate(LABELLED.labels)], np.int32)

WITHOUT_TENSORFLOW = """
import sys
class Uninstalled:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "h5py", "onnx", "tf2onnx", "matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Uninstalled())
"""


def train(*words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    argv = ["digitmill-train", *words]
    code = f"{before}\nimport sys\nfrom training.cli import main\nsys.argv = {argv!r}\nmain()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "--out", "nowhere"),
        ("fit", "--architecture", "dropout", "--out", "nowhere"),
        ("export", "nowhere", "-o", "nowhere.onnx"),
        ("learn", "dropout-seed0", "--out", "nowhere"),
        ("report",),
    ],
)
def test_without_tensorflow_the_extra_to_install_is_named(words: tuple[str, ...]) -> None:
    ended = train(*words, before=WITHOUT_TENSORFLOW)

    assert ended.returncode == 2
    assert "pip install 'digitmill[training]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_needs_no_tensorflow() -> None:
    ended = train("--help", before=WITHOUT_TENSORFLOW)

    assert ended.returncode == 0
    assert all(command in ended.stdout for command in ("compare", "fit", "score", "export", "report"))


def test_bad_data_ends_with_a_sentence_and_exit_code_8(tmp_path: Path) -> None:
    ended = train(
        "fit", "--architecture", "dropout", "--data", str(tmp_path / "gone"), "--out", str(tmp_path)
    )

    assert ended.returncode == 8
    assert "gone does not exist" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_not_there_ends_with_its_path_and_exit_code_5(tmp_path: Path) -> None:
    ended = train("score", str(tmp_path / "gone.onnx"))

    assert ended.returncode == 5
    assert "gone.onnx: No such file" in ended.stderr


def test_a_file_that_is_no_model_ends_with_a_sentence_and_exit_code_9(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    x, y = (digits := made_digits(60)).glyphs, digits.labels
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)

    ended = train("score", str(tmp_path / "model.onnx"), "--data", str(tmp_path))

    assert ended.returncode == 9
    assert "model.onnx is no model that reads digits" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_finished_run_is_exported_as_it_ships_small_and_calibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        calibration_pages,
        "_cut",
        lambda *_: CutPages(GLYPHS, CELLS, ("3",) * len(GLYPHS), (False,) * len(GLYPHS)),
    )
    monkeypatch.setattr(quantisation, "MOST_CHANGED", 1.0)  # so little was learnt that much is doubtful
    monkeypatch.setattr(quantisation, "MOST_LOG_LOSS", 2.0)
    digits = made_digits(1_200)
    x, y = digits.glyphs, digits.labels
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    words = ["--data", str(tmp_path / "mnist.npz")]
    run, shipped = tmp_path / "run", tmp_path / "shipped.onnx"

    def say(*said: str) -> None:
        ended = CliRunner().invoke(cli, [*said, *words])
        assert ended.exit_code == 0, ended.output

    say("fit", "--architecture", "convolution", "--epochs", "2", "--out", str(run))
    say("export", str(run), "-o", str(shipped))

    learnt, exported = open_model(run / "model.onnx"), open_model(shipped)
    assert learnt.card.calibration is None
    assert exported.card.calibration is not None
    assert exported.card.architecture == "convolution"
    assert len(exported.content) < 300_000  # 900,000 in float32
    assert Recogniser.load(shipped).card == exported.card


def test_a_run_of_the_comparison_is_learnt_apart_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "RECIPES", (Recipe("convolution", epochs=1, batch=100),))
    digits = made_digits(240)
    x, y = digits.glyphs, digits.labels
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])

    ended = CliRunner().invoke(
        cli,
        [
            *["learn", "convolution-seed0", "--data", str(tmp_path / "mnist.npz")],
            *["--out", str(tmp_path / "runs")],
        ],
    )

    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "runs" / "convolution-seed0" / LEARNT).exists()


def test_an_unknown_run_is_a_matter_of_usage_and_the_known_ones_are_named() -> None:
    ended = train("learn", "dropout-seed9", "--out", "nowhere")

    assert ended.returncode == 2
    assert "no run is called dropout-seed9; there are convolution-seed0" in ended.stderr


def test_an_unknown_option_is_a_matter_of_usage() -> None:
    assert train("compare", "--fast").returncode == 2
