"""Model C of the report: MobileNet (Howard 2017) trained on ImageNet, its top layers fine-tuned on digits."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
from keras import layers

from training.architectures import FROZEN, TRAINED
from training.errors import WeightsUnreadable
from training.model_card import DIGITS, GLYPH_SIDE, INPUT_NAME

SIDE = 96
FROZEN_UP_TO = "conv_pw_11_relu"  # (6, 6, 512 * alpha): the last 6 x 6 features, small enough to cache
CUT = "conv_dw_13_relu"  # as far as the weights of the public cut-down file go
FIRST_FILTERS = 32  # of the first convolution at alpha 1


def build(weights: Path | None = None) -> keras.Model:
    """Return MobileNet up to its last depthwise block at 96 x 96, then pooling and softmax.

    `weights` is a Keras weights file without top, complete or cut at conv_dw_13, of any alpha; None lets
    Keras download alpha 1. Raises WeightsUnreadable.
    """
    whole = _load(weights)
    seam = whole.get_layer(FROZEN_UP_TO).output
    upper = keras.Model(seam, whole.get_layer(CUT).output)
    for layer in upper.layers:  # their means stay: a few epochs are too few to learn others
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    glyphs = keras.Input((GLYPH_SIDE, GLYPH_SIDE), dtype="uint8", name=INPUT_NAME)

    pixels = layers.Rescaling(1 / 255)(glyphs)
    pixels = layers.Reshape((GLYPH_SIDE, GLYPH_SIDE, 1))(pixels)
    pixels = layers.Resizing(SIDE, SIDE)(pixels)
    pixels = layers.Rescaling(2, offset=-1)(pixels)  # what ImageNet's MobileNet was trained on
    pixels = layers.Concatenate()([pixels] * 3)
    frozen = keras.Model(glyphs, keras.Model(whole.input, seam)(pixels), name=FROZEN)
    frozen.trainable = False

    features = keras.Input(frozen.output.shape[1:])
    pooled = layers.GlobalAveragePooling2D()(upper(features))
    trained = keras.Model(features, layers.Dense(len(DIGITS), activation="softmax")(pooled), name=TRAINED)
    return keras.Model(glyphs, trained(frozen(glyphs)))


def _load(weights: Path | None) -> keras.Model:
    """Return MobileNet without its top; only the layers up to CUT are sure to hold ImageNet's weights."""
    if weights is None:
        return keras.applications.MobileNet((SIDE, SIDE, 3), include_top=False, weights="imagenet")
    try:
        whole = keras.applications.MobileNet(
            (SIDE, SIDE, 3), alpha=_alpha(weights), include_top=False, weights=None
        )
        if weights.name.endswith(".weights.h5"):
            # Keras 3 goes by the layers' numbers, so that a shorter model may load it.
            keras.Model(whole.input, whole.get_layer(CUT).output).load_weights(weights)
        else:
            whole.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsUnreadable(
            f"{weights} holds no weights of MobileNet without top: {error}; "
            "leave --mobilenet-weights out to download them"
        ) from error
    return whole


def _alpha(weights: Path) -> float:
    """Return the width of the network in a weights file: the length of its first normalisation over 32."""
    with h5py.File(weights) as file:
        first = file.get("layers/batch_normalization/vars/0", file.get("conv1_bn/conv1_bn/gamma:0"))
        if first is None:
            raise ValueError("its first batch normalisation is missing")
        return float(len(first) / FIRST_FILTERS)
