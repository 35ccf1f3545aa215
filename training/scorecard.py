"""What a training run came to, as JSON: compared, committed, and made into the model card's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.recipe import Recipe


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
class Scorecard:
    """One run, and what a comparison adds to it at its end.

    That is the speed by batch size on one thread of `machine`, the score on validation digits distorted alike
    for every model and, once the winner is chosen, the score on the test images.
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
    distorted_validation: Score | None = None
    test: Score | None = None

    @property
    def training_minutes(self) -> float:
        return (self.preparation_seconds + sum(epoch.seconds for epoch in self.curve)) / 60

    def write(self, path: Path) -> None:
        replace_file(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Scorecard:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            **entries
            | {
                "recipe": Recipe.from_entries(entries["recipe"]),
                "curve": tuple(Epoch(**epoch) for epoch in entries["curve"]),
                "validation": _score_from(entries["validation"]),
                "distorted_validation": _score_or_none(entries["distorted_validation"]),
                "test": _score_or_none(entries["test"]),
            }
        )


def replace_file(path: Path, text: str) -> None:
    """Write a file so that whoever reads it, even after a power cut, finds the old text or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".partial")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _score_or_none(entries: Mapping[str, Any] | None) -> Score | None:
    return None if entries is None else _score_from(entries)


def _score_from(entries: Mapping[str, Any]) -> Score:
    return Score(tuple(tuple(row) for row in entries["confusion"]), entries["log_loss"])
