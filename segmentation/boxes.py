"""The printed boxes of a page, found by their four sides, whatever is written into them and across them.

Works on the small copy of the page (its pixels are 0.25 mm on A4) and answers in page pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Point
from segmentation.lines import LINE_SPREAD, Lines, Mask, find_lines
from segmentation.page_frame import WorkingCopy

SMALLEST_WIDTH, SMALLEST_HEIGHT = 9, 12  # 2.3 x 3 mm on A4, inside; smaller ones are letters
LARGEST_SIDE = 160  # 40 mm on A4; larger regions are columns, frames and the paper itself
NARROWEST, WIDEST = 0.3, 1.6  # width over height of a box for one digit; other cells hold words
SQUARE_HULL = 0.85  # of the turned rectangle round it that a box fills, its dents filled up
LEAST_WHITE = 0.3  # of that rectangle that digits grown into the walls leave white
SAME_SIZE = 0.2  # by which the sides of boxes of one kind differ
SIZE_STEP = 2.0  # px by which boxes of one size differ; a widened line bears as much
MOST_SIZES = 6  # kinds of boxes on a page, and of regions that are none
SIDE_SHARE = 0.9  # of a side's length that is looked at: corners may be rounded
SIDE_COVERED = 0.68  # of it that a line covers
COVERAGE_STEP = 0.05  # in which sides count as equally well covered
WHOLE = 0.97  # coverage of sides without a gap
NEIGHBOURS = 4.0  # widths to either side in which a box's neighbours are counted
SAME_LINE = 0.3  # of the height, by which they may be shifted
LARGE_ENOUGH = 30  # px of a region's height for its turn to tell the page's
WIDEST_PEAK = 5  # px within which a box may be moved before its lines are left
LARGEST_OVERLAP = 0.15  # of the smaller of two boxes


@dataclass(frozen=True, slots=True)
class PrintedBox:
    """A box that printed lines enclose: its centre and its inner size in page pixels."""

    centre: Point
    width: float
    height: float
    coverage: float  # of its worst side by a line, 0 to 1
    alone: bool  # it shares its lines with no other region


@dataclass(frozen=True, slots=True)
class _Region:
    """An upright rectangle of the working copy: its centre and sides."""

    x: float
    y: float
    width: float
    height: float
    degrees: float = 0.0  # by which what it was drawn round is turned
    alone: bool = False

    def is_same(self, other: _Region) -> bool:
        """Whether both are the same box, seen twice."""
        return (
            abs(self.x - other.x) < self.width / 2
            and abs(self.y - other.y) < self.height / 2
            and abs(self.width - other.width) <= SAME_SIZE * self.width
            and abs(self.height - other.height) <= SAME_SIZE * self.height
        )


@dataclass(frozen=True, slots=True)
class _Match:
    """A place where a box has its four sides; `coverage` is that of its worst side, 0 to 1."""

    box: _Region
    coverage: float


def find_boxes(copy: WorkingCopy) -> list[PrintedBox]:
    """Return the boxes of a page that have a digit box's shape, table cells too, in no particular order.

    A first look takes what lines enclose, and so learns how large the boxes are: digits that touch or cross
    their box spoil many regions, but not the usual sizes. A second look finds every place where a box of
    such a size has its four sides.
    """
    lines = find_lines(copy.grey)
    regions = _enclosed_regions(lines)
    slope = _slope(regions)
    kinds = [_kind(lines, width, height, slope) for width, height in _usual_sizes(regions)]
    alone = [region for region in regions if region.alone]
    return [
        PrintedBox(
            copy.to_page(match.box.x, match.box.y),
            match.box.width * copy.reduction,
            match.box.height * copy.reduction,
            match.coverage,
            alone=any(match.box.is_same(region) for region in alone),
        )
        for match in _without_overlaps(_surest_first(kinds))
    ]


def _enclosed_regions(lines: Lines) -> list[_Region]:
    """Return the white regions of a digit box's shape between lines."""
    white = cv2.bitwise_not(lines.mended())
    found, hierarchy = cv2.findContours(white, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return []
    contours = [np.asarray(contour, np.int32) for contour in found]
    parents = np.asarray(hierarchy, np.int32)[0, :, 3]
    white_ones = np.flatnonzero(_depths(parents) % 2 == 0)
    in_print = np.bincount(parents[white_ones] + 1, minlength=len(parents) + 1)
    sizes = [(index, _box_size(contours[index])) for index in white_ones.tolist()]
    return [
        _Region(*size, alone=bool(parents[index] >= 0 and in_print[parents[index] + 1] == 1))
        for index, size in sizes
        if size is not None
    ]


def _depths(parents: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return how many contours each contour lies within: white regions are even, the print round them odd."""
    depths = np.zeros(len(parents), np.int32)
    ancestors = parents
    while (ancestors >= 0).any():
        depths += ancestors >= 0
        ancestors = np.where(ancestors >= 0, parents[ancestors], -1)
    return depths


def _box_size(contour: npt.NDArray[np.int32]) -> tuple[float, float, float, float, float] | None:
    """Return centre, sides and turn of the box that a region is, None where it is none."""
    _, _, columns, rows = cv2.boundingRect(contour)
    if not (columns <= LARGEST_SIDE and rows <= LARGEST_SIDE):
        return None
    hull = cv2.convexHull(contour)
    (x, y), (width, height), degrees = cv2.minAreaRect(hull)
    area = width * height
    if cv2.contourArea(hull) < SQUARE_HULL * area or cv2.contourArea(contour) < LEAST_WHITE * area:
        return None
    if 45 <= degrees % 180 < 135:
        width, height = height, width
    width, height = width + 2 * LINE_SPREAD, height + 2 * LINE_SPREAD
    if width < SMALLEST_WIDTH or height < SMALLEST_HEIGHT or not NARROWEST < width / height < WIDEST:
        return None
    return x, y, width, height, (degrees + 45) % 90 - 45


def _usual_sizes(regions: Sequence[_Region]) -> list[tuple[float, float]]:
    """Return the sizes that most regions have, the commonest first."""
    rest = np.array([(region.width, region.height) for region in regions]).reshape(-1, 2)
    sizes: list[tuple[float, float]] = []
    while len(rest) and len(sizes) < MOST_SIZES:
        alike = (np.abs(rest[:, None] - rest) <= SIZE_STEP).all(axis=2)
        commonest = alike[np.argmax(alike.sum(axis=1))]
        width, height = np.median(rest[commonest], axis=0)
        sizes.append((float(width), float(height)))
        rest = rest[~commonest]
    return sizes


def _kind(lines: Lines, width: float, height: float, slope: float) -> list[_Match]:
    """Return the places where lines run round a box of this inner size."""
    columns, rows = round(width) + 1, round(height) + 1  # from one line to the opposite one
    if columns >= lines.level.shape[1] or rows >= lines.level.shape[0]:
        return []
    steady = Lines(_steady(lines.level, 0, slope * width), _steady(lines.upright, 1, slope * height))
    level = np.asarray(cv2.blur(steady.level, (max(3, round(SIDE_SHARE * width)), 1)), np.uint8)
    upright = np.asarray(cv2.blur(steady.upright, (1, max(3, round(SIDE_SHARE * height)))), np.uint8)
    above, left = rows // 2, columns // 2
    across, down = np.s_[left : left - columns], np.s_[above : above - rows]
    sides = (level[:-rows, across], level[rows:, across], upright[down, :-columns], upright[down, columns:])
    worst = np.minimum(np.minimum(sides[0], sides[1]), np.minimum(sides[2], sides[3]))
    matches = []
    for x, y, coverage in _peaks(worst, round(255 * SIDE_COVERED)):
        box = _Region(x + columns / 2, y + rows / 2, width, height)
        matches.append(_Match(box, coverage / 255))
    return matches


def _slope(regions: Sequence[_Region]) -> float:
    """Return how far lines go across for each pixel along, by the larger regions; 0 on a straight page."""
    turns = [region.degrees for region in regions if region.height >= LARGE_ENOUGH]
    return abs(math.tan(math.radians(median(turns)))) if turns else 0.0


def _steady(lines: Mask, axis: int, drift: float) -> Mask:
    """Return lines so wide that they stay on one row (axis 0) or column while they drift."""
    wider = 2 * math.ceil((drift - 1 - 2 * LINE_SPREAD) / 2) + 1
    if wider <= 1:
        return lines
    return np.asarray(cv2.dilate(lines, np.ones((wider, 1) if axis == 0 else (1, wider), np.uint8)), np.uint8)


def _surest_first(kinds: Sequence[Sequence[_Match]]) -> list[_Match]:
    """Return all boxes, the best covered first; among equals, those in company, then those of a common kind.

    Half a box, cut by a digit's straight stroke, is matched now and then, and so are two at once. But they
    are covered less well than whole boxes, or fewer of them stand in a row.
    """
    ranked = []
    for kind in kinds:
        whole = [match.box for match in _without_overlaps([m for m in kind if m.coverage >= WHOLE])]
        weight = len(whole) / (whole[0].width * whole[0].height) ** 0.25 if whole else 0.0
        for match, company in zip(kind, _company([match.box for match in kind], whole), strict=True):
            ranked.append((-round(match.coverage / COVERAGE_STEP), -company, -weight, match))
    ranked.sort(key=lambda entry: entry[:3])
    return [match for *_, match in ranked]


def _company(boxes: Sequence[_Region], others: Sequence[_Region]) -> list[int]:
    """Return, for each box, how many of the others stand beside it on its line."""
    here = np.array([(box.x, box.y) for box in boxes]).reshape(-1, 1, 2)
    there = np.array([(box.x, box.y) for box in others]).reshape(1, -1, 2)
    reach = np.array([(NEIGHBOURS * box.width, SAME_LINE * box.height) for box in boxes]).reshape(-1, 1, 2)
    return [int(count) for count in (np.abs(here - there) < reach).all(axis=2).sum(axis=1)]


def _peaks(heights: npt.NDArray[np.uint8], least: int) -> Iterator[tuple[float, float, int]]:
    """Yield x, y and height of the peaks above `least`; ground wider than a peak is searched higher up."""
    above = cv2.threshold(heights, least, 255, cv2.THRESH_BINARY)[1]
    for contour in cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        x, y, width, height = cv2.boundingRect(contour)
        ground = heights[y : y + height, x : x + width]
        highest = int(ground.max())
        if max(width, height) > WIDEST_PEAK and highest > least + 1:
            for inner_x, inner_y, top in _peaks(ground, (least + highest) // 2):
                yield x + inner_x, y + inner_y, top
        else:
            yield x + (width - 1) / 2, y + (height - 1) / 2, highest


def _without_overlaps(matches: Sequence[_Match]) -> list[_Match]:
    """Return the matches whose boxes overlap none of those kept before them."""
    boxes = [match.box for match in matches]
    x, y, width, height = np.array([(b.x, b.y, b.width, b.height) for b in boxes]).reshape(-1, 4).T
    area = width * height
    shared = _shared(x - width / 2, x + width / 2) * _shared(y - height / 2, y + height / 2)
    conflict = shared > LARGEST_OVERLAP * np.minimum(area, area[:, None])
    kept = np.zeros(len(boxes), bool)
    for index in range(len(boxes)):
        kept[index] = not (conflict[index] & kept).any()
    return [match for match, keep in zip(matches, kept, strict=True) if keep]


def _shared(start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the length that every two of these intervals have in common."""
    common = np.minimum(end, end[:, None]) - np.maximum(start, start[:, None])
    return np.asarray(np.maximum(0.0, common), np.float64)
