"""Whether a row of boxes has more than was found of it, beyond or between: what was found is a part then."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.lines import Mask

OFF_PLACE = 2  # px by which a line may lie off where the row has it
LINE = 2.0  # px of the line between two boxes, where only one was found
PRINTED = 0.5  # of each side of one more box: broken and dotted lines are as much, labels seldom all round
MOSTLY = 0.65  # of its ceiling, its floor and its far wall together
BEFORE = 0.4  # of a far wall, where the next box is more surely one
WALL = 0.85  # of a far wall, which handwriting seldom covers
CROSSED = 0.9  # of a row between ceiling and floor: these are cells of a grid, or a solid bar
NARROWEST, OFF_WALLS = 0.75, 0.3  # of a box's width, and of a gap, at either end of which thick walls stand
MOST_LACKING = 4  # boxes, one after the other
TAKEN = 0.5  # of the place of one more box
NEXT_TO = 0.7  # of the wider boxes' width, within which a row goes on with boxes of another width
CLOSE = 0.5  # of its height, within which no other box stands beside one for a whole number
SAME_HEIGHT, OFF_ROW = 0.3, 0.3  # of the higher boxes' height, by which such boxes differ and stand off


class Edges(NamedTuple):
    """The inner edges of a box on the straight print."""

    left: float
    top: float
    right: float
    bottom: float


def goes_on(row: Sequence[Edges], found: npt.ArrayLike, print_: Mask) -> bool:
    """Tell whether straight print stands where the sides of one more box would, beside a row or within it.

    Any print counts, it need not be straight or whole enough for a line. A box of `found`, (n, 4) edges, that
    stands in that place does not lack.
    """
    found = np.asarray(found, np.float64).reshape(-1, 4)
    first, last = row[0], row[-1]
    pitches = [one.left - other.left for other, one in pairwise(row)] or [first.right - first.left + LINE]
    pitch = median(pitches)
    return (
        _lacks(first, -pitch, found, print_)
        or _lacks(last, pitch, found, print_)
        or any(_lacks_between(one, other, print_) for one, other in pairwise(row))
    )


def goes_on_as(row: Sequence[Edges], other: Sequence[Edges]) -> bool:
    """Tell whether another row of boxes, of another width, stands where a row goes on, or upon its boxes.

    Fields stand further apart. What is cut off here is wrong about one of the two at least.
    """
    first, second = sorted((row, other), key=lambda boxes: boxes[0].left + boxes[-1].right)
    widest = max(fmean(box.right - box.left for box in boxes) for boxes in (row, other))
    last, start = first[-1], second[0]
    height = max(box.bottom - box.top for box in (last, start))
    return (
        start.left - last.right < NEXT_TO * widest
        and abs(last.bottom - last.top - start.bottom + start.top) < SAME_HEIGHT * height
        and abs(last.top + last.bottom - start.top - start.bottom) / 2 < OFF_ROW * height
    )


def stands_close(one: Edges, found: npt.NDArray[np.float64]) -> bool:
    """Tell whether other boxes stand close beside a box for a whole number: these may be parts of a row."""
    left, top, right, bottom = found.T
    gap = np.maximum(left - one.right, one.left - right)
    off = np.maximum(np.abs(top - one.top), np.abs(bottom - one.bottom))
    return bool(((gap > 0) & (gap < CLOSE * (one.bottom - one.top)) & (off <= 2 * OFF_PLACE)).any())


def _lacks_between(one: Edges, other: Edges, print_: Mask) -> bool:
    """Tell whether ceiling and floor go on from a box to the next, over the room of a narrow one."""
    gap = other.left - one.right
    if gap < NARROWEST * (one.right - one.left):
        return False
    start, end = one.right + OFF_WALLS * gap, other.left - OFF_WALLS * gap
    return min(_printed(print_, row, start, end) for row in (one.top - 1, one.bottom + 1)) >= PRINTED


def _lacks(end: Edges, pitch: float, found: npt.NDArray[np.float64], print_: Mask) -> bool:
    """Tell whether boxes lack behind the end of a row: up to where its lines end, another box or a wall."""
    is_box = False  # the last place that was looked at, by itself
    for nth in range(1, MOST_LACKING + 1):
        place = Edges(end.left + nth * pitch, end.top, end.right + nth * pitch, end.bottom)
        ceiling = _printed(print_, place.top - 1, place.left, place.right)
        if ceiling < PRINTED:
            return is_box
        floor = _printed(print_, place.bottom + 1, place.left, place.right)
        if floor < PRINTED or _is_taken(place, found):
            return is_box
        far = place.left - 1 if pitch < 0 else place.right + 1
        wall = _printed(print_.T, far, place.top, place.bottom)
        if wall < BEFORE or _is_crossed(place, print_):
            return False
        is_box = wall >= PRINTED and ceiling + floor + wall >= 3 * MOSTLY
        if is_box and wall >= WALL:
            return True
    return is_box


def _printed(print_: Mask, row: float, start: float, end: float) -> float:
    """Return how much of a stretch two rows of print about it cover, at most; 0 off the page."""
    middle = round(row)
    if start < 0 or end > print_.shape[1] or not OFF_PLACE < middle < len(print_) - OFF_PLACE:
        return 0.0
    near = print_[middle - OFF_PLACE - 1 : middle + OFF_PLACE + 1, round(start) : round(end)]
    if not near.size:
        return 0.0
    either = cv2.bitwise_or(near[1:], near[:-1])
    most = cv2.reduce(either, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).max()
    return float(most / (255 * near.shape[1]))


def _is_crossed(place: Edges, print_: Mask) -> bool:
    """Tell whether a level line runs through a place, or something solid."""
    far = (place.bottom - place.top) / 4
    rows = slice(round(place.top + far), round(place.bottom - far))
    inside = print_[rows, round(place.left) : round(place.right)]
    return float(inside.mean(axis=1).max()) >= 255 * CROSSED


def _is_taken(place: Edges, found: npt.NDArray[np.float64]) -> bool:
    """Tell whether a box that was found stands in a place."""
    left, top, right, bottom = found.T
    across = np.minimum(place.right, right) - np.maximum(place.left, left)
    down = np.minimum(place.bottom, bottom) - np.maximum(place.top, top)
    own = (place.right - place.left) * (place.bottom - place.top)
    shared = (
        (across > 0)
        & (down > 0)
        & (across * down >= TAKEN * np.maximum(own, (right - left) * (bottom - top)))
    )
    return bool(shared.any())
