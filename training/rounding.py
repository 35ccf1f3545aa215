"""Convolutions that can learn with the weights they will read with: rounded to 8 bits, less one.

Rounded only after it has learnt, `residual` reads 5 of MNIST's 10,000 digits to validate with otherwise.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

LEVELS = 64  # on each side of nought: what `training.quantisation` leaves of 8 bits


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]  # Keras has no types
    """Keras' layer; once `rounds` is set, each filter's weights are whole multiples of a 64th of its largest.

    Gradients pass through the rounding as if it were not there (Bengio 2013), and what is kept, and learnt on
    from, are the weights before it. Scaling a filter, as folding a normalisation into it does, leaves its
    weights such multiples: ONNX's scale for each filter then loses nothing.
    """

    rounds = False

    def add_weight(self, *args: Any, **settings: Any) -> keras.Variable:
        """Keep the kernel out of bfloat16 until it is rounded: that is too coarse to tell which way."""
        if settings.get("name") == "kernel":
            settings["autocast"] = False
        return super().add_weight(*args, **settings)

    @property
    def kernel(self) -> keras.KerasTensor:
        learnt = super().kernel
        if not self.rounds:
            return ops.cast(learnt, self.compute_dtype)
        largest = ops.max(ops.abs(learnt), axis=(0, 1, 2), keepdims=True)
        step = ops.maximum(largest, keras.config.epsilon()) / LEVELS
        rounded = learnt + ops.stop_gradient(ops.round(learnt / step) * step - learnt)
        return ops.cast(rounded, self.compute_dtype)


def round_weights(model: keras.Model) -> None:
    """Have a network compute with rounded weights from now on, in layers that know how."""
    for layer in model.layers:
        if isinstance(layer, Conv2D):
            layer.rounds = True
