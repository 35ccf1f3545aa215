from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from training.normalisation import BatchNormalization

FEATURES = np.random.default_rng(0).normal(3, 2, (64, 7, 7, 5)).astype(np.float32)


def test_a_batch_is_normalised_and_remembered_as_by_keras() -> None:
    ours, theirs = BatchNormalization(), keras.layers.BatchNormalization()
    for _ in range(3):
        normalised, expected = (layer(FEATURES, training=True) for layer in (ours, theirs))

    np.testing.assert_allclose(normalised, expected, atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-3)
    np.testing.assert_allclose(ours(FEATURES), theirs(FEATURES), atol=1e-3)


def test_its_weights_are_read_from_a_file_of_keras_own_layer(tmp_path: Path) -> None:
    def network(layer: keras.layers.Layer) -> keras.Model:
        return keras.Sequential([keras.Input((7, 7, 5)), layer])

    theirs, ours = network(keras.layers.BatchNormalization()), network(BatchNormalization())
    theirs.set_weights([np.full(5, value, np.float32) for value in (1.5, 0.2, 3.0, 4.0)])
    theirs.save_weights(tmp_path / "their.weights.h5")

    ours.load_weights(tmp_path / "their.weights.h5")

    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_in_bfloat16_what_is_remembered_is_float32() -> None:
    precise, quick = BatchNormalization(), BatchNormalization(dtype="mixed_bfloat16")

    normalised = quick(FEATURES, training=True)

    assert normalised.dtype == "bfloat16"
    np.testing.assert_allclose(np.float32(normalised), precise(FEATURES, training=True), atol=0.05)
    assert quick.moving_mean.dtype == quick.moving_variance.dtype == "float32"
    np.testing.assert_allclose(quick.moving_mean, precise.moving_mean, rtol=1e-3)
    np.testing.assert_allclose(quick.moving_variance, precise.moving_variance, rtol=1e-3)


def test_a_layer_that_is_frozen_is_keras_own() -> None:
    frozen = BatchNormalization(trainable=False)

    np.testing.assert_allclose(frozen(FEATURES, training=True), FEATURES, rtol=1e-2)
