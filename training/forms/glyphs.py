"""Pen strokes as labelled glyphs, for training: hands that MNIST has few of, European ones and sevens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from segmentation.glyph import Glyph, normalise
from training.forms.pen import random_hand, write

DIGITS_PER_HAND = 20


def pen_glyphs(count: int, seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return glyphs (count, 28, 28) uint8 and their labels (count,) uint8, all digits about equally often.

    Written 20 to 80 pixels high, as boxes of 100 to 300 dpi hold them, by another hand every DIGITS_PER_HAND
    glyphs. Pages drawn for tests and benchmarks take their hands from other seeds than these.
    """
    rng = np.random.default_rng((seed, count))
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    glyphs: list[Glyph] = []
    for number, label in enumerate(labels):
        if number % DIGITS_PER_HAND == 0:
            hand = random_hand(rng)
        glyphs.append(normalise(write(int(label), float(rng.uniform(20, 80)), hand, rng)))
    return np.stack(glyphs), labels
