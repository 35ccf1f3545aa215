"""What differs from hand to hand: a digit turned, slanted, scaled and shifted is still the same digit."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Distortion:
    """The largest change in each direction; every glyph draws its own, evenly spread."""

    turn_degrees: float = 10.0
    slant: float = 0.2  # pixels to the side per pixel up
    scale: float = 0.1  # share of the size
    shift: float = 1.5  # px


def distort(
    glyphs: npt.NDArray[np.uint8], distortion: Distortion, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Return glyphs (n, 28, 28) uint8, each distorted about its centre in its own way."""
    spread = np.array([distortion.turn_degrees, distortion.slant, distortion.scale, *[distortion.shift] * 2])
    draws = rng.uniform(-1, 1, (len(glyphs), len(spread))) * spread
    return np.stack([_warp(glyph, draw) for glyph, draw in zip(glyphs, draws, strict=True)])


def _warp(glyph: npt.NDArray[np.uint8], draw: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    turn_degrees, slant, scale, shift_x, shift_y = draw
    centre = (np.array(glyph.shape[::-1]) - 1) / 2
    turned = cv2.getRotationMatrix2D((0.0, 0.0), turn_degrees, 1 + scale)[:, :2]
    linear = turned @ np.array([[1.0, slant], [0.0, 1.0]])
    offset = centre - linear @ centre + (shift_x, shift_y)
    return cv2.warpAffine(glyph, np.column_stack([linear, offset]), glyph.shape[::-1]).astype(np.uint8)
