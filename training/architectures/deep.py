"""Six convolutions with batch normalisation and nothing dense: in ONNX convolution, ReLU and pooling only."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from training.model_card import CLASSES, GLYPH_SIDE, INPUT_NAME
from training.normalisation import BatchNormalization

WIDTHS = (16, 40, 96)  # filters at 28, 14 and 7 px: 11 million multiply-adds
DROPOUT = 0.3


def build(weights: Path | None = None) -> keras.Model:  # noqa: ARG001  nothing pretrained
    """Return three pairs of 3x3 convolutions with pooling between them and a 1x1 convolution as head.

    Normalising after each convolution costs nothing to read with: exporting folds it into the convolution.
    """
    glyphs = keras.Input((GLYPH_SIDE, GLYPH_SIDE), dtype="uint8", name=INPUT_NAME)
    features = layers.Rescaling(1 / 255)(glyphs)
    features = layers.Reshape((GLYPH_SIDE, GLYPH_SIDE, 1))(features)
    for filters in WIDTHS:
        if filters != WIDTHS[0]:
            features = layers.MaxPooling2D()(features)
        for _ in range(2):
            features = layers.Conv2D(filters, 3, padding="same", use_bias=False)(features)
            features = BatchNormalization()(features)
            features = layers.ReLU()(features)
    features = layers.SpatialDropout2D(DROPOUT)(features)
    features = layers.Conv2D(len(CLASSES), 1)(features)
    features = layers.GlobalAveragePooling2D(dtype="float32")(features)
    return keras.Model(glyphs, layers.Softmax(dtype="float32")(features))
