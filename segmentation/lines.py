"""The straight lines of a page's print, level and upright, told from text, digits and dirt.

All lengths are pixels of the working copy, whose longer side is about 1,170: 0.25 mm each on A4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

PAPER_WINDOW = 41  # over which the paper's brightness is averaged: wider than a line, narrower than a shadow
DEEPEST_DIP = 12  # grey levels by which print may pull that average down, or faint lines beside bold ones go
LINE_CONTRAST = 8  # grey levels; a hairline of a third of a pixel, printed in grey, still has 20
SHORTEST_LEVEL, SHORTEST_UPRIGHT = 13, 12  # longer than the strokes of small print
LINE_SPREAD = 1  # pixels by which a line is made wider on each side
SKEW_LENGTH = 40  # of the lines that tell the page's skew: 10 mm
FLAT = 0.25  # height over length of a level line as it lies on a page, 10 degrees askew at most
LEAST_SKEW = 0.15  # degrees; less does not show within the longest box

Mask = npt.NDArray[np.uint8]
"""(height, width) uint8, 255 where it holds and 0 elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Where print runs straight for a while, LINE_SPREAD pixels wider than it is printed."""

    level: Mask
    upright: Mask


@dataclass(frozen=True, slots=True, eq=False)
class StraightPrint:
    """The print of a page, turned until its lines are level, and the way back."""

    print_: Mask
    skew_degrees: float  # by how much it was turned on the page, clockwise is positive
    to_straight: npt.NDArray[np.float64]  # (2, 3): takes (x, y, 1) of the working copy there

    def back(
        self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return where points of the straight print lie on the working copy."""
        rotation, shift = self.to_straight[:, :2], self.to_straight[:, 2]
        before_x, before_y = rotation.T @ (np.stack([x, y]) - shift[:, None])  # its inverse is its transpose
        return before_x, before_y


def find_print(grey: npt.NDArray[np.uint8]) -> Mask:
    """Return where something is darker than the paper round it."""
    window = (PAPER_WINDOW, PAPER_WINDOW)
    average = cv2.blur(grey, window)
    lowest = cv2.addWeighted(average, 1, average, 0, -DEEPEST_DIP)  # which stops at 0
    darkness = cv2.subtract(cv2.blur(cv2.max(grey, lowest), window), grey)
    contrast = max(LINE_CONTRAST, _grain(grey))
    return np.asarray(cv2.threshold(darkness, contrast, 255, cv2.THRESH_BINARY)[1], np.uint8)


def straighten(print_: Mask) -> StraightPrint:
    """Return the print turned about its centre so that its lines are level."""
    height, width = print_.shape
    skew = _skew_degrees(print_)
    if abs(skew) < LEAST_SKEW:
        return StraightPrint(print_, skew, np.eye(2, 3))
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0), np.float64)
    turned = cv2.warpAffine(print_, turn, (width, height), flags=cv2.INTER_NEAREST)
    return StraightPrint(np.asarray(turned, np.uint8), skew, turn)


def _skew_degrees(print_: Mask) -> float:
    """Return by how many degrees the page's level lines are turned, their median by length; 0 without any."""
    slopes, lengths = [], []
    level = _opened(print_, SHORTEST_LEVEL, 1)
    for contour in cv2.findContours(level, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        _, _, width, height = cv2.boundingRect(contour)
        if width < SKEW_LENGTH or height > FLAT * width:
            continue
        across, down, _, _ = cv2.fitLine(contour, cv2.DIST_L2, 0, 0.01, 0.01).ravel().tolist()
        slopes.append(down / across)
        lengths.append(width)
    if not slopes:
        return 0.0
    order = np.argsort(slopes)
    weight = np.cumsum(np.array(lengths)[order])
    middle = int(np.searchsorted(weight, weight[-1] / 2))
    return math.degrees(math.atan(slopes[order[middle]]))


def find_lines(print_: Mask) -> Lines:
    """Return the lines that are level or upright within a few degrees, of any thickness."""
    return Lines(_opened(print_, SHORTEST_LEVEL, 1), _opened(print_, 1, SHORTEST_UPRIGHT))


def _opened(print_: Mask, width: int, height: int) -> Mask:
    """Return the lines along the longer side of a bar of this size.

    Print is made wider across the direction before it is opened along it: a hairline that is askew would
    fall into short steps otherwise.
    """
    across = _bar(1, 1 + 2 * LINE_SPREAD)
    wide = cv2.dilate(print_, across if width > height else across.T)
    return np.asarray(cv2.morphologyEx(wide, cv2.MORPH_OPEN, _bar(width, height)), np.uint8)


def _grain(grey: npt.NDArray[np.uint8]) -> float:
    """Return the standard deviation of the paper's grain, from neighbouring pixels of some rows."""
    rows = grey[::16]
    if grey.shape[1] < 2:
        return 0.0
    steps = cv2.absdiff(rows[:, 1:], rows[:, :-1])
    counts = cv2.calcHist([steps], [0], None, [256], [0, 256]).cumsum()
    return float(np.searchsorted(counts, counts[-1] / 2))  # the median step of white noise: 0.95 deviations


def _bar(width: int, height: int) -> Mask:
    return np.ones((height, width), np.uint8)
