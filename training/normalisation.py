"""Batch normalisation by TensorFlow's one kernel: a network with it learns a fifth faster on a processor."""

from __future__ import annotations

import keras
import tensorflow as tf


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Keras' layer, whose own arithmetic takes a pass over the features for each step of the formula.

    Its name is Keras', for files of weights go by it. The variance that is kept is that of the batch times
    n / (n - 1), n being all places of all glyphs.
    """

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        if not training or not self.trainable or mask is not None or self.compute_dtype != "float32":
            return super().call(inputs, training=training, mask=mask)
        normalised, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        for kept, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(kept * self.momentum + seen * (1 - self.momentum))
        return normalised
