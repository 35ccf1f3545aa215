from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.made_digits import made_dataset
from training.architectures import build
from training.compare import choose_winner, compare
from training.dataset import Dataset
from training.errors import RunMismatch, TrainingError
from training.gallery import Gallery
from training.mixture import Watch
from training.model_card import DIGITS, Calibration, ModelCard
from training.recipe import Recipe
from training.report import write_model_card
from training.scorecard import Calibrated, Passed, Refusal, Score, Scorecard, Tally, tally_of
from training.trials import Trial
from worker.recogniser import Recogniser

BEGUN = Recipe("convolution", epochs=3, batch=32)
RECIPES = (BEGUN, Recipe("dropout", seed=1, epochs=2, batch=32))
ABLATION = (Recipe("deep", epochs=1, batch=100),)
DATASET = made_dataset()
STRUCK = np.tile(np.eye(28, dtype=np.uint8) * 255, (20, 1, 1))
TRIALS = (
    Trial(
        "drawn pages",
        DATASET.validation.glyphs,
        DATASET.validation.labels,
        ("pens",) * 60 + ("others",) * 40,
        255 - DATASET.validation.glyphs,
    ),
    Trial("marks", STRUCK, np.full(20, 10, np.uint8), ("slash",) * 20),
)


def certified(card: ModelCard, _model: bytes) -> ModelCard:
    """Calibrate so that everything is most probably a 4."""
    bias = tuple(9.0 * (label == "4") for label in card.classes)
    fours = Calibration("made", (0.01,) * len(bias), bias, 0.9, "none")
    return replace(card, note="certified", calibration=fours)


def compare_made(
    dataset: Dataset,
    out: Path,
    watch: Watch = lambda *_: None,
    recipes: tuple[Recipe, ...] = RECIPES,
    *,
    trained_only: bool = False,
) -> None:
    compare(
        dataset,
        out,
        recipes,
        ABLATION,
        trials=TRIALS,
        certify=certified,
        weights=None,
        watch=watch,
        trained_only=trained_only,
    )


@pytest.fixture(scope="module")
def interrupted_comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison that was stopped in its second model and started again."""
    out = tmp_path_factory.mktemp("comparison")

    def interrupt(what: str, step: int, _steps: int) -> None:
        if what == "dropout-seed1 epoch 2/2" and step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_made(DATASET, out, interrupt)
    shown: list[str] = []
    compare_made(DATASET, out, lambda what, *_: shown.append(what))
    assert {what for what in shown if "epoch" in what} == {"dropout-seed1 epoch 2/2", "deep-seed0 epoch 1/1"}
    return out


def scorecards(out: Path) -> list[Scorecard]:
    return [Scorecard.read(out / "scorecards" / f"{recipe.name}.json") for recipe in RECIPES]


def right_of_hundred(right: int) -> Score:
    """Return the score of a model that was shown a hundred noughts."""
    return Score(((right, 100 - right, *[0] * 8), *[(0,) * 10] * 9), log_loss=0.1)


@pytest.fixture
def card(interrupted_comparison: Path) -> Callable[..., Scorecard]:
    """Make scorecards: a real one with scores and sizes of its own."""
    real = scorecards(interrupted_comparison)[0]

    def make(
        pages: int,
        marks: int = 90,
        *,
        validation: int = 90,
        size: int = 900_000,
        work: int = 2_600_000,
        is_quantised: bool = True,
        speed: float = 2e4,
    ) -> Scorecard:
        """`pages`: digits on drawn pages read right, `marks`: marks not accepted; of a hundred each."""
        on_paper = {
            "drawn pages": {
                "pens": Tally(60, 60, 60, 60),
                "others": Tally(40, pages - 60, 40, pages - 60),
            }
        }
        passed = {"slash": Passed(100, 100 - marks), "lookalike letter": Passed(100, 100)}
        return replace(
            real,
            validation=right_of_hundred(validation),
            calibrated=Calibrated(right_of_hundred(validation), on_paper),
            refusals=(Refusal("drawn pages", 0.9, passed),),
            onnx_bytes=size,
            multiply_adds=work,
            is_quantised=is_quantised,
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
        assert card.trials["drawn pages"]["pens"].glyphs == 60
        assert card.trials["marks"]["slash"].as_digit == 20  # a model of ten classes takes all for digits
        assert card.digits_per_second.keys() == {"1", "64", "256"}
        assert card.onnx_bytes == pytest.approx(card.parameters * (1 if card.is_quantised else 4), rel=0.15)
        assert card.multiply_adds == 26 * 26 * 9 * 32 + 11 * 11 * 9 * 32 * 64 + 1600 * 128 + 128 * 10


def test_the_winner_is_a_model_that_the_worker_reads_with(interrupted_comparison: Path) -> None:
    recogniser = Recogniser.load(interrupted_comparison / "digits.onnx")
    winner = choose_winner(scorecards(interrupted_comparison))

    right = recogniser(DATASET.test.glyphs).argmax(axis=1) == DATASET.test.labels
    assert recogniser.card.test_accuracy == pytest.approx(right.mean())
    assert winner.calibrated is not None
    assert winner.calibrated.test is not None
    assert recogniser.card.test_accuracy == winner.calibrated.test.accuracy
    assert recogniser.card.classes == DIGITS


def test_the_winners_file_says_how_sure_it_may_be(interrupted_comparison: Path) -> None:
    assert Recogniser.load(interrupted_comparison / "digits.onnx").card.note == "certified"


def test_the_winners_weights_are_kept_to_learn_on_from(interrupted_comparison: Path) -> None:
    winner = choose_winner(scorecards(interrupted_comparison))
    model = build(winner.recipe.architecture)

    model.load_weights(interrupted_comparison / f"{winner.recipe.architecture}.weights.h5")

    right = model.predict_on_batch(DATASET.validation.glyphs).argmax(axis=1) == DATASET.validation.labels
    assert right.mean() == pytest.approx(winner.validation.accuracy, abs=0.02)


def test_scorecards_of_version_0_1_are_read(tmp_path: Path, interrupted_comparison: Path) -> None:
    card = scorecards(interrupted_comparison)[0]
    entries = json.loads((interrupted_comparison / "scorecards" / f"{card.recipe.name}.json").read_text())
    for name in ("trials", "multiply_adds", "peak_gflops", "is_quantised", "why_float", "computed_in"):
        del entries[name]
    (tmp_path / "old.json").write_text(json.dumps({**entries, "distorted_validation": None}))

    assert Scorecard.read(tmp_path / "old.json").validation == card.validation


def test_scorecards_from_before_there_was_a_choice_say_what_was_multiplied_in(
    tmp_path: Path, interrupted_comparison: Path
) -> None:
    card = scorecards(interrupted_comparison)[0]

    def computed_in(*, bfloat16: bool) -> str:
        replace(card, recipe=replace(card.recipe, bfloat16=bfloat16)).write(tmp_path / "card.json")
        entries = json.loads((tmp_path / "card.json").read_text())
        del entries["computed_in"]
        (tmp_path / "card.json").write_text(json.dumps(entries))
        return Scorecard.read(tmp_path / "card.json").computed_in

    assert [computed_in(bfloat16=True), computed_in(bfloat16=False)] == ["bfloat16", "float32"]


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
    assert "| MNIST as it is |" in page
    assert re.search(r"\| marks \| slash \| 20 \|", page)
    assert re.search(r"\| what is no digit \| accepted at [01]\.\d{3} \(drawn pages\) \|", page)


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


def test_a_run_may_learn_on_from_where_an_earlier_one_ended(
    interrupted_comparison: Path, tmp_path: Path
) -> None:
    shutil.copytree(interrupted_comparison, tmp_path / "runs")
    longer = replace(BEGUN, epochs=1, learning_rate=1e-9, starts_from=BEGUN.name)

    compare_made(DATASET, tmp_path / "runs", recipes=(BEGUN, longer))

    learnt = [build("convolution") for _ in range(2)]
    for model, recipe in zip(learnt, (BEGUN, longer), strict=True):
        model.load_weights(tmp_path / "runs" / recipe.name / "learnt.weights.h5")
    for before, after in zip(learnt[0].get_weights(), learnt[1].get_weights(), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-5)


def test_runs_that_exist_are_compared_without_training_the_others(
    interrupted_comparison: Path, tmp_path: Path
) -> None:
    shutil.copytree(interrupted_comparison, tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "scorecards")
    (tmp_path / "runs" / BEGUN.name / "scorecard.json").unlink()
    shown: list[str] = []

    compare_made(
        DATASET,
        tmp_path / "runs",
        lambda what, *_: shown.append(what),
        (*RECIPES, replace(BEGUN, seed=7)),
        trained_only=True,
    )

    assert not [what for what in shown if "epoch" in what]
    compared = {path.stem for path in (tmp_path / "runs" / "scorecards").glob("*-seed*.json")}
    assert compared == {recipe.name for recipe in RECIPES}


def test_a_folder_without_a_run_to_compare_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"runs holds no run at its end; compare without --trained-only"):
        compare_made(DATASET, tmp_path / "runs", lambda *_: None, RECIPES, trained_only=True)


def test_the_winners_card_says_how_many_marks_pass_where_one_digit_in_a_hundred_is_refused(
    interrupted_comparison: Path,
) -> None:
    cards = scorecards(interrupted_comparison)
    winner = choose_winner(cards)

    (refusal,) = winner.refusals
    assert refusal.digits == "drawn pages"
    assert refusal.kinds["slash"].glyphs == 20


def test_every_run_is_scored_as_it_comes_and_as_the_worker_reads_with_it(
    interrupted_comparison: Path,
) -> None:
    fours = (DATASET.test.labels == 4).mean()
    for card in scorecards(interrupted_comparison):
        assert card.calibrated
        assert card.calibrated.test
        assert card.test
        assert card.test.accuracy > card.calibrated.test.accuracy == pytest.approx(fours)
        pens = card.calibrated.trials["drawn pages"]["pens"]
        assert (
            pens.right
            == (DATASET.validation.labels[:60] == 4).sum()
            < card.trials["drawn pages"]["pens"].right
        )


def test_the_same_folder_with_other_data_is_refused(interrupted_comparison: Path) -> None:
    other = replace(DATASET, sources={"made": "elsewhere"})

    with pytest.raises(RunMismatch, match="another recipe or other data"):
        compare_made(other, interrupted_comparison)


def test_without_test_images_nothing_is_trained(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="t10k"):
        compare_made(replace(DATASET, test=DATASET.test[:0]), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_most_accurate_model_that_is_small_enough_wins(card: Callable[..., Scorecard]) -> None:
    heavy, slow = card(99, size=4_000_001), card(98, work=15_000_001)
    slow_in_float32 = card(98, work=4_000_001, is_quantised=False)
    best, second = card(97, work=15_000_000), card(96, work=4_000_000, is_quantised=False)

    assert choose_winner([second, heavy, slow, slow_in_float32, best]) is best
    assert choose_winner([second]) is second


def test_a_slow_machine_chooses_as_a_fast_one(card: Callable[..., Scorecard]) -> None:
    best = card(97, speed=40)

    assert choose_winner([card(96, speed=90_000), best]) is best


def test_marks_that_are_taken_for_digits_count_as_much_as_misread_digits(
    card: Callable[..., Scorecard],
) -> None:
    reader, doubter = card(99, 90), card(98, 96)

    assert choose_winner([reader, doubter]) is doubter
    assert choose_winner([card(99, 96), doubter]) is not doubter


def test_letters_that_look_like_digits_are_held_against_nobody(card: Callable[..., Scorecard]) -> None:
    (refusal,) = card(99, 95).refusals
    kinds = {"slash": Tally(100, 95, 5, 0), "lookalike letter": Tally(100, 0, 100, 0)}

    assert refusal.passed == Passed(100, 5)
    assert tally_of({"marks": kinds}, "marks") == kinds["slash"]


def test_mnist_decides_only_between_models_that_read_paper_equally_well(
    card: Callable[..., Scorecard],
) -> None:
    better = card(97, validation=95)

    assert choose_winner([card(97), better, card(97)]) is better
    assert choose_winner([card(96, validation=100), better]) is better


def test_a_run_that_was_not_tried_cannot_win(card: Callable[..., Scorecard]) -> None:
    with pytest.raises(TrainingError, match="was not compared"):
        choose_winner([replace(card(99), calibrated=None)])


def test_where_nothing_is_fit_to_ship_nobody_looks_at_the_test_images(card: Callable[..., Scorecard]) -> None:
    with pytest.raises(TrainingError, match="test images were not looked at"):
        choose_winner([card(99, work=20_000_000)])
