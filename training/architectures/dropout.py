"""Model B of the report: model A with half of the features dropped while it learns."""

from __future__ import annotations

from pathlib import Path

import keras

from training.architectures import convolution


def build(weights: Path | None = None) -> keras.Model:
    """Return model A with Dropout 0.5 between the flattened features and the dense layer."""
    return convolution.build(weights, dropout=0.5)
