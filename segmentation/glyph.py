"""THE PIXEL CONTRACT: ink becomes a glyph here, for training and inference alike, so they cannot drift.

Whoever changes what `normalise` returns gives GLYPH_RECIPE another name, retrains, and ships both in one
commit.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

GLYPH_RECIPE = "mnist-mass-1"
"""Longest side 20 px, centre of mass on pixel (14, 14), strokes of 2 px at least, brightest pixel 255."""

GLYPH_SIDE = 28
INK_SIDE = 20  # px of the digit's longer side within a glyph, as in MNIST
MASS_CENTRE = 14.0  # measured on MNIST: the mean centre of mass is pixel 14.00, by whole-pixel shifts
THINNEST_STROKE = (
    2.0  # px within a glyph; MNIST's median is 2.5, and thinner pens fade when they are made small
)

Glyph = npt.NDArray[np.uint8]
"""(28, 28) uint8, light ink on black."""

Ink = npt.NDArray[np.uint8]
"""(height, width) uint8 of any size, light ink on black, one digit and nothing else."""


class BlankCell(ValueError):
    """There is no ink to make a glyph of."""


def normalise(ink: Ink) -> Glyph:
    """Return the digit's ink, scaled to 20 px and centred by mass on 28 x 28 (LeCun 1998).

    Expects light ink on black, uint8, any size. Raises BlankCell where there is none. An MNIST image comes
    back as it is.
    """
    digit = _crop(ink)
    scale = INK_SIDE / max(digit.shape)
    digit = _thicken(digit, THINNEST_STROKE / scale)
    height, width = digit.shape
    scale = INK_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return _centre_by_mass(np.asarray(cv2.resize(digit, size, interpolation=interpolation), np.uint8))


def _crop(ink: Ink) -> Ink:
    x, y, width, height = cv2.boundingRect(ink)
    if width == 0 or height == 0:
        raise BlankCell("no ink in this cell")
    return ink[y : y + height, x : x + width]


def _thicken(digit: Ink, thinnest: float) -> Ink:
    """Return the digit with strokes of about `thinnest` px where they are thinner than that."""
    lacking = round(thinnest - stroke_width(digit))
    if lacking < 1:
        return digit
    padded = cv2.copyMakeBorder(digit, lacking, lacking, lacking, lacking, cv2.BORDER_CONSTANT, value=0)
    return _crop(np.asarray(cv2.dilate(padded, _brush(lacking + 1)), np.uint8))


@cache
def _brush(side: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def stroke_width(digit: Ink) -> float:
    """Return the mean width of the strokes in px: twice their area over the length of their outline.

    Counting pixel edges overstates that length, by 4 / pi over all directions.
    """
    height, width = digit.shape
    solid = np.zeros((height + 2, width + 2), np.uint8)
    np.right_shift(digit, 7, out=solid[1:-1, 1:-1])
    edges = cv2.norm(solid[:, 1:], solid[:, :-1], cv2.NORM_L1)
    edges += cv2.norm(solid[1:], solid[:-1], cv2.NORM_L1)
    return 8.0 / np.pi * cv2.countNonZero(solid) / edges if edges else 0.0


def _centre_by_mass(small: Ink) -> Glyph:
    height, width = small.shape
    mass = cv2.moments(small)
    x, y = mass["m10"] / mass["m00"], mass["m01"] / mass["m00"]
    left = min(max(round(MASS_CENTRE - x), 0), GLYPH_SIDE - width)
    top = min(max(round(MASS_CENTRE - y), 0), GLYPH_SIDE - height)
    glyph = np.zeros((GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    cv2.normalize(small, glyph[top : top + height, left : left + width], 255, 0, cv2.NORM_INF)
    return glyph
