"""The straight lines of a page's print, level and upright, told from text, digits and dirt.

All lengths are pixels of the working copy, whose longer side is about 1,170: 0.25 mm each on A4.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

PAPER_WINDOW = (
    41  # over which the paper's brightness is averaged: wider than a box line, narrower than a shadow
)
DEEPEST_DIP = 12  # grey levels by which print may pull that average down, or faint lines beside bold ones go
LINE_CONTRAST = 8  # grey levels; a hairline of a third of a pixel, printed in grey, still has 20
SHORTEST_LINE = 13  # longer than the strokes of small print, shorter than the sides of the smallest box
LARGEST_GAP = 5  # that a worn line may have
LINE_SPREAD = 1  # pixels by which a line is made wider on each side

Mask = npt.NDArray[np.uint8]
"""(height, width) uint8, 255 where it holds and 0 elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Where print runs straight for a while, LINE_SPREAD pixels wider than it is printed."""

    level: Mask
    upright: Mask

    def mended(self) -> Mask:
        """Return both in one, gaps of up to LARGEST_GAP pixels along a line closed."""
        level = cv2.morphologyEx(self.level, cv2.MORPH_CLOSE, _bar(LARGEST_GAP + 1, 1))
        upright = cv2.morphologyEx(self.upright, cv2.MORPH_CLOSE, _bar(1, LARGEST_GAP + 1))
        return np.asarray(cv2.bitwise_or(level, upright), np.uint8)


def find_lines(grey: npt.NDArray[np.uint8]) -> Lines:
    """Return the lines that are level or upright within some ten degrees, of any thickness.

    Print is made wider across each direction before it is opened along it: a hairline that is askew would
    fall into short steps otherwise.
    """
    print_ = _print(grey)
    wider = 1 + 2 * LINE_SPREAD
    level = cv2.morphologyEx(cv2.dilate(print_, _bar(1, wider)), cv2.MORPH_OPEN, _bar(SHORTEST_LINE, 1))
    upright = cv2.morphologyEx(cv2.dilate(print_, _bar(wider, 1)), cv2.MORPH_OPEN, _bar(1, SHORTEST_LINE))
    return Lines(np.asarray(level, np.uint8), np.asarray(upright, np.uint8))


def _print(grey: npt.NDArray[np.uint8]) -> Mask:
    """Return where something is darker than the paper round it."""
    window = (PAPER_WINDOW, PAPER_WINDOW)
    lowest = np.maximum(cv2.blur(grey, window), DEEPEST_DIP) - DEEPEST_DIP
    darkness = cv2.subtract(cv2.blur(np.maximum(grey, lowest), window), grey)
    contrast = max(LINE_CONTRAST, _grain(grey))
    return np.asarray(cv2.threshold(darkness, contrast, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _grain(grey: npt.NDArray[np.uint8]) -> float:
    """Return the standard deviation of the paper's grain, from neighbouring pixels of some rows."""
    rows = grey[::16].astype(np.int16)
    steps = np.abs(np.diff(rows, axis=1))
    return float(np.median(steps)) if steps.size else 0.0  # the median step of white noise is 0.95 deviations


def _bar(width: int, height: int) -> Mask:
    return np.ones((height, width), np.uint8)
