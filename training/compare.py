"""All models side by side: trained, measured, the winner chosen on validation, and only then tested."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from segmentation.glyph import GLYPH_RECIPE
from training import export
from training.dataset import CLASSES, Dataset
from training.distortions import Distortion, distort
from training.errors import RunMismatch, TrainingError
from training.fit import fit
from training.gallery import Gallery
from training.mixture import Watch
from training.model_card import OPSET, ModelCard
from training.provenance import commit, machine
from training.recipe import Recipe
from training.score import BATCH_SIZES, classify, digits_per_second, open_session, score
from training.scorecard import Scorecard

MAX_ONNX_BYTES = 4_000_000
MIN_DIGITS_PER_SECOND = 8_000  # on one thread
WORKER_BATCH = 64
SEEDS = (0, 1, 2)
DISTORTION_SEED = 60_000  # of the validation digits; no training run draws with it

RECIPES = (
    *(Recipe("convolution", seed) for seed in SEEDS),
    *(Recipe("dropout", seed) for seed in SEEDS),
    Recipe("mobilenet", epochs=3),
    *(Recipe("dropout", seed, distortion=Distortion()) for seed in SEEDS),
)
"""The three models of the report, and the second again on digits turned, slanted, scaled and shifted."""


def compare(
    dataset: Dataset, out: Path, recipes: Iterable[Recipe], *, weights: Path | None, watch: Watch
) -> Gallery:
    """Train what is not trained yet, choose the winner on validation, then test all and export the winner.

    Leaves a folder for each run, `scorecards/` with a card for each and the winner's gallery, and
    `digits.onnx`. May be killed and started again at any moment. Raises TrainingError where there are no test
    images, and where no model is small and fast enough.
    """
    if not len(dataset.test):
        raise TrainingError(
            "a comparison ends on test images, and the data holds none; give MNIST with its t10k half"
        )
    cards = [train_and_export(recipe, dataset, out / recipe.name, weights, watch) for recipe in recipes]
    cards = [_compared(card, dataset, out) for card in cards]  # in one go, so that the figures go together
    winner = choose_winner(cards)
    for number, card in enumerate(cards, start=1):
        probabilities = classify(open_session(_model_of(card, out).read_bytes()), dataset.test.glyphs)
        tested = replace(card, test=score(probabilities, dataset.test))
        tested.write(out / "scorecards" / f"{card.recipe.name}.json")
        if card is winner:
            gallery = Gallery.hang(card.recipe.name, dataset.test, probabilities)
            export.save(onnx.load(_model_of(card, out)), model_card(tested), out / "digits.onnx")
        watch("test images", number, len(cards))
    gallery.write(out / "scorecards" / "gallery.json")
    return gallery


def train_and_export(
    recipe: Recipe, dataset: Dataset, folder: Path, weights: Path | None, watch: Watch
) -> Scorecard:
    """Return the scorecard of a run, which is made only if `folder` holds no finished one."""
    finished = folder / "scorecard.json"
    if finished.exists():
        card = Scorecard.read(finished)
        if (card.recipe, card.sources) != (recipe, dataset.sources):
            raise RunMismatch(
                f"{folder} holds a run of another recipe or other data; take another folder or remove it"
            )
        return card
    trained = fit(recipe, dataset, folder, weights=weights, watch=watch)
    graph = export.convert(trained.model, dataset.validation.glyphs)
    probabilities = classify(open_session(graph.SerializeToString()), dataset.validation.glyphs)
    card = Scorecard(
        recipe=recipe,
        curve=trained.curve,
        preparation_seconds=trained.preparation_seconds,
        parameters=trained.model.count_params(),
        onnx_bytes=graph.ByteSize(),
        validation=score(probabilities, dataset.validation),
        sources=dataset.sources,
        split=dataset.split,
        trained_on=datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit=commit(),
        machine=machine(),
        versions=export.versions(),
    )
    export.save(graph, model_card(card), folder / "model.onnx")
    card.write(finished)
    return card


def choose_winner(cards: Sequence[Scorecard]) -> Scorecard:
    """Return the most accurate of the runs that are small and fast enough to ship.

    What counts are the validation digits, as they are and distorted: people write aslant, forms lie askew.
    """
    fit_to_ship = [
        card
        for card in cards
        if card.onnx_bytes <= MAX_ONNX_BYTES
        and card.digits_per_second[str(WORKER_BATCH)] >= MIN_DIGITS_PER_SECOND
    ]
    if not fit_to_ship:
        raise TrainingError(
            f"no model is under {MAX_ONNX_BYTES:,} bytes and reads {MIN_DIGITS_PER_SECOND:,} digits/s on one "
            "thread; nothing was chosen, and the test images were not looked at"
        )
    return max(fit_to_ship, key=lambda card: (_accuracy_to_choose_by(card), -card.validation.log_loss))


def _accuracy_to_choose_by(card: Scorecard) -> float:
    if card.distorted_validation is None:
        raise TrainingError(f"{card.recipe.name} was not compared; run digitmill-train compare")
    return (card.validation.accuracy + card.distorted_validation.accuracy) / 2


def model_card(card: Scorecard) -> ModelCard:
    """Return what a model file says of itself."""
    return ModelCard(
        architecture=card.recipe.family,
        glyph_recipe=GLYPH_RECIPE,
        classes=CLASSES[: len(card.validation.confusion)],  # runs of version 0.1 knew digits alone
        sources=card.sources,
        split=card.split,
        validation_accuracy=card.validation.accuracy,
        test_accuracy=card.test.accuracy if card.test else None,
        calibration=None,
        seed=card.recipe.seed,
        opset=OPSET,
        trained_on=card.trained_on,
        commit=card.commit,
        versions=card.versions,
    )


def _compared(card: Scorecard, dataset: Dataset, out: Path) -> Scorecard:
    """Return the scorecard with what decides, and can be measured without another look at the test images."""
    session = open_session(_model_of(card, out).read_bytes())
    digits = dataset.validation
    distorted = distort(digits.glyphs, Distortion(), np.random.default_rng(DISTORTION_SEED))
    return replace(
        card,
        digits_per_second={str(n): digits_per_second(session, digits.glyphs, n) for n in BATCH_SIZES},
        distorted_validation=score(classify(session, distorted), digits),
    )


def _model_of(card: Scorecard, out: Path) -> Path:
    return out / card.recipe.name / "model.onnx"
