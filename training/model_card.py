"""The file contract: what an exported model says of itself. All that the worker knows of training."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from itertools import accumulate
from typing import Any

METADATA_KEY = "digitmill.card"
INPUT_NAME = "glyphs"  # uint8 (batch, 28, 28), light ink on black
OUTPUT_NAME = "probabilities"  # float32 (batch, classes), each row sums to 1
GLYPH_SIDE = 28
OPSET = 18  # tf2onnx 1.17 refuses 19 and up

DIGITS = tuple("0123456789")
STRUCK = "struck"  # a deliberate cancellation: nothing counts here
OTHER = "other"  # neither a single digit nor struck out: a letter, two digits, dirt
CLASSES = (*DIGITS, STRUCK, OTHER)
THRESHOLDS = tuple(round(1 - 10 ** (-step / 8), 6) for step in range(41))  # of error curves, 0 to 0.99999
LEAST_PROBABILITY = 1e-12  # before its logarithm is taken: int8 arithmetic gives zeros


class CardUnreadable(ValueError):
    """The metadata of a file hold no model card, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a model's probabilities become such as are right as often as they say.

    The calibrated probabilities are softmax(scale z + bend z² + bias), class by class, in the order of the
    card's `classes`, where z is log(p) with p no less than LEAST_PROBABILITY. Without a bend and with one
    scale for all it is temperature scaling, with one each vector scaling (Guo 2017).
    """

    method: str
    scale: tuple[float, ...]
    bias: tuple[float, ...]
    blank: float  # how probably nobody wrote anything in a box in which no ink is found
    cells: str  # how many cells it was fitted on, and which
    bend: float = 0.0

    @classmethod
    def from_entries(cls, entries: Mapping[str, Any]) -> Calibration:
        numbers = {"scale": tuple(entries["scale"]), "bias": tuple(entries["bias"])}
        return cls(**{**entries, **numbers})


@dataclass(frozen=True, slots=True)
class ErrorCurve:
    """How many were wrong among those at least so confident: one point a threshold, which rise.

    Counted on calibrated confidences of drawn pages on which neither network nor calibration was fitted.
    """

    thresholds: tuple[float, ...]
    accepted: tuple[int, ...]
    wrong: tuple[int, ...]

    @classmethod
    def count(cls, outcomes: Iterable[tuple[float, bool]]) -> ErrorCurve:
        """Count outcomes: the confidence and whether it was right, one of each digit or field."""
        ordered = sorted(outcomes)
        mistakes = [0, *accumulate(not right for _, right in ordered)]
        refused = [bisect_left(ordered, (threshold,)) for threshold in THRESHOLDS]
        return cls(
            THRESHOLDS,
            tuple(len(ordered) - below for below in refused),
            tuple(mistakes[-1] - mistakes[below] for below in refused),
        )

    @classmethod
    def from_entries(cls, entries: Mapping[str, Any]) -> ErrorCurve:
        return cls(tuple(entries["thresholds"]), tuple(entries["accepted"]), tuple(entries["wrong"]))


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Where a model file comes from and what it may be used for; travels inside the file, as JSON."""

    architecture: str
    glyph_recipe: str
    classes: tuple[str, ...]  # the label, out of CLASSES, of each column of the probabilities
    sources: Mapping[str, str]  # file name -> sha256 of what it was trained on
    split: str
    validation_accuracy: float  # 0 to 1
    test_accuracy: float | None  # None until the test images were looked at
    calibration: Calibration | None  # None: the probabilities are the network's own
    seed: int
    opset: int
    trained_on: str  # ISO date
    commit: str
    versions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    digit_errors: ErrorCurve | None = None  # by the confidence of a digit
    field_errors: ErrorCurve | None = None  # by the confidence of a whole field that is not blank
    lesson: str = ""  # of a model that learnt own digits: the same for the same images, learnt the same way

    def to_metadata(self) -> dict[str, str]:
        """Return the card as the metadata entries of an ONNX file."""
        return {METADATA_KEY: json.dumps(asdict(self), sort_keys=True)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> ModelCard:
        """Read the card back from a file's metadata, those of earlier versions too.

        Raises CardUnreadable; unknown entries are ignored.
        """
        if METADATA_KEY not in metadata:
            raise CardUnreadable("it carries no model card, so nobody knows what it was trained for")
        try:
            entries: dict[str, Any] = json.loads(metadata[METADATA_KEY])
            known = {f.name: entries[f.name] for f in fields(cls) if f.name in entries or _is_needed(f)}
            known["classes"] = tuple(str(label) for label in entries["classes"])
            calibration = entries["calibration"]  # "none" in cards of version 0.1
            known["calibration"] = (
                Calibration.from_entries(calibration) if isinstance(calibration, dict) else None
            )
            for curve in ("digit_errors", "field_errors"):
                if entries.get(curve) is not None:
                    known[curve] = ErrorCurve.from_entries(entries[curve])
            return cls(**known)
        except (ValueError, TypeError, KeyError) as error:
            raise CardUnreadable(f"its model card is damaged ({type(error).__name__}: {error})") from error


def _is_needed(entry: Field[Any]) -> bool:
    return entry.default is MISSING and entry.default_factory is MISSING
