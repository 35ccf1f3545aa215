"""What a training run came to, as JSON: compared, committed, and made into the model card's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from training.files import replace_file
from training.recipe import BFLOAT16, FLOAT32, Recipe

# The trials. The first two decide which model ships.
DRAWN_PAGES, MARKS = "drawn pages", "marks"
DIGITS_IN_CELLS = "digits in cells"
REAL_PAGES, REAL_CROSSES = "real pages", "real crosses"
OPTDIGITS, SEMEION = "optdigits", "semeion"

LOOKALIKES = "lookalike letter"  # a kind of mark
NORMAL_95 = 1.96  # standard deviations


@dataclass(frozen=True, slots=True)
class Epoch:
    loss: float
    accuracy: float  # 0 to 1, on the training glyphs as they were shown
    validation_loss: float
    validation_accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Score:
    """How an exported model reads labelled glyphs. `confusion` counts by true digit, then by digit read."""

    confusion: tuple[tuple[int, ...], ...]
    log_loss: float

    @property
    def images(self) -> int:
        return sum(map(sum, self.confusion))

    @property
    def accuracy(self) -> float:
        return sum(row[digit] for digit, row in enumerate(self.confusion)) / self.images


@dataclass(frozen=True, slots=True)
class Tally:
    """How a model reads one kind of glyph in a trial."""

    glyphs: int
    right: int  # of all classes the right one is the most probable
    as_digit: int  # read as some digit, rightly or not
    right_of_digits: int  # of the ten digits the right one is the most probable
    uncleaned_right: int | None = None  # of the boxes squeezed as they were; None where there were none

    @property
    def accuracy(self) -> float:
        return self.right / self.glyphs

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson 1927)."""
        widening = NORMAL_95**2 / self.glyphs
        middle = (self.accuracy + widening / 2) / (1 + widening)
        spread = sqrt(self.accuracy * (1 - self.accuracy) * widening + widening**2 / 4) / (1 + widening)
        return middle - spread, middle + spread

    def __add__(self, other: Tally) -> Tally:
        uncleaned = (self.uncleaned_right, other.uncleaned_right)
        return Tally(
            self.glyphs + other.glyphs,
            self.right + other.right,
            self.as_digit + other.as_digit,
            self.right_of_digits + other.right_of_digits,
            None if None in uncleaned else sum(right for right in uncleaned if right is not None),
        )


@dataclass(frozen=True, slots=True)
class Passed:
    """How many glyphs of one kind that are no digits were accepted as digits."""

    glyphs: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What passes where a digit asks for so much confidence that one true digit in a hundred is refused."""

    digits: str  # the trial whose digits these are
    threshold: float
    kinds: Mapping[str, Passed]

    @property
    def passed(self) -> Passed:
        """All kinds together, but for letters that look like digits."""
        counted = [passed for kind, passed in self.kinds.items() if kind != LOOKALIKES]
        return Passed(sum(each.glyphs for each in counted), sum(each.accepted for each in counted))


Trials = Mapping[str, Mapping[str, Tally]]
"""Trial -> kind of glyph in it -> tally."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """How a model reads with its probabilities calibrated, which is how the worker reads with it."""

    validation: Score
    trials: Trials
    test: Score | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One run, and what a comparison adds to it at its end.

    That is the speed by batch size on one thread of `machine`, where the file was made, the trials and, once
    the winner is chosen, the score on the test images. All is measured on the file that would ship, in 8 bits
    where it allows that.
    """

    recipe: Recipe
    curve: tuple[Epoch, ...]
    preparation_seconds: float  # computing frozen features; 0 where the cache had them
    parameters: int
    onnx_bytes: int
    validation: Score
    sources: Mapping[str, str]
    split: str
    trained_on: str
    commit: str
    machine: str
    versions: Mapping[str, str]
    digits_per_second: Mapping[str, float] = field(default_factory=dict)
    test: Score | None = None
    trials: Trials = field(default_factory=dict)
    multiply_adds: int = 0  # to read one glyph
    peak_gflops: float = 0.0  # of a matrix product on one thread of the machine, measured with the speed
    is_quantised: bool = False
    why_float: str = ""  # why the file is not in 8 bits, if that was tried
    computed_in: str = FLOAT32  # what was multiplied in at the end of the training
    learnt_on: str = ""  # the machine and the backend of Keras that this was on; "": `machine`, TensorFlow
    refusals: tuple[Refusal, ...] = ()  # by calibrated confidence
    calibrated: Calibrated | None = None
    note: str = ""  # what became of its file after the comparison; the file's own card says it too

    @property
    def training_minutes(self) -> float:
        return (self.preparation_seconds + sum(epoch.seconds for epoch in self.curve)) / 60

    def tally(self, trial: str) -> Tally | None:
        """Return a trial's tallies added up, None where the run was not measured on it.

        Letters that look like digits are left out: they are no matter of right or wrong.
        """
        return tally_of(self.trials, trial)

    def write(self, path: Path) -> None:
        replace_file(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Scorecard:
        entries = json.loads(path.read_text(encoding="utf-8"))
        entries.pop("distorted_validation", None)  # what version 0.1 chose by
        recipe = Recipe.from_entries(entries["recipe"])
        entries.setdefault("computed_in", BFLOAT16 if recipe.bfloat16 else FLOAT32)  # once without a choice
        return cls(
            **entries
            | {
                "recipe": recipe,
                "curve": tuple(Epoch(**epoch) for epoch in entries["curve"]),
                "validation": _score_from(entries["validation"]),
                "test": _score_or_none(entries["test"]),
                "refusals": tuple(map(_refusal_from, entries.get("refusals", ()))),
                "calibrated": _calibrated_or_none(entries.get("calibrated")),
                "trials": _trials_from(entries.get("trials", {})),
            }
        )


def tally_of(trials: Trials, trial: str) -> Tally | None:
    """Return a trial's tallies added up, but for letters that look like digits; None without the trial."""
    kinds = [tally for kind, tally in trials.get(trial, {}).items() if kind != LOOKALIKES]
    return sum(kinds[1:], kinds[0]) if kinds else None


def _calibrated_or_none(entries: Mapping[str, Any] | None) -> Calibrated | None:
    if entries is None:
        return None
    return Calibrated(
        _score_from(entries["validation"]),
        _trials_from(entries["trials"]),
        _score_or_none(entries["test"]),
    )


def _trials_from(entries: Mapping[str, Any]) -> Trials:
    return {
        trial: {kind: Tally(**tally) for kind, tally in kinds.items()} for trial, kinds in entries.items()
    }


def _score_or_none(entries: Mapping[str, Any] | None) -> Score | None:
    return None if entries is None else _score_from(entries)


def _refusal_from(entries: Mapping[str, Any]) -> Refusal:
    kinds = {kind: Passed(**passed) for kind, passed in entries["kinds"].items()}
    return Refusal(**{**entries, "kinds": kinds})


def _score_from(entries: Mapping[str, Any]) -> Score:
    return Score(tuple(tuple(row) for row in entries["confusion"]), entries["log_loss"])
