"""A model learns a user's own digits, from the shipped one or from nothing, and rehearses what it knew."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import onnxruntime as ort

from segmentation.glyph import GLYPH_RECIPE
from segmentation.version import SEGMENTATION_VERSION
from training import architectures, export
from training.calibrate import calibrate, calibrated
from training.calibration_pages import PAGES, calibration_pages
from training.dataset import Dataset, Glyphs, LabelledGlyphs
from training.distortions import Distortion
from training.errors import TrainingError, WeightsUnreadable
from training.fit import fit
from training.gate import Labels, Paired
from training.mixture import Watch
from training.model_card import CLASSES, OPSET, Calibration, ModelCard
from training.own_digits import OwnDigits
from training.paper import paper_digits, paper_marks, paper_pens
from training.provenance import commit
from training.quantisation import in_small_numbers
from training.recipe import Recipe
from training.score import classify, open_model, open_session

WEIGHTS = Path(__file__).parent / "weights"
"""What the shipped model was exported from, in one file that is named after its architecture."""

REHEARSED = 10_000  # glyphs of each old kind that an epoch shows: with 2,000, marks were forgotten
OWN_SHARE = 0.25  # of the old ones' number, to which the user's own are repeated: few would be drowned
TESTED = 4_000  # glyphs of each old kind that the new model must not read worse
SMALL_STEPS, LARGE_STEPS = 2e-4, 2e-3  # of a network that knows something, and of one that knows nothing
WAY = 0.6  # from what was known to what was learnt: the rest of it forgets more than it gains
WEIGHTS_SUFFIX = ".weights.h5"
REHEARSAL_SEED, TEST_SEED = 7_001, 7_002


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Glyphs that two models are compared on."""

    name: str
    digits: LabelledGlyphs


@dataclass(frozen=True, slots=True, eq=False)
class Retrained:
    """A model file that was trained on own digits, and how it compares with the one before."""

    model: Path
    own: Paired  # on the user's images that are set aside
    old: tuple[Paired, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How own digits are learnt, and the weights that the network starts from; None: from nothing."""

    recipe: Recipe
    start: Path | None


def from_shipped(seed: int, epochs: int) -> Plan:
    """Return the plan to start from the shipped model, in small steps. Raises WeightsUnreadable."""
    weights = next(WEIGHTS.glob(f"*{WEIGHTS_SUFFIX}"), None)
    if weights is None:
        raise WeightsUnreadable(
            f"{WEIGHTS} holds no weights of the shipped model; name an --architecture to start from nothing"
        )
    architecture = weights.name.removesuffix(WEIGHTS_SUFFIX)
    return Plan(_recipe(architecture, seed, epochs, learning_rate=SMALL_STEPS), weights)


def from_nothing(architecture: str, seed: int, epochs: int) -> Plan:
    """Return the plan to train a fresh network. Raises TrainingError for one that knows digits alone."""
    classes = architectures.build(architecture).output.shape[-1]
    if classes != len(CLASSES):
        raise TrainingError(
            f"{architecture} tells {classes} classes apart; own digits need {len(CLASSES)}, since what is "
            "struck and what is no digit is rehearsed with them"
        )
    return Plan(_recipe(architecture, seed, epochs, learning_rate=LARGE_STEPS), None)


def _recipe(architecture: str, seed: int, epochs: int, *, learning_rate: float) -> Recipe:
    return Recipe(
        architecture,
        seed,
        epochs,
        learning_rate=learning_rate,
        distortion=Distortion(bend=1.0, stretch=1.0),
        undistorted_epochs=min(1, epochs - 1),
        falling=epochs > 1,
        weight_decay=0.02,
        label_smoothing=0.05,
        rounded=True,
    )


def retrain(
    own: OwnDigits, plan: Plan, folder: Path, *, before: Path, mnist: Dataset | None, watch: Watch
) -> Retrained | None:
    """Train on own digits and compare with the model file `before` on what neither was trained on.

    Both read as they would in use, with their calibration. Leaves the run, which goes on after an
    interruption, and `candidate.onnx` in `folder`; `before` stays as it is. Returns None, and trains nothing,
    where `before` came of the same images and the same plan. Raises ModelUnreadable where it is no model.
    """
    old = open_model(before)
    cells = folder / "cells"
    tests = _old_tests(mnist, cells, watch)
    dataset = _dataset(own, mnist, cells, watch)
    lesson = _key(plan, dataset)
    if old.card.lesson == lesson:
        return None
    trained = fit(plan.recipe, dataset, folder / f"run-{lesson}", cache=folder, start=plan.start, watch=watch)
    if plan.start:
        _go_back_towards(plan.start, trained.model, plan.recipe.architecture)
    known = _joined([trial.digits for trial in tests])
    graph, _ = in_small_numbers(export.convert(trained.model, known.glyphs), trained.examples, known)
    pages = calibration_pages(mnist.validation if mnist else tests[0].digits, cells, pages=PAGES)
    watch("drawn pages to calibrate on", 1, 1)
    session = open_session(graph.SerializeToString())
    certainty = calibrate(classify(session, pages.glyphs), CLASSES, pages)
    pairs = [
        Paired.of(
            trial.name,
            trial.digits.labels,
            before=_read(trial.digits.glyphs, old.session, old.card.classes, old.card.calibration),
            after=_read(trial.digits.glyphs, session, CLASSES, certainty.calibration),
        )
        for trial in (Trial("your images set aside", own.test), *tests)
    ]
    candidate = folder / "candidate.onnx"
    card = replace(certainty.added_to(_card(plan, own, dataset, pairs[0])), lesson=lesson)
    export.save(graph, card, candidate)
    return Retrained(candidate, pairs[0], tuple(pairs[1:]))


def _rehearsal(mnist: Dataset | None, cache: Path, watch: Watch) -> LabelledGlyphs:
    """Return glyphs of what a model knows: pens and marks in cells, and MNIST, where it is, both ways."""
    kinds = [paper_pens(REHEARSED, REHEARSAL_SEED, cache), paper_marks(REHEARSED, REHEARSAL_SEED, cache)]
    if mnist:
        chosen = _some(mnist.training, REHEARSED)
        kinds += [chosen, paper_digits(chosen, 1, REHEARSAL_SEED, cache)]
    watch("what is known already", 1, 1)
    return _joined(kinds)


def _old_tests(mnist: Dataset | None, cache: Path, watch: Watch) -> tuple[Trial, ...]:
    """Return what the new model must not read worse; nothing of it is trained on."""
    tests = [
        Trial("pen strokes in drawn cells", paper_pens(TESTED, TEST_SEED, cache)),
        Trial("what is no digit, in drawn cells", paper_marks(TESTED, TEST_SEED, cache)),
    ]
    if mnist:
        chosen = _some(mnist.validation, TESTED)
        tests += [
            Trial("MNIST's validation digits", mnist.validation),
            Trial("the same in drawn cells", paper_digits(chosen, 1, TEST_SEED, cache)),
        ]
    watch("tests of what is known already", 1, 1)
    return tuple(tests)


def _dataset(own: OwnDigits, mnist: Dataset | None, cells: Path, watch: Watch) -> Dataset:
    """Return what is trained on: the own digits, repeated where they are few, and the known ones."""
    known = _rehearsal(mnist, cells, watch)
    repeats = max(1, round(OWN_SHARE * len(known) / len(own.training)))
    return Dataset(
        training=_joined([own.training] * repeats + [known]),
        validation=own.test,
        test=own.test[:0],
        sources={"own digits": own.sha256, **(mnist.sources if mnist else {})},
    )


def _go_back_towards(start: Path, model: keras.Model, architecture: str) -> None:
    """Move a network's weights back along the way from where they started (Wortsman 2022)."""
    known = architectures.build(architecture)
    known.load_weights(start)
    pairs = zip(known.get_weights(), model.get_weights(), strict=True)
    model.set_weights([(1 - WAY) * old + WAY * new for old, new in pairs])


def _read(
    glyphs: Glyphs, session: ort.InferenceSession, classes: tuple[str, ...], calibration: Calibration | None
) -> Labels:
    """Return the index in CLASSES of what a model takes each glyph for."""
    places = np.array([CLASSES.index(label) for label in classes])
    read = calibrated(classify(session, glyphs), calibration).argmax(axis=1)
    return np.asarray(places[read])


def _key(plan: Plan, dataset: Dataset) -> str:
    """Return what tells this run from all others, in 12 hex digits."""
    cutting = [GLYPH_RECIPE, SEGMENTATION_VERSION]
    said = json.dumps(
        [asdict(plan.recipe), dict(dataset.sources), len(dataset.training), cutting], sort_keys=True
    ).encode()
    return hashlib.sha256(said + (plan.start.read_bytes() if plan.start else b"")).hexdigest()[:12]


def _card(plan: Plan, own: OwnDigits, dataset: Dataset, read: Paired) -> ModelCard:
    begun = "from nothing" if plan.start is None else "from the shipped model"
    return ModelCard(
        architecture=f"{plan.recipe.architecture}-own",
        glyph_recipe=GLYPH_RECIPE,
        classes=CLASSES,
        sources=dataset.sources,
        split=f"{len(own.training):,} own images to train, {len(own.test):,} set aside to validate",
        validation_accuracy=read.after / read.images,
        test_accuracy=None,
        calibration=None,
        seed=plan.recipe.seed,
        opset=OPSET,
        trained_on=datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit=commit(),
        versions=export.versions(),
        note=f"trained {begun} on a user's own digits",
    )


def _some(digits: LabelledGlyphs, count: int) -> LabelledGlyphs:
    chosen = np.sort(np.random.default_rng(REHEARSAL_SEED).permutation(len(digits))[:count])
    return LabelledGlyphs(digits.glyphs[chosen], digits.labels[chosen])


def _joined(parts: Sequence[LabelledGlyphs]) -> LabelledGlyphs:
    return LabelledGlyphs(
        np.concatenate([part.glyphs for part in parts]), np.concatenate([part.labels for part in parts])
    )
