"""All models side by side: trained, measured, the winner chosen on paper, and only then tested."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import onnx

from segmentation.glyph import GLYPH_RECIPE
from training import export
from training.calibrate import calibrated
from training.dataset import Dataset, LabelledGlyphs
from training.errors import RunMismatch, TrainingError
from training.files import replace_file
from training.fit import Fit, epochs_done, fit
from training.gallery import Gallery
from training.mixture import Watch
from training.model_card import CLASSES, OPSET, Calibration, ModelCard
from training.provenance import commit, machine
from training.quantisation import in_small_numbers
from training.recipe import Recipe
from training.refusal import refusals
from training.score import (
    BATCH_SIZES,
    Read,
    classify,
    digits_per_second,
    matrix_product_peak,
    open_session,
    score,
)
from training.scorecard import DRAWN_PAGES, MARKS, Calibrated, Score, Scorecard, Trials
from training.trials import Trial, try_on

MAX_ONNX_BYTES = 4_000_000
# What reads 10,000 digits/s on one thread of the model card's machine, whose processor has instructions for
# 8 bits (VNNI): 11.7 M in 8 bits were measured at 16,000 to 18,800 digits/s, 2.6 M in float32 at 17,900.
# A measured speed would choose another winner on another machine, and none on a slow one.
MAX_MULTIPLY_ADDS = 15_000_000  # to read one glyph, in 8 bits
MAX_MULTIPLY_ADDS_IN_FLOAT32 = 4_000_000
FINISHED, MODEL, WEIGHTS = "scorecard.json", "model.onnx", "learnt.weights.h5"  # in a run's folder

Certify = Callable[[ModelCard, bytes], ModelCard]
"""Adds to the card of an exported model how sure it may be."""


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """A graph that may ship, but for its calibration."""

    graph: onnx.ModelProto
    why_float: str  # why it is not in 8 bits; "" where it is
    multiply_adds: int  # to read one glyph
    validation: Score


def compare(
    dataset: Dataset,
    out: Path,
    recipes: Iterable[Recipe],
    ablation: Iterable[Recipe],
    *,
    trials: Sequence[Trial],
    certify: Certify,
    weights: Path | None,
    watch: Watch,
    trained_only: bool = False,
) -> Gallery:
    """Train what is not trained yet, choose the winner on paper, then test all and export the winner.

    `trained_only`: train nothing, compare those runs that `out` holds. What was trained to its end but has no
    scorecard is exported anew.

    Leaves a folder for each run, `scorecards/` with a card for each (those of the ablation in a folder of
    their own) and the winner's gallery, `digits.onnx`, and its weights to learn on from. May be killed and
    started again at any moment. Raises TrainingError where there are no test images, and where no model is
    small enough.
    """
    if not len(dataset.test):
        raise TrainingError(
            "a comparison ends on test images, and the data holds none; give MNIST with its t10k half"
        )
    train = partial(train_and_export, dataset=dataset, cache=out, weights=weights, watch=watch)
    folders = {recipe: out / recipe.name for recipe in recipes}
    parts = {recipe: out / "ablation" / recipe.name for recipe in ablation}
    if trained_only:
        folders, parts = _trained(folders), _trained(parts)
    cards = [train(recipe, folder=folder, start=_start(recipe, out)) for recipe, folder in folders.items()]
    for recipe, folder in parts.items():
        card = train(recipe, folder=folder)
        _tried(card, folder, trials).write(out / "scorecards" / "ablation" / f"{recipe.name}.json")
    peak = matrix_product_peak()
    cards = [  # in one go, so that the figures go together
        _timed(_tried(card, folders[card.recipe], trials), folders[card.recipe], dataset, peak)
        for card in cards
    ]
    winner = choose_winner(cards)
    for number, card in enumerate(cards, start=1):
        folder = folders[card.recipe]
        content = (folder / MODEL).read_bytes()
        certain = certify(model_card(card), content)
        read = _reader(content, certain.calibration)
        tested = replace(
            card,
            test=score(_reader(content)(dataset.test.glyphs), dataset.test),
            calibrated=Calibrated(
                score(read(dataset.validation.glyphs), dataset.validation),
                score(read(dataset.test.glyphs), dataset.test),
                _tallies(read, trials),
            ),
        )
        if card is winner:
            tested = replace(tested, refusals=refusals(trials, read))
            gallery = Gallery.hang(card.recipe.name, dataset.test, read(dataset.test.glyphs))
            _ship(tested, certain, folder, out)
        tested.write(out / "scorecards" / f"{card.recipe.name}.json")
        watch("test images", number, len(cards))
    gallery.write(out / "scorecards" / "gallery.json")
    return gallery


def _trained(folders: Mapping[Recipe, Path]) -> dict[Recipe, Path]:
    """Return the runs whose training is at its end."""
    return {
        recipe: folder
        for recipe, folder in folders.items()
        if (folder / FINISHED).exists() or epochs_done(folder) == recipe.epochs
    }


def _ship(card: Scorecard, certain: ModelCard, folder: Path, out: Path) -> None:
    """Export the winner with all that is known of it: how sure it is, and how it reads once calibrated."""
    if card.calibrated:
        accuracies = card.calibrated.validation.accuracy, card.calibrated.test.accuracy
        certain = replace(certain, validation_accuracy=accuracies[0], test_accuracy=accuracies[1])
    export.save(onnx.load(folder / MODEL), certain, out / "digits.onnx")
    replace_file(out / f"{card.recipe.architecture}.weights.h5", (folder / WEIGHTS).read_bytes())


def _reader(content: bytes, calibration: Calibration | None = None) -> Read:
    session = open_session(content)
    if calibration is None:
        return partial(classify, session)
    return lambda glyphs: calibrated(classify(session, glyphs), calibration)


def _start(recipe: Recipe, out: Path) -> Path | None:
    """Return the weights that a run learns on from, which an earlier one of the comparison left."""
    return out / recipe.starts_from / WEIGHTS if recipe.starts_from else None


def train_and_export(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    cache: Path,
    weights: Path | None,
    watch: Watch,
    start: Path | None = None,
) -> Scorecard:
    """Return the scorecard of a run, which is made only if `folder` holds no finished one.

    `cache`, `weights` and `start` are those of `fit`. The exported file is not calibrated yet.
    """
    finished = folder / FINISHED
    if finished.exists():
        card = Scorecard.read(finished)
        if (card.recipe, card.sources) != (recipe, dataset.sources):
            raise RunMismatch(
                f"{folder} holds a run of another recipe or other data; take another folder or remove it"
            )
        return card
    trained = fit(recipe, dataset, folder, cache=cache, weights=weights, start=start, watch=watch)
    exported = exported_model(trained, dataset.validation)
    card = Scorecard(
        recipe=recipe,
        curve=trained.curve,
        preparation_seconds=trained.preparation_seconds,
        parameters=trained.model.count_params(),
        onnx_bytes=exported.graph.ByteSize(),
        validation=exported.validation,
        sources=dataset.sources,
        split=dataset.split,
        trained_on=datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit=commit(),
        machine=machine(),
        versions=export.versions(),
        multiply_adds=exported.multiply_adds,
        is_quantised=not exported.why_float,
        why_float=exported.why_float,
        computed_in=trained.computed_in,
    )
    export.save_weights(trained.model, folder / WEIGHTS)
    export.save(exported.graph, model_card(card), folder / MODEL)
    card.write(finished)
    return card


def exported_model(trained: Fit, validation: LabelledGlyphs) -> Exported:
    """Return a trained model as it ships: in 8 bits where that reads the validation digits as well."""
    learnt = export.convert(trained.model, validation.glyphs)
    graph, why_float = in_small_numbers(learnt, trained.examples, validation)
    probabilities = classify(open_session(graph.SerializeToString()), validation.glyphs)
    return Exported(graph, why_float, export.multiply_adds(learnt), score(probabilities, validation))


def choose_winner(cards: Sequence[Scorecard]) -> Scorecard:
    """Return the best reader of paper among the runs that are small enough to ship, in bytes and in work.

    What counts is the mean of two shares: of the digits on drawn pages those that are read right, of the
    marks in drawn cells those that are not read as digits. MNIST's validation digits decide between equals.
    """
    candidates = [card for card in cards if is_small_enough(card)]
    if not candidates:
        raise TrainingError(
            f"no model has at most {MAX_ONNX_BYTES:,} bytes and {MAX_MULTIPLY_ADDS:,} multiply-adds a glyph "
            f"in 8 bits, or {MAX_MULTIPLY_ADDS_IN_FLOAT32:,} in float32; nothing was chosen, and the test "
            "images were not looked at"
        )
    return max(candidates, key=lambda card: (paper_score(card), card.validation.accuracy))


def is_small_enough(card: Scorecard) -> bool:
    """Return whether a model may ship, the same on every machine."""
    most = MAX_MULTIPLY_ADDS if card.is_quantised else MAX_MULTIPLY_ADDS_IN_FLOAT32
    return card.onnx_bytes <= MAX_ONNX_BYTES and card.multiply_adds <= most


def paper_score(card: Scorecard) -> float:
    """Return what the winner is chosen by, 0 to 1. Raises TrainingError for a run that was not tried."""
    digits, marks = card.tally(DRAWN_PAGES), card.tally(MARKS)
    if digits is None or marks is None:
        raise TrainingError(f"{card.recipe.name} was not compared; run digitmill-train compare")
    return (digits.accuracy + 1 - marks.as_digit / marks.glyphs) / 2


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
        note=card.note,
    )


def _tried(card: Scorecard, folder: Path, trials: Sequence[Trial]) -> Scorecard:
    return replace(card, trials=_tallies(_reader((folder / MODEL).read_bytes()), trials))


def _tallies(read: Read, trials: Sequence[Trial]) -> Trials:
    return {trial.name: try_on(read, trial) for trial in trials if len(trial)}


def _timed(card: Scorecard, folder: Path, dataset: Dataset, peak: float) -> Scorecard:
    session = open_session((folder / MODEL).read_bytes())
    speeds = {
        str(batch): digits_per_second(session, dataset.validation.glyphs, batch) for batch in BATCH_SIZES
    }
    return replace(card, digits_per_second=speeds, peak_gflops=peak)
