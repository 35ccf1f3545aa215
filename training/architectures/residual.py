"""A small residual network (He 2016): strides in place of pooling, half the pixels from the start."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from training.model_card import CLASSES, GLYPH_SIDE, INPUT_NAME
from training.normalisation import BatchNormalization
from training.rounding import Conv2D

WIDTHS = (32, 64)  # filters at 14 and 7 px: 14 million multiply-adds
BLOCKS = 2  # at each size
DROPOUT = 0.3


def build(weights: Path | None = None) -> keras.Model:  # noqa: ARG001  nothing pretrained
    """Return a 5x5 convolution of stride 2 and four blocks of two convolutions, each added to its input."""
    glyphs = keras.Input((GLYPH_SIDE, GLYPH_SIDE), dtype="uint8", name=INPUT_NAME)
    features = layers.Rescaling(1 / 255)(glyphs)
    features = layers.Reshape((GLYPH_SIDE, GLYPH_SIDE, 1))(features)
    features = _convolution(features, WIDTHS[0], side=5, stride=2)
    for filters in WIDTHS:
        for block in range(BLOCKS):
            features = _block(features, filters, stride=2 if filters != WIDTHS[0] and block == 0 else 1)
    features = layers.GlobalAveragePooling2D()(features)
    features = layers.Dropout(DROPOUT)(features)
    return keras.Model(glyphs, layers.Dense(len(CLASSES), activation="softmax", dtype="float32")(features))


def _block(features: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    changed = _convolution(features, filters, stride=stride)
    changed = Conv2D(filters, 3, padding="same", use_bias=False)(changed)
    changed = BatchNormalization()(changed)
    if features.shape[-1] != filters:
        features = Conv2D(filters, 1, strides=stride, use_bias=False)(features)
        features = BatchNormalization()(features)
    return layers.ReLU()(layers.Add()([features, changed]))


def _convolution(
    features: keras.KerasTensor, filters: int, *, side: int = 3, stride: int = 1
) -> keras.KerasTensor:
    features = Conv2D(filters, side, strides=stride, padding="same", use_bias=False)(features)
    return layers.ReLU()(BatchNormalization()(features))
