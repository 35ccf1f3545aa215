"""The numbers that a network multiplies while it learns: bfloat16 where this machine is quick at it.

Without instructions for it TensorFlow converts to and fro: over ten times slower than float32 (the network
`deep` on one core with AVX2 alone: 53 glyphs/s against 760; with the instructions 925).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from training.provenance import processor_flags
from training.recipe import BFLOAT16, FLOAT32, Recipe

QUICK_FLAGS = {"avx512_bf16", "amx_bf16"}  # of processors that multiply bfloat16, as Linux names them
GPUS = ("gpu", "cuda")  # how JAX and TensorFlow begin their names
POLICIES = {BFLOAT16: "mixed_bfloat16", FLOAT32: "float32"}  # Keras' names


def numbers_for(recipe: Recipe) -> str:
    """Return what a run of this recipe multiplies in, here and now: BFLOAT16 or FLOAT32."""
    return BFLOAT16 if recipe.bfloat16 and is_quick_at_bfloat16() else FLOAT32


def is_quick_at_bfloat16() -> bool:
    """Return whether there is a GPU, or a processor of which it is known."""
    return has_gpu() or not QUICK_FLAGS.isdisjoint(processor_flags())


def has_gpu() -> bool:
    """Return whether what Keras computes with sees a GPU."""
    return any(device.lower().startswith(GPUS) for device in keras.distribution.list_devices())


@contextmanager
def computing_in(numbers: str) -> Iterator[None]:
    """Have Keras multiply in BFLOAT16 or FLOAT32 in networks that are built in this block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[numbers])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
