from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.made_digits import made_dataset
from training.compare import choose_winner, compare
from training.errors import RunMismatch, TrainingError
from training.gallery import Gallery
from training.model_card import DIGITS
from training.recipe import Recipe
from training.report import write_model_card
from training.scorecard import Score, Scorecard
from worker.recogniser import Recogniser

RECIPES = (Recipe("convolution", epochs=3, batch=32), Recipe("dropout", seed=1, epochs=2, batch=32))
DATASET = made_dataset()


@pytest.fixture(scope="module")
def interrupted_comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison that was stopped in its second model and started again."""
    out = tmp_path_factory.mktemp("comparison")

    def interrupt(what: str, step: int, _steps: int) -> None:
        if what == "dropout-seed1 epoch 2/2" and step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(DATASET, out, RECIPES, weights=None, watch=interrupt)
    shown: list[str] = []
    compare(DATASET, out, RECIPES, weights=None, watch=lambda what, *_: shown.append(what))
    assert {what for what in shown if "epoch" in what} == {"dropout-seed1 epoch 2/2"}
    return out


def scorecards(out: Path) -> list[Scorecard]:
    return [Scorecard.read(out / "scorecards" / f"{recipe.name}.json") for recipe in RECIPES]


def right_of_hundred(right: int, log_loss: float = 0.1) -> Score:
    """Return the score of a model that was shown a hundred noughts."""
    return Score(((right, 100 - right, *[0] * 8), *[(0,) * 10] * 9), log_loss)


@pytest.fixture
def card(interrupted_comparison: Path) -> Callable[..., Scorecard]:
    """Make scorecards: a real one with a score, a size and a speed of its own."""
    real = scorecards(interrupted_comparison)[0]

    def make(
        right: int, distorted: int = 90, *, size: int = 900_000, speed: float = 2e4, log_loss: float = 0.1
    ) -> Scorecard:
        return replace(
            real,
            validation=right_of_hundred(right, log_loss),
            distorted_validation=right_of_hundred(distorted),
            onnx_bytes=size,
            digits_per_second={"64": speed},
        )

    return make


def test_an_interrupted_comparison_ends_with_a_card_for_each_model(interrupted_comparison: Path) -> None:
    for card, recipe in zip(scorecards(interrupted_comparison), RECIPES, strict=True):
        assert card.recipe == recipe
        assert len(card.curve) == recipe.epochs
        assert card.validation.images == len(DATASET.validation)
        assert card.test is not None
        assert card.test.images == len(DATASET.test)
        assert card.distorted_validation is not None
        assert card.distorted_validation.images == len(DATASET.validation)
        assert card.digits_per_second.keys() == {"1", "64", "256"}
        assert card.onnx_bytes == pytest.approx(card.parameters * 4, rel=0.05)


def test_the_winner_is_a_model_that_the_worker_reads_with(interrupted_comparison: Path) -> None:
    recogniser = Recogniser.load(interrupted_comparison / "digits.onnx")
    winner = choose_winner(scorecards(interrupted_comparison))

    right = recogniser(DATASET.test.glyphs).argmax(axis=1) == DATASET.test.labels
    assert recogniser.card.test_accuracy == pytest.approx(right.mean())
    assert winner.test is not None
    assert recogniser.card.test_accuracy == winner.test.accuracy
    assert recogniser.card.classes == DIGITS


def test_a_scorecard_is_read_back_as_it_was_written(interrupted_comparison: Path, tmp_path: Path) -> None:
    for card in scorecards(interrupted_comparison):
        card.write(tmp_path / "card.json")

        assert Scorecard.read(tmp_path / "card.json") == card


def test_the_model_card_shows_every_run_and_draws_its_pictures(
    interrupted_comparison: Path, tmp_path: Path
) -> None:
    write_model_card(interrupted_comparison / "scorecards", tmp_path / "card.md")

    page = (tmp_path / "card.md").read_text()
    pictures = sorted(picture.name for picture in (tmp_path / "card").glob("*.png"))
    assert len(pictures) == 4
    assert all(f"](card/{picture})" in page for picture in pictures)
    assert all(recipe.name in page for recipe in RECIPES)


def test_the_pictures_show_the_glyphs_themselves(interrupted_comparison: Path, tmp_path: Path) -> None:
    shutil.copytree(interrupted_comparison / "scorecards", tmp_path / "scorecards")
    gallery = Gallery.read(tmp_path / "scorecards" / "gallery.json")
    replace(gallery, samples=()).write(tmp_path / "scorecards" / "gallery.json")
    write_model_card(interrupted_comparison / "scorecards", tmp_path / "card.md")
    write_model_card(tmp_path / "scorecards", tmp_path / "empty.md")

    def black_pixels(page: str) -> int:
        picture = cv2.imread(str(tmp_path / page / "sample-predictions.png"), cv2.IMREAD_GRAYSCALE)
        return int(np.count_nonzero(np.asarray(picture) < 128))

    assert black_pixels("card") > 24 * 28
    assert black_pixels("empty") == 0


def test_the_same_folder_with_other_data_is_refused(interrupted_comparison: Path) -> None:
    other = replace(DATASET, sources={"made": "elsewhere"})

    with pytest.raises(RunMismatch, match="another recipe or other data"):
        compare(other, interrupted_comparison, RECIPES, weights=None, watch=lambda *_: None)


def test_without_test_images_nothing_is_trained(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="t10k"):
        compare(
            replace(DATASET, test=DATASET.test[:0]), tmp_path, RECIPES, weights=None, watch=lambda *_: None
        )

    assert list(tmp_path.iterdir()) == []


def test_the_most_accurate_model_that_is_small_and_fast_enough_wins(card: Callable[..., Scorecard]) -> None:
    heavy, slow = card(99, size=4_000_001), card(98, speed=7_999)
    best, second = card(97), card(96, speed=90_000)

    assert choose_winner([second, heavy, slow, best]) is best


def test_digits_that_lie_askew_count_as_much_as_those_that_do_not(card: Callable[..., Scorecard]) -> None:
    upright, askew = card(99, 90), card(98, 96)

    assert choose_winner([upright, askew]) is askew
    assert choose_winner([card(99, 96), askew]) is not askew


def test_where_two_are_equally_accurate_the_surer_one_wins(card: Callable[..., Scorecard]) -> None:
    surer = card(97, log_loss=0.05)

    assert choose_winner([card(97), surer, card(97)]) is surer


def test_where_nothing_is_fit_to_ship_nobody_looks_at_the_test_images(card: Callable[..., Scorecard]) -> None:
    with pytest.raises(TrainingError, match="test images were not looked at"):
        choose_winner([card(99, speed=100)])
