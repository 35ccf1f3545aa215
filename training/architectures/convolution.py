"""Model A of the report: convolution, pooling, flatten, dense, ReLU and softmax."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from training.model_card import DIGITS, GLYPH_SIDE, INPUT_NAME


def build(weights: Path | None = None, *, dropout: float = 0.0) -> keras.Model:  # noqa: ARG001  nothing pretrained
    """Return two convolutions with pooling, then two dense layers; 225 k parameters."""
    glyphs = keras.Input((GLYPH_SIDE, GLYPH_SIDE), dtype="uint8", name=INPUT_NAME)
    features = layers.Rescaling(1 / 255)(glyphs)
    features = layers.Reshape((GLYPH_SIDE, GLYPH_SIDE, 1))(features)
    for filters in (32, 64):
        features = layers.Conv2D(filters, 3, activation="relu")(features)
        features = layers.MaxPooling2D()(features)
    features = layers.Flatten()(features)
    if dropout:
        features = layers.Dropout(dropout)(features)
    features = layers.Dense(128, activation="relu")(features)
    return keras.Model(glyphs, layers.Dense(len(DIGITS), activation="softmax")(features))
