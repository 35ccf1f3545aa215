"""Glyphs worth showing: a model's sample predictions and its worst mistakes, small enough to commit."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.dataset import Glyphs, LabelledGlyphs
from training.files import replace_file
from training.model_card import GLYPH_SIDE

SAMPLES = 24
MISTAKES = 24


@dataclass(frozen=True, slots=True)
class ShownGlyph:
    pixels: str  # 784 bytes, deflated, base64
    truth: int
    read: int
    probability: float  # of what was read

    def glyph(self) -> Glyphs:
        pixels = zlib.decompress(base64.b64decode(self.pixels))
        return np.frombuffer(pixels, np.uint8).reshape(GLYPH_SIDE, GLYPH_SIDE)


@dataclass(frozen=True, slots=True)
class Gallery:
    """What the model of a run reads in test images: the first ones, and the most confident wrong ones."""

    run: str
    samples: tuple[ShownGlyph, ...]
    mistakes: tuple[ShownGlyph, ...]

    @classmethod
    def hang(cls, run: str, digits: LabelledGlyphs, probabilities: npt.NDArray[np.float32]) -> Gallery:
        read, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
        wrong = np.flatnonzero(read != digits.labels)
        worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]

        def show(index: int) -> ShownGlyph:
            pixels = base64.b64encode(zlib.compress(digits.glyphs[index].tobytes(), 9)).decode()
            return ShownGlyph(pixels, int(digits.labels[index]), int(read[index]), float(confidence[index]))

        first = range(min(SAMPLES, len(digits)))
        return cls(run, tuple(map(show, first)), tuple(show(int(index)) for index in worst))

    def write(self, path: Path) -> None:
        replace_file(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Gallery:
        entries = json.loads(path.read_text(encoding="utf-8"))
        shown = {
            part: tuple(ShownGlyph(**glyph) for glyph in entries[part]) for part in ("samples", "mistakes")
        }
        return cls(entries["run"], **shown)
