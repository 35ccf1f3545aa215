"""What is no digit, at the confidence at which one digit in a hundred is refused: how much passes for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.model_card import DIGITS
from training.scaling import Floats
from training.score import Read
from training.scorecard import DIGITS_IN_CELLS, DRAWN_PAGES, MARKS, Passed, Refusal
from training.trials import Trial

REFUSED = 0.01  # of true digits, rightly read or not


def refusals(trials: Sequence[Trial], read: Read) -> tuple[Refusal, ...]:
    """Return what passes at the threshold of drawn pages, and at that of cells, which are treated worse.

    `read` is calibrated.
    """
    named = {trial.name: trial for trial in trials}
    return tuple(
        refusal(named[digits], named[MARKS], read)
        for digits in (DRAWN_PAGES, DIGITS_IN_CELLS)
        if {digits, MARKS} <= named.keys()
    )


def refusal(digits: Trial, others: Trial, read: Read) -> Refusal:
    """Set the threshold on `digits`, and count what of `others`, which are none, is accepted at it."""
    threshold = max(0.0, float(np.quantile(_confidences(read(digits.glyphs)), REFUSED)))
    accepted = _confidences(read(others.glyphs)) >= threshold
    groups = np.array(others.groups)
    kinds = {
        kind: Passed(int((groups == kind).sum()), int(accepted[groups == kind].sum()))
        for kind in dict.fromkeys(others.groups)
    }
    return Refusal(digits.name, threshold, kinds)


def _confidences(probabilities: npt.NDArray[np.floating]) -> Floats:
    """Return how sure the reader is of the digit it reads, -1 where something else is more probable."""
    is_digit = probabilities.argmax(axis=1) < len(DIGITS)
    return np.where(is_digit, probabilities[:, : len(DIGITS)].max(axis=1), -1.0)
