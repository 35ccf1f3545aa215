from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx

from tests.training.made_digits import made_dataset
from training import export
from training.architectures import build
from training.quantisation import quantise
from training.rounding import LEVELS, Conv2D, round_weights

FEATURES = np.random.default_rng(0).normal(size=(4, 9, 9, 3)).astype(np.float32)


def built(layer: keras.layers.Conv2D) -> keras.layers.Conv2D:
    layer.build(FEATURES.shape)
    if isinstance(layer, Conv2D):
        layer.rounds = True
    return layer


def test_a_filters_weights_are_whole_multiples_of_a_64th_of_its_largest() -> None:
    layer = built(Conv2D(5, 3))

    rounded, kept = np.asarray(layer.kernel), np.asarray(layer.get_weights()[0])

    largest = np.abs(kept).max(axis=(0, 1, 2))
    multiples = rounded / (largest / LEVELS)
    np.testing.assert_allclose(multiples, np.round(multiples), atol=1e-3)
    np.testing.assert_allclose(np.abs(rounded).max(axis=(0, 1, 2)), largest, rtol=1e-5)
    assert 0 < np.abs(rounded - kept).max() <= 0.5001 * largest.max() / LEVELS


def test_what_is_learnt_moves_the_weights_before_rounding_as_if_there_were_none() -> None:
    keras.utils.set_random_seed(0)
    layer, plain = built(Conv2D(5, 3, use_bias=False)), built(keras.layers.Conv2D(5, 3, use_bias=False))
    plain.set_weights([np.asarray(layer.kernel)])
    before = [each.get_weights()[0] for each in (layer, plain)]

    for each in (layer, plain):
        model = keras.Sequential([keras.Input(FEATURES.shape[1:]), each])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(FEATURES, np.ones((4, 7, 7, 5), np.float32))

    moved = [each.get_weights()[0] - was for each, was in zip((layer, plain), before, strict=True)]
    np.testing.assert_allclose(moved[0], moved[1], atol=1e-6)
    assert np.abs(moved[0]).max() > 1e-3


def test_in_bfloat16_the_same_multiples_are_taken() -> None:
    precise, quick = built(Conv2D(64, 3)), built(Conv2D(64, 3, dtype="mixed_bfloat16"))
    quick.set_weights(precise.get_weights())

    expected, rounded = np.asarray(precise.kernel), np.float32(quick.kernel)

    assert quick.kernel.dtype == quick(FEATURES).dtype == "bfloat16"
    step = np.abs(expected).max(axis=(0, 1, 2)) / LEVELS
    assert (np.abs(rounded - expected) / step).max() < 0.3  # bfloat16's own step at the largest is 0.25


def test_until_it_is_told_to_it_rounds_nothing() -> None:
    layer = Conv2D(5, 3)
    layer.build(FEATURES.shape)

    np.testing.assert_array_equal(np.asarray(layer.kernel), layer.get_weights()[0])


def test_a_filter_that_is_nought_stays_nought() -> None:
    layer = built(Conv2D(5, 3, kernel_initializer="zeros"))

    assert not np.asarray(layer.kernel).any()


def test_its_weights_are_read_from_a_file_of_keras_own_layer(tmp_path: Path) -> None:
    theirs, ours = (
        keras.Sequential([keras.Input(FEATURES.shape[1:]), layer])
        for layer in (keras.layers.Conv2D(5, 3), Conv2D(5, 3))
    )
    theirs.save_weights(tmp_path / "their.weights.h5")

    ours.load_weights(tmp_path / "their.weights.h5")

    np.testing.assert_array_equal(ours.get_weights()[0], theirs.get_weights()[0])


def test_in_8_bits_the_weights_of_the_shipped_architecture_are_what_it_learnt_with() -> None:
    keras.utils.set_random_seed(0)
    digits = made_dataset(300, 100)
    model = build("residual")
    round_weights(model)
    learnt = export.convert(model, digits.validation.glyphs)

    small = quantise(learnt, digits.training.glyphs, digits.validation)

    exact = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in learnt.graph.initializer
        if len(tensor.dims) == 4 and tensor.dims[1] > 1
    ]
    whole = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in small.graph.initializer}
    read = [
        values.astype(np.float32) * whole[name.replace("_quantized", "_scale")].reshape(-1, 1, 1, 1)
        for name, values in whole.items()
        if name.endswith("_quantized") and values.ndim == 4 and values.shape[1] > 1
    ]
    assert len(read) == len(exact) == 9
    for weights in exact:
        assert any(
            weights.shape == other.shape and np.allclose(weights, other, atol=1e-5 * np.abs(weights).max())
            for other in read
        )
