"""Boxes that a printed line runs through: parts of other boxes, or several that were taken for one."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.boxes import PrintedBoxes
from segmentation.lines import Lines, Mask, inked, whole

AT_SIDES = 0.2  # of a box's width, within which an upright line is one of its sides
AT_ENDS = 0.3  # of its height, within which an upright line is one of the sides of a wide box
BEYOND = 0.5  # of a box's height, by which a printed line goes on above it and below, as no digit does
OFF_PLACE = 2  # px by which a side may lie off its place
LEAN = 1  # px by which a table's line may lean to either side within a row, on a page that is not quite level
WHOLE = 0.95  # of a length that a line covers


def without_crossed(boxes: PrintedBoxes, lines: Lines) -> PrintedBoxes:
    """Return the boxes through which no upright line runs that goes on above and below them.

    A box with whole sides stays: scanners draw lines of their own down a page.
    """
    off, beyond = AT_SIDES * boxes.width, BEYOND * boxes.height
    left, right = whole(boxes.left + off), whole(boxes.right - off) + 1
    least = beyond - (1 - WHOLE) * (boxes.height + 2 * beyond) - 2  # px of a line, on either side of a box
    above = inked(lines.upright_sums, left, whole(boxes.top - beyond), right, whole(boxes.top))
    below = inked(lines.upright_sums, left, whole(boxes.bottom), right, whole(boxes.bottom + beyond))
    crossed = (above >= least) & (below >= least)
    for index in np.flatnonzero(crossed).tolist():
        crossed[index] = _is_crossed(lines.upright, *(float(edge[index]) for edge in boxes.edges))
    return boxes[~crossed]


def without_divided(regions: PrintedBoxes, upright: Mask) -> PrintedBoxes:
    """Return the wide boxes that no upright line divides which goes on above or below, as do their sides.

    A table's lines divide its rows like that. No digit does, and what shows through does not go on with the
    sides.
    """
    edges = zip(*(edge.tolist() for edge in regions.edges), strict=True)
    return regions[~np.array([_is_divided(upright, *each) for each in edges], bool)]


def _is_divided(upright: Mask, left: float, top: float, right: float, bottom: float) -> bool:
    off, beyond = AT_ENDS * (bottom - top), BEYOND * (bottom - top)
    above, below = max(0.0, top - beyond), bottom + beyond
    start = max(0, round(left - off))
    strip = upright[round(above) : round(below), start : round(right + off)]
    strip = np.asarray(cv2.dilate(strip, np.ones((1, 1 + 2 * LEAN), np.uint8)), np.uint8)
    return any(
        _covered(strip, left + off - start, right - off - start, *rows) >= WHOLE
        and max(_covered(strip, x - OFF_PLACE, x + OFF_PLACE, *rows) for x in (left - start, right - start))
        >= WHOLE
        for rows in ((0, bottom - above), (top - above, len(strip)))
    )


def _is_crossed(upright: Mask, left: float, top: float, right: float, bottom: float) -> bool:
    off, beyond = AT_SIDES * (right - left), BEYOND * (bottom - top)
    if top < beyond or bottom + beyond > len(upright):
        return False
    through = _covered(upright, left + off, right - off, top - beyond, bottom + beyond)
    sides = (_covered(upright, x - OFF_PLACE, x + OFF_PLACE, top, bottom) for x in (left - 1, right + 1))
    return through >= WHOLE and min(sides) < WHOLE


def _covered(upright: Mask, left: float, right: float, top: float, bottom: float) -> float:
    """Return how much of the height the column covers that has most."""
    columns = upright[round(top) : round(bottom), max(0, round(left)) : round(right) + 1]
    across = np.flatnonzero(columns[len(columns) // 2])  # a line is there in the middle as well
    if not len(across):
        return 0.0
    return float((columns[:, across] > 0).mean(axis=0).max(initial=0.0))
