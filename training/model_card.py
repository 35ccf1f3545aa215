"""The file contract: what an exported model says of itself. All that the worker knows of training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

METADATA_KEY = "digitmill.card"
INPUT_NAME = "glyphs"  # uint8 (batch, 28, 28), light ink on black
OUTPUT_NAME = "probabilities"  # float32 (batch, classes), each row sums to 1
GLYPH_SIDE = 28
OPSET = 18  # tf2onnx 1.17 refuses 19 and up


class CardUnreadable(ValueError):
    """The metadata of a file hold no model card, or not a whole one."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Where a model file comes from and what it may be used for; travels inside the file, as JSON."""

    architecture: str
    glyph_recipe: str
    classes: tuple[str, ...]  # the label of each column of the probabilities
    sources: Mapping[str, str]  # file name -> sha256 of what it was trained on
    split: str
    validation_accuracy: float  # 0 to 1
    test_accuracy: float | None  # None until the test images were looked at
    calibration: str  # how the probabilities were made to fit the error rate; "none" as trained
    seed: int
    opset: int
    trained_on: str  # ISO date
    commit: str
    versions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def to_metadata(self) -> dict[str, str]:
        """Return the card as the metadata entries of an ONNX file."""
        return {METADATA_KEY: json.dumps(asdict(self), sort_keys=True)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> ModelCard:
        """Read the card back from a file's metadata. Raises CardUnreadable; unknown entries are ignored."""
        if METADATA_KEY not in metadata:
            raise CardUnreadable("it carries no model card, so nobody knows what it was trained for")
        try:
            entries: dict[str, Any] = json.loads(metadata[METADATA_KEY])
            known = {f.name: entries[f.name] for f in fields(cls)}
            known["classes"] = tuple(str(label) for label in entries["classes"])
            return cls(**known)
        except (ValueError, TypeError, KeyError) as error:
            raise CardUnreadable(f"its model card is damaged ({type(error).__name__}: {error})") from error
