"""Fit a network's probabilities to how often they are right, on cells cut from pages, and count what is left.

The fit is a logistic regression on the logarithms of what the exported file says, so it mends what
quantisation did too. What is counted is counted out of fold: on pages that the numbers were not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from training.calibration_pages import BLANK_CELL, FIELD, GLYPH, NO_GLYPH, PAGE, TRUTH, UNKNOWN, CutPages
from training.model_card import (
    CLASSES,
    DIGITS,
    OTHER,
    STRUCK,
    Calibration,
    ErrorCurve,
    ModelCard,
)
from training.scaling import (
    BENT,
    TEMPERATURE,
    VECTOR,
    Floats,
    Labels,
    Scaling,
    fit_scaling,
    log_loss,
    log_scores,
    softmax,
)
from training.score import classify, open_session

METHODS = (TEMPERATURE, VECTOR, BENT)

FOLDS = 2  # of the pages: the numbers are few and the cells many
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Certainty:
    """What calibration adds to a model's card."""

    calibration: Calibration
    digit_errors: ErrorCurve
    field_errors: ErrorCurve

    def added_to(self, card: ModelCard) -> ModelCard:
        return replace(card, **{entry.name: getattr(self, entry.name) for entry in fields(self)})


def certain_card(card: ModelCard, model: bytes, pages: CutPages) -> ModelCard:
    """Return the card of an exported model, with its calibration and error curves."""
    return calibrate(classify(open_session(model), pages.glyphs), card.classes, pages).added_to(card)


def calibrate(probabilities: npt.NDArray[np.float32], classes: tuple[str, ...], pages: CutPages) -> Certainty:
    """Fit the calibration of a model from what it says, (n, classes), of the glyphs of drawn pages.

    Of the methods the one is taken that has the lowest log-loss out of fold.
    """
    scores = log_scores(probabilities)
    labels = labels_of_glyphs(pages, classes)
    folds = pages.of_glyphs(PAGE) // 2 % FOLDS  # hands alternate page by page, and every fold needs both
    candidates = {method: _out_of_fold(scores, labels, folds, method) for method in METHODS}
    method = min(candidates, key=lambda each: log_loss(candidates[each], labels))
    scaling = fit_scaling(scores, labels, method)
    calibration = Calibration(
        method,
        tuple(scaling.scale.round(DECIMALS).tolist()),
        tuple(scaling.bias.round(DECIMALS).tolist()),
        round(_share_of_blanks(pages), 6),
        f"{(labels >= 0).sum():,} cells of {pages.cells[-1, PAGE] + 1:,} drawn pages",
        round(scaling.bend, DECIMALS),
    )
    read = _Read.of(candidates[method], classes, calibration.blank, pages)
    return Certainty(
        calibration, ErrorCurve.count(read.digit_outcomes()), ErrorCurve.count(read.field_outcomes())
    )


def calibrated(probabilities: npt.NDArray[np.float32], calibration: Calibration | None) -> Floats:
    """Return probabilities as the worker has them, whose own code does the same (worker.calibration)."""
    scores = log_scores(probabilities)
    if calibration is None:
        return softmax(scores)
    return Scaling(np.array(calibration.scale), np.array(calibration.bias), calibration.bend)(scores)


def error_curve(probabilities: Floats, labels: npt.NDArray[np.integer]) -> ErrorCurve:
    """Count how many digits are wrong by the confidence of what is most probable."""
    right = probabilities.argmax(axis=1) == labels
    return ErrorCurve.count(zip(probabilities.max(axis=1).tolist(), right.tolist(), strict=True))


def labels_of_glyphs(pages: CutPages, classes: tuple[str, ...]) -> Labels:
    """Return the model's column of each glyph's truth, -1 where there is none.

    Ink in a box in which nobody wrote is the form's own: other.
    """
    truth = pages.of_glyphs(TRUTH)
    columns: Labels = np.full(UNKNOWN + 1, -1)
    for truly, label in [*enumerate(CLASSES), (BLANK_CELL, OTHER)]:
        if label in classes:
            columns[truly] = classes.index(label)
    return np.asarray(columns[truth])


def _out_of_fold(scores: Floats, labels: Labels, folds: npt.NDArray[np.int32], method: str) -> Floats:
    """Return the probabilities of all glyphs, those of each fold calibrated on the others."""
    calibrated = np.empty_like(scores)
    for fold in range(FOLDS):
        inside = folds == fold
        calibrated[inside] = fit_scaling(scores[~inside], labels[~inside], method)(scores[inside])
    return calibrated


def _share_of_blanks(pages: CutPages) -> float:
    """Return how probably nobody wrote into a box without ink before or after a field's digits.

    Laplace's rule of succession, so that it is never certain.
    """
    blank = written = 0
    for _, rows in groupby(pages.cells.tolist(), itemgetter(FIELD)):
        cells = list(rows)
        inked = [place for place, cell in enumerate(cells) if cell[GLYPH] != NO_GLYPH]
        if inked:
            outside = [cell[TRUTH] for cell in (*cells[: inked[0]], *cells[inked[-1] + 1 :])]
            blank += sum(truth == BLANK_CELL for truth in outside)
            written += sum(truth < len(DIGITS) for truth in outside)
    return (blank + 1) / (blank + written + 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """The cells of all pages as the worker reads them, row by row as in CutPages."""

    labels: list[str]  # "" for nothing
    confidences: list[float]
    is_other: list[bool]  # what is most probable is no digit
    pages: CutPages

    @classmethod
    def of(cls, probabilities: Floats, classes: tuple[str, ...], blank: float, pages: CutPages) -> _Read:
        names = np.array([*DIGITS, ""] if STRUCK in classes else DIGITS)
        columns = [classes.index(label or STRUCK) for label in names.tolist()]
        best = probabilities[:, columns].argmax(axis=1)
        is_inked = pages.cells[:, GLYPH] != NO_GLYPH
        labels = np.full(len(pages.cells), "", dtype="<U1")
        labels[is_inked] = names[best]
        confidences = np.full(len(pages.cells), blank)
        confidences[is_inked] = probabilities[:, columns][np.arange(len(best)), best]
        is_other = np.zeros(len(pages.cells), bool)
        is_other[is_inked] = np.array(classes)[probabilities.argmax(axis=1)] == OTHER
        return cls(labels.tolist(), confidences.tolist(), is_other.tolist(), pages)

    def digit_outcomes(self) -> Iterator[tuple[float, bool]]:
        """Yield confidence and truth of every cell that is read as a digit."""
        rows = zip(
            self.labels, self.confidences, self.is_other, self.pages.cells[:, TRUTH].tolist(), strict=True
        )
        for label, confidence, is_other, truth in rows:
            if label and not is_other and truth != UNKNOWN:
                yield confidence, int(label) == truth

    def field_outcomes(self) -> Iterator[tuple[float, bool]]:
        """Yield confidence and truth of every field that is read as a number which might be accepted."""
        for field, places in groupby(
            range(len(self.labels)), self.pages.cells[:, FIELD].tolist().__getitem__
        ):
            cells = list(places)
            value = "".join(self.labels[cell] or " " for cell in cells).strip()
            looked_at = self.pages.may_be_parts[field] or any(self.is_other[cell] for cell in cells)
            if value and " " not in value and not looked_at:
                confidence = math.prod(self.confidences[cell] for cell in cells)
                yield confidence, value == self.pages.values[field]
