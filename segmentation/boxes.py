"""The printed boxes of a page: white regions that printed lines enclose.

Lines are what is dark over a length and thin across it, so a digit that touches or crosses its box hardly shows among
them. Everything here looks at the small copy of the page and answers in page pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Quad
from segmentation.page_frame import WorkingCopy

# All lengths are pixels of the working copy, whose longer side is about 1,170: 0.25 mm each on A4.
PAPER_WINDOW = (
    41  # over which the paper's brightness is averaged: wider than any box line, narrower than a shadow
)
DEEPEST_DIP = (
    12  # grey levels by which anything dark may pull that average down, or faint lines near bold ones go
)
LINE_CONTRAST = 8  # grey levels; a hairline of a third of a pixel, printed in grey, still has 20
SHORTEST_LINE = 13  # longer than the strokes of small print, shorter than the sides of the smallest box
LARGEST_GAP = 6  # that a worn line may have
SMALLEST_SIDE = 8  # of the inside of a box
LARGEST_SIDE = 160  # 40 mm on A4; larger regions are columns, frames and the paper itself
LEAST_FILLED = 0.6  # of the turned rectangle round it that a box fills: a digit grown into its wall dents it
LINE_SPREAD = 1.0  # px that the line mask reaches into the box on every side

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PrintedBox:
    """One enclosed white region. `frame` numbers the print it is enclosed by: boxes that share lines share it."""

    inside: Quad  # the inner edges of its lines, in page pixels
    frame: int
    alone: bool  # no other region shares its lines


def find_boxes(copy: WorkingCopy) -> list[PrintedBox]:
    """Return all four-sided regions that printed lines enclose, table cells and all, in no particular order."""
    white = cv2.bitwise_not(line_mask(copy.grey))
    contours, hierarchy = cv2.findContours(white, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if hierarchy is None:
        return []
    parents = hierarchy[0, :, 3]
    regions = np.flatnonzero(_depths(parents) % 2 == 0)
    frames, sizes = np.unique(parents[regions], return_counts=True)
    boxes_in = dict(zip(frames.tolist(), sizes.tolist(), strict=True))
    boxes = []
    for index in regions.tolist():
        corners = _corners(contours[index])
        if corners is not None:
            frame = int(parents[index])
            inside = Quad(*(copy.to_page(x, y) for x, y in corners))
            boxes.append(PrintedBox(inside, frame, alone=frame >= 0 and boxes_in[frame] == 1))
    return boxes


def line_mask(grey: npt.NDArray[np.uint8]) -> Mask:
    """Return 255 where a printed line is, of any thickness, upright or level within some ten degrees.

    The ink is widened by one pixel across each direction before it is opened along it: a hairline that is askew
    falls into short steps otherwise.
    """
    dark = cv2.compare(cv2.subtract(_paper(grey), grey), LINE_CONTRAST, cv2.CMP_GT)
    level = cv2.morphologyEx(cv2.dilate(dark, _bar(1, 3)), cv2.MORPH_OPEN, _bar(SHORTEST_LINE, 1))
    upright = cv2.morphologyEx(cv2.dilate(dark, _bar(3, 1)), cv2.MORPH_OPEN, _bar(1, SHORTEST_LINE))
    level = cv2.morphologyEx(level, cv2.MORPH_CLOSE, _bar(LARGEST_GAP + 1, 1))
    upright = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, _bar(1, LARGEST_GAP + 1))
    return np.asarray(cv2.bitwise_or(level, upright), np.uint8)


def _paper(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the paper's brightness round every pixel: a mean in which dark pixels count as slightly dark only."""
    window = (PAPER_WINDOW, PAPER_WINDOW)
    mean = cv2.blur(grey, window)
    return np.asarray(cv2.blur(cv2.max(grey, cv2.subtract(mean, DEEPEST_DIP)), window), np.uint8)


def _bar(width: int, height: int) -> Mask:
    return np.ones((height, width), np.uint8)


def _depths(parents: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return how many contours each contour lies within: white regions are even, the print round them is odd."""
    depths = np.zeros(len(parents), np.int32)
    ancestors = parents
    while (ancestors >= 0).any():
        depths += ancestors >= 0
        ancestors = np.where(ancestors >= 0, parents[ancestors], -1)
    return depths


def _corners(contour: npt.NDArray[np.int32]) -> list[tuple[float, float]] | None:
    """Return the corners of the box that a region is, clockwise from the top left one; None where it is none."""
    _, _, width, height = cv2.boundingRect(contour)
    if not (SMALLEST_SIDE <= width <= LARGEST_SIDE and SMALLEST_SIDE <= height <= LARGEST_SIDE):
        return None
    (x, y), (width, height), degrees = cv2.minAreaRect(contour)
    if cv2.contourArea(contour) < LEAST_FILLED * width * height:
        return None
    degrees %= 180
    if 45 <= degrees < 135:
        degrees, width, height = degrees - 90, height, width
    elif degrees >= 135:
        degrees -= 180
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = width / 2 + LINE_SPREAD, height / 2 + LINE_SPREAD
    return [
        (x + right * across * cos - below * down * sin, y + right * across * sin + below * down * cos)
        for right, below in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
