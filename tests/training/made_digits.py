"""Digits that are easy to tell apart, in one typeface, a little shifted: for tests that train in seconds."""

from __future__ import annotations

import cv2
import numpy as np

from training.dataset import Dataset, LabelledGlyphs
from training.model_card import DIGITS, GLYPH_SIDE


def made_digits(count: int, seed: int = 0) -> LabelledGlyphs:
    """Return `count` labelled glyphs, every class as often as the next one, shuffled."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(DIGITS)).astype(np.uint8)
    glyphs = np.zeros((count, GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    for glyph, label in zip(glyphs, labels, strict=True):
        at = (5 + int(rng.integers(-2, 3)), 23 + int(rng.integers(-2, 3)))
        cv2.putText(glyph, str(label), at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2, cv2.LINE_AA)
    return LabelledGlyphs(glyphs, labels)


def made_dataset(training: int = 600, validation: int = 100, test: int = 100) -> Dataset:
    return Dataset(
        made_digits(training, 1), made_digits(validation, 2), made_digits(test, 3), {"made": "in a test"}
    )
