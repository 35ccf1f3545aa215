"""How sure a reader must be of a field, so that few enough of those accepted are wrong."""

from __future__ import annotations

import math

from training.model_card import ErrorCurve, ModelCard
from worker.errors import BadSettings
from worker.pipeline import ReadingRules
from worker.settings import Settings

RISK = 0.05  # of a promise that does not hold
ACCEPT_NOTHING = 2.0  # no confidence reaches it


def reading_rules(settings: Settings, card: ModelCard, target_error: float | None) -> ReadingRules:
    """Return the rules of a batch: its own target, else the confidence that is set, else the target that is.

    Where the model cannot promise what was asked for, nothing is accepted. Where nobody asked for anything, a
    model without an error curve goes by the usual confidence.
    """
    blank = card.calibration.blank if card.calibration else ReadingRules().blank_confidence
    return ReadingRules(_accept_confidence(settings, card, target_error), blank)


def _accept_confidence(settings: Settings, card: ModelCard, target_error: float | None) -> float:
    if target_error is None and settings.accept_confidence is not None:
        return settings.accept_confidence
    if card.field_errors is None:
        return ReadingRules().accept_confidence if target_error is None else ACCEPT_NOTHING
    wanted = settings.target_error if target_error is None else target_error
    threshold = threshold_for(card.field_errors, wanted)
    return ACCEPT_NOTHING if threshold is None else threshold


def refuse_beyond_promise(settings: Settings, target_error: float | None) -> None:
    """Raise BadSettings unless the model can promise that no more than this of accepted fields is wrong.

    None: what the settings say, if somebody set it and it counts.
    """
    if target_error is None:
        if settings.accept_confidence is not None or "target_error" not in settings.model_fields_set:
            return
        target_error = settings.target_error
    from worker.recogniser import Recogniser

    card = Recogniser.load(settings.model).card
    curve = card.field_errors
    if curve is None:
        raise BadSettings(
            f"the model {card.architecture} carries no error curve, so it can promise no target error; "
            "set DIGITMILL_ACCEPT_CONFIDENCE, or use a model of digitmill-train calibrate"
        )
    if threshold_for(curve, target_error) is None:
        risk = RISK / len(curve.thresholds)
        best = min(error_bound(*counts, risk) for counts in zip(curve.wrong, curve.accepted, strict=True))
        raise BadSettings(
            f"a target error of {target_error:.3%} cannot be promised: the model {card.architecture} was "
            f"measured on {curve.accepted[0]:,} fields, which vouch for {best:.3%} of accepted ones at best"
        )


def threshold_for(curve: ErrorCurve, target_error: float) -> float | None:
    """Return the lowest threshold from which on at most that share of fields is wrong; None if there is none.

    The bound is the one-sided one of Clopper and Pearson (1934) on the drawn pages of the curve. As the
    lowest of many thresholds is chosen, each may fail with its part of the risk only (Bonferroni). It takes
    fields as independent; those of one page, which share a writer and a scanner, are so in part.
    """
    risk = RISK / len(curve.thresholds)
    for threshold, accepted, wrong in zip(curve.thresholds, curve.accepted, curve.wrong, strict=True):
        if accepted and _chance_of_at_most(wrong, accepted, target_error) <= risk:
            return threshold
    return None


def error_bound(wrong: int, accepted: int, risk: float = RISK) -> float:
    """Return the share that no more than are wrong, but for that risk (Clopper and Pearson 1934)."""
    low, high = wrong / accepted if accepted else 1.0, 1.0
    while high - low > 1e-7:
        middle = (low + high) / 2
        if _chance_of_at_most(wrong, accepted, middle) <= risk:
            high = middle
        else:
            low = middle
    return high


def _chance_of_at_most(wrong: int, trials: int, share: float) -> float:
    """Return how probable so few wrong ones are where that share is wrong: the binomial distribution."""
    if share >= 1:
        return float(wrong >= trials)
    if wrong >= share * trials:  # at least about one half, and nobody asks for more
        return 1.0
    right, mistake = math.log1p(-share), math.log(share)
    ways = math.lgamma(trials + 1)
    return sum(
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * mistake + (trials - k) * right)
        for k in range(wrong + 1)
    )
