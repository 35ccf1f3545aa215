"""What a scanner, a copier and a bad day do to a page. Skew moves the truth too; the rest is pixels."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) blue, green, red; uint8."""

Affine = npt.NDArray[np.float64]
"""2 x 3, from the sheet's pixels to the page's."""


class Damage(StrEnum):
    UNEVEN = "uneven paper"
    FAINT = "faint ink"
    BLUR = "blur"
    NOISE = "noise"
    SPECKLE = "speckle"
    BORDER = "scanner border"
    LOW_RESOLUTION = "low resolution"
    JPEG = "JPEG compression"
    ONE_BIT = "1-bit"


def skew(shape: tuple[int, ...], degrees: float) -> tuple[Affine, tuple[int, int]]:
    """Return the turn of a page about its centre (clockwise is positive) and the size that holds all of it.

    The size is (width, height) as OpenCV takes it.
    """
    height, width = shape[:2]
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0), np.float64)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    new_width, new_height = int(np.ceil(height * sin + width * cos)), int(np.ceil(height * cos + width * sin))
    turn[:, 2] += ((new_width - width) / 2, (new_height - height) / 2)
    return turn, (new_width, new_height)


def inflict(image: Image, damage: Damage, dpi: float, rng: np.random.Generator) -> Image:
    """Return the image with that damage, of the same size and number of channels."""
    return _DAMAGES[damage](image, dpi, rng)


def _uneven(image: Image, _dpi: float, rng: np.random.Generator) -> Image:
    """Grey paper, darker towards one side, with the marbling of recycled pulp."""
    height, width = image.shape[:2]
    slow = cv2.resize(rng.uniform(0.74, 1.0, (3, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    pulp = cv2.resize(rng.normal(0, 0.01, (height // 8 + 1, width // 8 + 1)), (width, height))
    return _clip(image * _like(slow + pulp, image))


def _faint(image: Image, _dpi: float, rng: np.random.Generator) -> Image:
    """A copy of a copy: everything printed and written fades towards the paper."""
    return _clip(255 - (255 - image.astype(np.float32)) * rng.uniform(0.4, 0.6))


def _blur(image: Image, dpi: float, rng: np.random.Generator) -> Image:
    sigma = rng.uniform(0.08, 0.13) * dpi / 25.4  # mm of a scanner out of focus
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _noise(image: Image, _dpi: float, rng: np.random.Generator) -> Image:
    return _clip(image + _like(rng.normal(0, rng.uniform(8, 18), image.shape[:2]), image))


def _speckle(image: Image, dpi: float, rng: np.random.Generator) -> Image:
    """Dust on the glass: dark dots of 0.1 to 0.35 mm, and as many light ones in lines and ink."""
    speckled = image.copy()
    height, width = image.shape[:2]
    for shade in (40, 250):
        for _ in range(int(rng.integers(100, 300))):
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(speckled, centre, round(rng.uniform(0.05, 0.17) * dpi / 25.4), (shade,) * 3, -1)
    return speckled


def _border(image: Image, dpi: float, rng: np.random.Generator) -> Image:
    """The dark edge of a lid that was not shut, on one or two sides, up to 4 mm into the paper."""
    bordered = image.copy()
    height, width = image.shape[:2]
    for side in rng.choice(4, int(rng.integers(1, 3)), replace=False):
        depth = round(rng.uniform(1, 4) * dpi / 25.4)
        strip = [np.s_[:depth], np.s_[height - depth :], np.s_[:, :depth], np.s_[:, width - depth :]][side]
        bordered[strip] = rng.integers(15, 70)
    return bordered


def _low_resolution(image: Image, dpi: float, _rng: np.random.Generator) -> Image:
    """Scanned at fewer dots than the file has: half of them, yet 100 dpi at least."""
    height, width = image.shape[:2]
    factor = max(0.5, min(1.0, 100 / dpi))
    small = cv2.resize(image, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _jpeg(image: Image, _dpi: float, rng: np.random.Generator) -> Image:
    quality = int(rng.integers(25, 60))
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), np.uint8)


def _one_bit(image: Image, _dpi: float, rng: np.random.Generator) -> Image:
    """A fax or G4 scan: each pixel black or white by one threshold."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    bits = np.where(grey > threshold + rng.uniform(0, 25), 255, 0).astype(np.uint8)
    return bits if image.ndim == 2 else np.asarray(cv2.merge([bits] * 3), np.uint8)


def _like(plane: npt.NDArray[np.floating], image: Image) -> npt.NDArray[np.float32]:
    single = plane.astype(np.float32)
    return single if image.ndim == 2 else single[:, :, None]


def _clip(image: npt.NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(image, 0, 255), np.uint8)


# In the order in which they befall a page: paper, ink, optics, sensor, file.
_DAMAGES: dict[Damage, Callable[[Image, float, np.random.Generator], Image]] = {
    Damage.UNEVEN: _uneven,
    Damage.FAINT: _faint,
    Damage.BLUR: _blur,
    Damage.NOISE: _noise,
    Damage.SPECKLE: _speckle,
    Damage.BORDER: _border,
    Damage.LOW_RESOLUTION: _low_resolution,
    Damage.JPEG: _jpeg,
    Damage.ONE_BIT: _one_bit,
}
