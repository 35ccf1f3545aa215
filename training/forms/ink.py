"""The ink of one digit before it is on paper, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.uint8]
"""(height, width) uint8, ink light on black, cropped to it."""

DigitSource = Callable[[int, float, np.random.Generator], Ink]
"""(digit, height in pixels, randomness) -> its ink, about that high."""


@dataclass(frozen=True, slots=True, eq=False)
class PastedDigits:
    """Labelled digit images, such as MNIST, as a digit source: pasted with their ink scaled smoothly.

    Another writer wrote each of them, which no page of a real form shows.
    """

    images: npt.NDArray[np.uint8]  # (n, height, width), ink light on black
    labels: npt.NDArray[np.integer]

    def __call__(self, digit: int, height_px: float, rng: np.random.Generator) -> Ink:
        ink = crop(self.images[rng.choice(np.flatnonzero(self.labels == digit))])
        return zoom(ink, height_px / ink.shape[0])


def crop(ink: Ink) -> Ink:
    """Return the ink without the black around it."""
    x, y, width, height = cv2.boundingRect((ink > 16).astype(np.uint8))
    return ink[y : y + height, x : x + width]


def zoom(ink: Ink, factor: float) -> Ink:
    """Return the ink that many times as large, smoothly; never so small that nothing is left."""
    factor = max(factor, 0.51 / min(ink.shape))
    smooth = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(ink, None, fx=factor, fy=factor, interpolation=smooth), np.uint8)
