"""Whether a confidence of 0.99 is right 99 times in 100: the reliability diagram in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0)
LEAST_IN_BIN = 200  # fewer say little: the share right of 200 is good to 3 points, of 50 to 7
LEAST_PROBABILITY = 1e-6  # confidences are stored with six decimals

Outcome = tuple[float, bool]
"""How confident, and whether it was right."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Outcomes of about the same confidence."""

    low: float
    high: float
    count: int
    confidence: float  # the mean
    right: float  # the share

    @property
    def gap(self) -> float:
        return abs(self.confidence - self.right)


def reliability(outcomes: Iterable[Outcome], least: int = LEAST_IN_BIN) -> tuple[Bin, ...]:
    """Return the outcomes in bins between EDGES, joined with the next where they hold fewer than `least`.

    The last bins may hold fewer where there are no more; without outcomes there is no bin.
    """
    ordered = sorted(outcomes)
    bins: list[Bin] = []
    waiting: list[Outcome] = []
    low, place = EDGES[0], 0
    for _, high in pairwise(EDGES):
        while place < len(ordered) and (ordered[place][0] < high or high == EDGES[-1]):
            waiting.append(ordered[place])
            place += 1
        if len(waiting) >= least or (waiting and place == len(ordered)):
            bins.append(_bin(low, high, waiting))
            low, waiting = high, []
    return tuple(bins)


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Return the mean gap between confidence and share right, weighted by outcomes (Naeini 2015)."""
    total = sum(each.count for each in bins)
    return sum(each.count * each.gap for each in bins) / total if total else 0.0


def log_loss(outcomes: Sequence[Outcome]) -> float:
    """Return the mean cost of confidences taken as probabilities of being right; nan without outcomes."""
    if not outcomes:
        return math.nan
    return fmean(
        -math.log(max(confidence if right else 1 - confidence, LEAST_PROBABILITY))
        for confidence, right in outcomes
    )


def _bin(low: float, high: float, outcomes: Sequence[Outcome]) -> Bin:
    confidences, right = zip(*outcomes, strict=True)
    return Bin(low, high, len(outcomes), fmean(confidences), fmean(right))
