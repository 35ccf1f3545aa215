"""The small copy of a page that lines are looked for on, and the way back to page pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Point

WORKING_LENGTH = 1170  # px of the longer side: 100 dpi on A4, where the finest printed line still shows


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


def _resize(
    grey: npt.NDArray[np.uint8], width: int, height: int, interpolation: int
) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(grey, (width, height), interpolation=interpolation), np.uint8)
