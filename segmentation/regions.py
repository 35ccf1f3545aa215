"""Wide regions between lines: rows of boxes without dividing lines, several rows at once, or parts of some.

A dividing line may be worn away or never have been printed: that leaves a region as wide as several boxes,
which becomes the row of boxes that its neighbours tell of.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from segmentation.boxes import PrintedBoxes
from segmentation.lines import Lines, Sums, inked, ranges, whole

SHARED_PLACE = 0.3  # of the smaller one's area, from which on two boxes stand in one place
OFF_LINES = 0.2  # of a region's height, within which a stroke may run along its ceiling or floor
CROSSED = 0.75  # of a region's width that a line through it covers
AT_WALL = 8  # px beside a wall, where such a line is seen and a stroke seldom
LEAN = 2  # px, by which its ends may be higher or lower than most of it
SAME_ROW = 3.0  # px by which floor and ceiling of boxes in one row may differ
NEXT_TO = 0.35  # of a box's height, within which its row goes on
ROW_GOES_ON = 8  # times a box's height, how far its row is looked at
PITCH_OFF = 0.15  # of a box's width, by which a region may differ from a whole number of boxes

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def divide_by_neighbours(regions: PrintedBoxes, boxes: PrintedBoxes) -> tuple[PrintedBoxes, PrintedBoxes]:
    """Return the boxes that wide regions in a row of boxes stand for, and the other regions."""
    counts, lines = _divisions(regions, boxes)
    taken, rows = PrintedBoxes.joined([]), []
    for index in np.argsort(-counts, kind="stable")[: np.count_nonzero(counts > 1)].tolist():
        one = regions[np.array([index])]
        if len(apart(one, taken)):
            taken = PrintedBoxes.joined([taken, one])
            rows.append(_row(one, int(counts[index]), float(lines[index])))
    return PrintedBoxes.joined(rows), apart(regions[counts == 1], taken)


def _divisions(regions: PrintedBoxes, boxes: PrintedBoxes) -> tuple[Indices, Numbers]:
    """Return of how many boxes like those of its row each region consists, 1 where that does not fit.

    Also how thick the lines between them are. One box beside a region is no row: so begin many tables.
    """
    counts, lines = np.ones(len(regions), np.intp), np.ones(len(regions))
    width, height = regions.width[:, None], regions.height[:, None]
    level = np.abs(boxes.top - regions.top[:, None]) <= SAME_ROW
    level &= np.abs(boxes.bottom - regions.bottom[:, None]) <= SAME_ROW
    gap = np.maximum(boxes.left - regions.right[:, None], regions.left[:, None] - boxes.right)
    near = level & (gap > -SAME_ROW) & (gap < NEXT_TO * height)
    which = np.flatnonzero(near.any(axis=1))
    if not len(which):
        return counts, lines
    level, near = level[which], near[which]
    gap, width, height = gap[which], width[which], height[which]
    nearest = np.argmin(np.where(near, gap, np.inf), axis=1)
    box, line = boxes.width[nearest][:, None], np.maximum(1.0, np.take_along_axis(gap, nearest[:, None], 1))
    row = level & (np.abs(boxes.width - box) <= PITCH_OFF * box) & (gap < ROW_GOES_ON * height)
    count = np.rint((width + line) / (box + line))
    off = np.abs(width - count * box - (count - 1) * line)
    fits = ((count >= 2) & (count <= row.sum(axis=1, keepdims=True)) & (off <= PITCH_OFF * box))[:, 0]
    counts[which[fits]], lines[which[fits]] = count[fits, 0], line[fits, 0]
    return counts, lines


def _row(region: PrintedBoxes, count: int, line: float) -> PrintedBoxes:
    """Return the boxes of which a single region consists."""
    width = (region.width - (count - 1) * line) / count
    left = region.left + (width + line) * np.arange(count)
    top, bottom, coverage = (np.repeat(each, count) for each in (region.top, region.bottom, region.coverage))
    return PrintedBoxes(left, top, left + width, bottom, coverage, np.zeros(count, bool))


def apart(ones: PrintedBoxes, others: PrintedBoxes) -> PrintedBoxes:
    """Return the ones that share their place with none of the others."""
    across = np.minimum(ones.right[:, None], others.right) - np.maximum(ones.left[:, None], others.left)
    down = np.minimum(ones.bottom[:, None], others.bottom) - np.maximum(ones.top[:, None], others.top)
    smaller = np.minimum((ones.width * ones.height)[:, None], others.width * others.height)
    shared = (across > 0) & (down > 0) & (across * down > SHARED_PLACE * smaller)
    return ones[~np.asarray(shared.any(axis=1))]


def without_parts(regions: PrintedBoxes, boxes: PrintedBoxes, lines: Lines) -> PrintedBoxes:
    """Return the regions that are no several rows, nor a part of some.

    Where a box sticks out of a region, it is the region's sides that strokes feign.
    """
    left, top, right, bottom = (edge[:, None] for edge in regions.edges)
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
    return regions[~_crossed(regions, lines.level_sums)]


def _crossed(regions: PrintedBoxes, level: Sums) -> Flags:
    """Tell which regions a level line divides into rows: from a wall on, as digits in a row do not."""
    far = OFF_LINES * regions.height
    left, top = whole(regions.left) + 1, whole(regions.top + far)
    right, bottom = whole(regions.right), whole(regions.bottom - far)
    as_much = inked(level, left, top, right, bottom) >= np.maximum(1, CROSSED * (right - left))
    which = np.flatnonzero(as_much)
    region, row = ranges(top[which], bottom[which])
    region = which[region]
    seen = inked(level, left[region], row, right[region], row + 1)
    through = seen >= CROSSED * (right - left)[region]
    region, row = region[through], row[through]
    first = np.flatnonzero(np.diff(region, prepend=-1))
    last = np.append(first, len(region))[1:] - 1
    region, start = region[first], np.maximum(row[first] - LEAN, top[region[first]])
    end = np.minimum(row[last] + LEAN + 1, bottom[region])
    beside = np.arange(AT_WALL)[:, None]

    def goes_on(columns: Indices) -> Flags:
        on = inked(level, columns, start, columns + 1, end) > 0
        return np.asarray(on.mean(axis=0) >= CROSSED)

    crossed = np.zeros(len(regions), bool)
    crossed[region] = goes_on(left[region] + beside) | goes_on(right[region] - 1 - beside)
    return crossed
