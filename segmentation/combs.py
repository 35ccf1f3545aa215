"""Boxes that lack a side: a wide region becomes the row of boxes that its ticks or its neighbours tell of.

A comb's dividing lines may be short ticks, its top open; a dividing line may be worn away or never have been
printed. What is left is a region as wide as several boxes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.boxes import PrintedBoxes
from segmentation.lines import LINE_SPREAD, Lines, Mask

NARROWEST, WIDEST = 0.35, 1.4  # width over height of a box that a row is divided into
MOST_BOXES = 20  # of a row
BAND = 0.2  # of the height, along a region's floor or ceiling, that a tick goes through
INKED = 0.85  # of the band's height that a tick's ink covers
THICKEST_TICK = 6  # px
TICK_OFF = 0.12  # of a box's width, by which a tick may stand off where it is expected
PLACES_HIT = 0.8  # of the places between boxes that have a tick
MOST_STRAYS = 0.45  # of the ticks that stand in no such place: strokes that touch the line
SHARED_PLACE = 0.3  # of the smaller one's area, from which on two boxes stand in one place
OFF_LINES = 0.2  # of a region's height, within which a stroke may run along its ceiling or floor
CROSSED = 0.75  # of a region's width that a line through it covers
SAME_ROW = 3.0  # px by which floor and ceiling of boxes in one row may differ
NEXT_TO = 0.35  # of a box's height, within which its row goes on
ROW_GOES_ON = 8  # times a box's height, how far its row is looked at
PITCH_OFF = 0.15  # of a box's width, by which a region may differ from a whole number of boxes
TALLEST = (14, 70)  # px: uprights at the ends of a comb, 3.5 to 17 mm on A4

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Division:
    """Of how many boxes a region consists, how thick the lines between them are, and how well that fits."""

    count: int = 1
    line: float = 1.0
    support: float = 0.0


@dataclass(frozen=True, slots=True)
class _Region:
    left: float
    top: float
    right: float
    bottom: float
    coverage: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def divide_by_ticks(regions: PrintedBoxes, print_: Mask) -> tuple[PrintedBoxes, PrintedBoxes]:
    """Return the boxes that the ticks along wide regions of straight print tell of, and the other regions."""
    return _divided(regions, [_by_ticks(region, print_) for region in _regions(regions)])


def divide_by_neighbours(regions: PrintedBoxes, boxes: PrintedBoxes) -> tuple[PrintedBoxes, PrintedBoxes]:
    """Return the boxes that wide regions in a row of boxes stand for, and the other regions."""
    return _divided(regions, [_by_neighbours(region, boxes) for region in _regions(regions)])


def _regions(regions: PrintedBoxes) -> list[_Region]:
    edges = (regions.left, regions.top, regions.right, regions.bottom, regions.coverage)
    return [_Region(*each) for each in zip(*(edge.tolist() for edge in edges), strict=True)]


def _divided(regions: PrintedBoxes, divisions: Sequence[_Division]) -> tuple[PrintedBoxes, PrintedBoxes]:
    """Return the boxes of the regions that are divided best, and the regions apart from these."""
    order = sorted(
        range(len(regions)),
        key=lambda index: (divisions[index].support, divisions[index].count),
        reverse=True,
    )
    taken = PrintedBoxes.joined([])
    rows, rest = [], []
    for index in order:
        one = regions[np.array([index])]
        if not len(apart(one, taken)):
            continue
        if divisions[index].count == 1:
            rest.append(index)
            continue
        taken = PrintedBoxes.joined([taken, one])
        (region,) = _regions(one)
        rows.append(_row(region, divisions[index]))
    return PrintedBoxes.joined(rows), regions[np.array(rest, np.intp)]


def apart(ones: PrintedBoxes, others: PrintedBoxes, most: int = 0) -> PrintedBoxes:
    """Return the ones that share their place with so many of the others at most."""
    across = np.minimum(ones.right[:, None], others.right) - np.maximum(ones.left[:, None], others.left)
    down = np.minimum(ones.bottom[:, None], others.bottom) - np.maximum(ones.top[:, None], others.top)
    smaller = np.minimum((ones.width * ones.height)[:, None], others.width * others.height)
    shared = (across > 0) & (down > 0) & (across * down > SHARED_PLACE * smaller)
    return ones[shared.sum(axis=1) <= most]


def without_parts(regions: PrintedBoxes, boxes: PrintedBoxes, level: Mask) -> PrintedBoxes:
    """Return the regions that are no several rows, nor a part of some.

    Where a box sticks out of a region, it is the region's sides that strokes feign.
    """
    left, top, right, bottom = (
        edge[:, None] for edge in (regions.left, regions.top, regions.right, regions.bottom)
    )
    across = np.minimum(right, boxes.right) - np.maximum(left, boxes.left)
    down = np.minimum(bottom, boxes.bottom) - np.maximum(top, boxes.top)
    shared = (across > SAME_ROW) & (down > SAME_ROW)
    sticks_out = (
        (boxes.left < left - SAME_ROW)
        | (boxes.right > right + SAME_ROW)
        | (boxes.top < top - SAME_ROW)
        | (boxes.bottom > bottom + SAME_ROW)
    )
    regions = regions[~np.asarray((shared & sticks_out).any(axis=1))]
    crossed = [_is_crossed(region, level) for region in _regions(regions)]
    return regions[~np.array(crossed, bool)]


def _is_crossed(region: _Region, level: Mask) -> bool:
    """Tell whether a level line divides a region into rows."""
    far = OFF_LINES * region.height
    rows = slice(round(region.top + far), round(region.bottom - far))
    inside = level[rows, round(region.left) + 1 : round(region.right)]
    return bool(inside.size) and float(cv2.reduce(inside, 1, cv2.REDUCE_AVG).max()) >= 255 * CROSSED


def with_combs(boxes: PrintedBoxes, combs: PrintedBoxes) -> PrintedBoxes:
    """Return boxes and those of combs: of two in one place the comb's, unless they are the same."""
    same = [
        np.abs(getattr(boxes, side)[:, None] - getattr(combs, side)) <= 2 * SAME_ROW
        for side in ("left", "top", "right", "bottom")
    ]
    alike = np.logical_and.reduce(same)
    kept = boxes[alike.any(axis=1)]
    new = combs[~alike.any(axis=0)]
    return PrintedBoxes.joined([kept, apart(boxes[~alike.any(axis=1)], new), new])


def open_combs(lines: Lines) -> PrintedBoxes:
    """Return regions without a ceiling: two uprights of one height at the ends of a level line they stand on.

    They are regions for `divide_by_ticks`: what has no ticks between its uprights is no comb.
    """
    feet = _feet(lines)
    found = []
    for left_x, floor, height in feet:
        for right_x, other_floor, other_height in feet:
            width = right_x - left_x
            if (
                width > 2 * NARROWEST * height
                and width < MOST_BOXES * WIDEST * height
                and abs(other_floor - floor) <= SAME_ROW
                and abs(other_height - height) <= SAME_ROW
                and _covered(lines.level, floor, left_x, right_x) >= INKED
                and _covered(lines.level, floor - height, left_x, right_x) < 1 - INKED
            ):
                found.append((left_x + 1, floor - height, right_x - 1, floor - 1))
    left, top, right, bottom = np.array(found, np.float64).reshape(-1, 4).T
    return PrintedBoxes(left, top, right, bottom, np.ones(len(found)), np.ones(len(found), bool))


def _by_neighbours(region: _Region, boxes: PrintedBoxes) -> _Division:
    """Return of how many boxes like those of its row a region consists, 1 where that does not fit.

    One box beside it is no row: so begin many tables.
    """
    level = (np.abs(boxes.top - region.top) <= SAME_ROW) & (np.abs(boxes.bottom - region.bottom) <= SAME_ROW)
    gap = np.maximum(boxes.left - region.right, region.left - boxes.right)
    near = np.flatnonzero(level & (gap > -SAME_ROW) & (gap < NEXT_TO * region.height))
    if not len(near):
        return _Division()
    nearest = near[np.argmin(gap[near])]
    width, line = float(boxes.width[nearest]), max(1.0, float(gap[nearest]))
    row = level & (np.abs(boxes.width - width) <= PITCH_OFF * width) & (gap < ROW_GOES_ON * region.height)
    count = round((region.width + line) / (width + line))
    expected = count * width + (count - 1) * line
    if 2 <= count <= row.sum() and abs(region.width - expected) <= PITCH_OFF * width:
        return _Division(count, line, 1.0)
    return _Division()


def _by_ticks(region: _Region, print_: Mask) -> _Division:
    """Return into how many boxes the ticks along its floor or ceiling divide a region, 1 without any."""
    reach = max(3, round(BAND * region.height))
    left, right = round(region.left), round(region.right)
    floor, ceiling = round(region.bottom), round(region.top)
    best = _Division()
    for band in (print_[floor - reach : floor, left:right], print_[ceiling : ceiling + reach, left:right]):
        ticks, thickness = _ticks(band)
        for count in _counts(region, len(ticks)):
            pitch = region.width / count
            near = np.abs(pitch * np.arange(1, count)[:, None] - ticks) <= TICK_OFF * pitch
            places, strays = near.any(axis=1).mean(), 1 - near.any(axis=0).mean()
            if places >= PLACES_HIT and strays <= MOST_STRAYS and places - strays > best.support:
                best = _Division(count, thickness, places - strays)
    return best


def _counts(region: _Region, ticks: int) -> range:
    """Return how many boxes so many ticks may divide a region into."""
    shape = region.width / region.height
    fewest, most = max(2, math.ceil(shape / WIDEST)), min(MOST_BOXES, math.floor(shape / NARROWEST))
    return range(fewest, min(most, math.floor(1 + ticks / PLACES_HIT)) + 1)


def _ticks(band: Mask) -> tuple[Numbers, float]:
    """Return where in a band lines go through it, and how thick they are."""
    if not band.size:
        return np.empty(0), 1.0
    inked = np.concatenate([[False], band.mean(axis=0) >= INKED * 255, [False]])
    edges = np.flatnonzero(inked[1:] != inked[:-1]).reshape(-1, 2)
    thin = edges[edges[:, 1] - edges[:, 0] <= THICKEST_TICK]
    away = thin[(thin[:, 0] > 1) & (thin[:, 1] < band.shape[1] - 1)]  # the region's own sides are no ticks
    return away.mean(axis=1), float(np.median(away[:, 1] - away[:, 0])) if len(away) else 1.0


def _row(region: _Region, division: _Division) -> PrintedBoxes:
    count, line = division.count, division.line
    width = (region.width - (count - 1) * line) / count
    left = np.array([region.left + (width + line) * nth for nth in range(count)])
    top, bottom, coverage = (np.full(count, each) for each in (region.top, region.bottom, region.coverage))
    return PrintedBoxes(left, top, left + width, bottom, coverage, np.zeros(count, bool))


def _feet(lines: Lines) -> list[tuple[float, float, float]]:
    """Return where uprights end on level lines: the place across, that of the line, and the height."""
    found = []
    stats = cv2.connectedComponentsWithStats(lines.upright, connectivity=8, ltype=cv2.CV_32S)[2][1:]
    for x, y, width, height, _ in stats.tolist():
        if width > THICKEST_TICK + 2 * LINE_SPREAD or not TALLEST[0] <= height <= TALLEST[1]:
            continue
        foot = lines.level[max(0, y + height - 5) : y + height + 2, x : x + width]
        head = lines.level[max(0, y - 2) : y + 3, x : x + width]
        if foot.any() and not head.any():
            found.append((x + (width - 1) / 2, float(y + height - 2), float(height - 2)))
    return found


def _covered(level: Mask, row: float, left: float, right: float) -> float:
    strip = level[max(0, round(row) - 2) : round(row) + 3, round(left) : round(right)]
    return float(strip.any(axis=0).mean()) if strip.size else 0.0
