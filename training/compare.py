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
from training.fit import LEARNT, Fit, epochs_done
from training.gallery import Gallery
from training.mixture import Watch
from training.model_card import CLASSES, OPSET, Calibration, ModelCard
from training.provenance import machine
from training.quantisation import in_small_numbers
from training.recipe import Recipe
from training.refusal import refusals
from training.runs import learn
from training.score import (
    BATCH_SIZES,
    Read,
    classify,
    digits_per_second,
    matrix_product_peak,
    open_session,
    score,
)
from training.scorecard import DRAWN_PAGES, Calibrated, Score, Scorecard, Trials, tally_of
from training.trials import Trial, try_on

MAX_ONNX_BYTES = 4_000_000
# What reads 10,000 digits/s on one thread of the model card's machine, whose processor has instructions for
# 8 bits (VNNI): 13.8 M with signed weights were measured at 10,400 digits/s, 2.6 M in float32 at 13,800.
# A measured speed would choose another winner on another machine, and none on a slow one.
MAX_MULTIPLY_ADDS = 15_000_000  # to read one glyph, in 8 bits
MAX_MULTIPLY_ADDS_IN_FLOAT32 = 4_000_000
FINISHED, MODEL = "scorecard.json", "model.onnx"  # in a run's folder

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
    if not folders:
        raise TrainingError(f"{out} holds no run at its end; compare without --trained-only trains them all")
    cards = [train(recipe, folder=folder) for recipe, folder in folders.items()]
    for recipe, folder in parts.items():
        card = _tried(train(recipe, folder=folder), _reader(_model(folder)), trials)
        card.write(out / "scorecards" / "ablation" / f"{recipe.name}.json")
    peak = matrix_product_peak()
    runs = [_Run.open(card, folders[card.recipe], certify) for card in cards]
    cards = [  # in one go, so that the figures go together
        _timed(_calibrated(_tried(run.card, run.bare, trials), run.read, dataset, trials), run, dataset, peak)
        for run in runs
    ]
    winner = choose_winner(cards)
    for number, (run, card) in enumerate(zip(runs, cards, strict=True), start=1):
        tested = _tested(card, run, dataset.test)
        if card is winner:
            gallery = Gallery.hang(card.recipe.name, dataset.test, run.read(dataset.test.glyphs))
            _ship(tested, run, out)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A run that was trained: its card, and its file as it came and as the worker reads with it."""

    card: Scorecard
    folder: Path
    certain: ModelCard  # what its file says of itself, once calibrated
    bare: Read
    read: Read  # calibrated

    @classmethod
    def open(cls, card: Scorecard, folder: Path, certify: Certify) -> _Run:
        content = _model(folder)
        certain = certify(model_card(card), content)
        return cls(card, folder, certain, _reader(content), _reader(content, certain.calibration))


def _ship(tested: Scorecard, run: _Run, out: Path) -> None:
    """Export the winner with all that is known of it: how sure it is, and how it reads once calibrated."""
    known = model_card(tested)
    described = replace(
        run.certain, validation_accuracy=known.validation_accuracy, test_accuracy=known.test_accuracy
    )
    export.save(onnx.load(run.folder / MODEL), described, out / "digits.onnx")
    replace_file(out / f"{tested.recipe.architecture}.weights.h5", (run.folder / LEARNT).read_bytes())


def _model(folder: Path) -> bytes:
    return (folder / MODEL).read_bytes()


def _reader(content: bytes, calibration: Calibration | None = None) -> Read:
    session = open_session(content)
    if calibration is None:
        return partial(classify, session)
    return lambda glyphs: calibrated(classify(session, glyphs), calibration)


def train_and_export(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    cache: Path,
    weights: Path | None,
    watch: Watch,
) -> Scorecard:
    """Return the scorecard of a run, which is made only if `folder` holds no finished one.

    `cache` and `weights` are those of `fit`; the run it begins with lies in `cache`. The exported file is not
    calibrated yet.
    """
    finished = folder / FINISHED
    if finished.exists():
        card = Scorecard.read(finished)
        if (card.recipe, card.sources) != (recipe, dataset.sources):
            raise RunMismatch(
                f"{folder} holds a run of another recipe or other data; take another folder or remove it"
            )
        return card
    trained = learn(recipe, dataset, cache, folder=folder, weights=weights, watch=watch)
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
        commit=trained.commit,
        machine=machine(),
        versions=export.versions(),
        multiply_adds=exported.multiply_adds,
        is_quantised=not exported.why_float,
        why_float=exported.why_float,
        computed_in=trained.computed_in,
        learnt_on=trained.learnt_on,
    )
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

    What counts is the mean of two shares, both of calibrated readers: of the digits on drawn pages those that
    are read right, of the marks in drawn cells those that are not accepted as digits where so much confidence
    is asked for that one digit in a hundred is refused. MNIST's validation digits decide between equals.
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
    digits = tally_of(card.calibrated.trials, DRAWN_PAGES) if card.calibrated else None
    marks = next((refusal.passed for refusal in card.refusals if refusal.digits == DRAWN_PAGES), None)
    if digits is None or marks is None:
        raise TrainingError(f"{card.recipe.name} was not compared; run digitmill-train compare")
    return (digits.accuracy + 1 - marks.accepted / marks.glyphs) / 2


def model_card(card: Scorecard) -> ModelCard:
    """Return what a model file says of itself; how it reads, calibrated where that was measured."""
    read = card.calibrated or card
    return ModelCard(
        architecture=card.recipe.family,
        glyph_recipe=GLYPH_RECIPE,
        classes=CLASSES[: len(card.validation.confusion)],  # runs of version 0.1 knew digits alone
        sources=card.sources,
        split=card.split,
        validation_accuracy=read.validation.accuracy,
        test_accuracy=read.test.accuracy if read.test else None,
        calibration=None,
        seed=card.recipe.seed,
        opset=OPSET,
        trained_on=card.trained_on,
        commit=card.commit,
        versions=card.versions,
        note=card.note,
    )


def _tried(card: Scorecard, read: Read, trials: Sequence[Trial]) -> Scorecard:
    return replace(card, trials=_tallies(read, trials))


def _calibrated(card: Scorecard, read: Read, dataset: Dataset, trials: Sequence[Trial]) -> Scorecard:
    validation = score(read(dataset.validation.glyphs), dataset.validation)
    calibrated = Calibrated(validation, _tallies(read, trials))
    return replace(card, calibrated=calibrated, refusals=refusals(trials, read))


def _tallies(read: Read, trials: Sequence[Trial]) -> Trials:
    return {trial.name: try_on(read, trial) for trial in trials if len(trial)}


def _timed(card: Scorecard, run: _Run, dataset: Dataset, peak: float) -> Scorecard:
    session = open_session(_model(run.folder))
    speeds = {
        str(batch): digits_per_second(session, dataset.validation.glyphs, batch) for batch in BATCH_SIZES
    }
    return replace(card, digits_per_second=speeds, peak_gflops=peak)


def _tested(card: Scorecard, run: _Run, test: LabelledGlyphs) -> Scorecard:
    """Return the card with how the run reads the test images, as it came and calibrated."""
    bare, read = (score(each(test.glyphs), test) for each in (run.bare, run.read))
    return replace(
        card, test=bare, calibrated=replace(card.calibrated, test=read) if card.calibrated else None
    )
