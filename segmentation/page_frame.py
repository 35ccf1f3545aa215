"""How the paper lies in the image: a small copy to look for lines on, and how far the print is turned.

The page itself is never turned. What is found on the small copy is carried over to page pixels, and skew is a
number that coordinates are corrected by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Point

WORKING_LENGTH = 1170  # px of the longer side: 100 dpi on A4, where the finest printed line still shows
LARGEST_SKEW_DEGREES = 10.0  # a line that is turned further was not printed level


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCopy:
    """A page made small enough for its lines to be found fast; `reduction` is page pixels per pixel of it."""

    grey: npt.NDArray[np.uint8]
    reduction: float

    def to_page(self, x: float, y: float) -> Point:
        """Return where on the page a point of the small copy lies; pixel centres are whole numbers."""
        return Point((x + 0.5) * self.reduction - 0.5, (y + 0.5) * self.reduction - 0.5)


def working_copy(grey: npt.NDArray[np.uint8]) -> WorkingCopy:
    """Return a copy whose longer side is at most about WORKING_LENGTH; small pages are taken as they are.

    Halving by area, of even sides, is 40 times as fast as any other reduction OpenCV has, so only the last
    step is left to interpolation; lines of one pixel survive it.
    """
    small, reduction = grey, 1.0
    while max(small.shape) >= 2 * WORKING_LENGTH:
        height, width = small.shape[0] // 2, small.shape[1] // 2
        if min(height, width) == 0:
            break
        small = _resize(small[: 2 * height, : 2 * width], width, height, cv2.INTER_AREA)
        reduction *= 2
    rest = max(small.shape) / WORKING_LENGTH
    if rest > 1:
        height, width = small.shape
        small = _resize(small, max(1, round(width / rest)), max(1, round(height / rest)), cv2.INTER_LINEAR)
        reduction = max(grey.shape) / max(small.shape)
    return WorkingCopy(small, reduction)


def skew_of(baselines: Sequence[tuple[Point, Point]]) -> float:
    """Return by how many degrees lines that were printed level are turned, clockwise positive.

    That is their median by length; 0 where there are none, or none within LARGEST_SKEW_DEGREES.
    """
    angles = [math.degrees(math.atan2(right.y - left.y, right.x - left.x)) for left, right in baselines]
    lengths = [math.hypot(right.x - left.x, right.y - left.y) for left, right in baselines]
    ranked = sorted(
        (angle, length)
        for angle, length in zip(angles, lengths, strict=True)
        if abs(angle) <= LARGEST_SKEW_DEGREES
    )
    half = sum(length for _, length in ranked) / 2
    for angle, length in ranked:
        half -= length
        if half <= 0:
            return angle
    return 0.0


def _resize(
    grey: npt.NDArray[np.uint8], width: int, height: int, interpolation: int
) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(grey, (width, height), interpolation=interpolation), np.uint8)
