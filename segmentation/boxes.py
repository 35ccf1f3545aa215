"""The printed boxes of a page, found by their corners and the lines between them.

Works on the page's straight print (its pixels are 0.25 mm on A4) and answers in its pixels. Whatever is
written into a box or across it adds ink and takes none away, so the lines that are there stay to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.bits import Bits, moved, spread, starts, unpacked
from segmentation.lines import LINE_SPREAD, Lines, Sums, inked, inked_on_page, ranges, whole
from segmentation.spots import find_spots

SMALLEST_WIDTH, SMALLEST_HEIGHT = 9, 12  # 2.3 x 3 mm on A4, from line to line; smaller ones are letters
LARGEST_SIDE = 160  # 40 mm on A4; larger regions are columns, frames and the paper itself
NARROWEST, WIDEST = 0.3, 1.6  # width over height of a box for one digit; other cells hold words
WIDEST_ALONE = 1.3  # a wider box that stands alone holds a number: two digits need as much
LONGEST_ROW, HIGHEST_ROW = 750, 80  # px of a region that may be a row of boxes or hold a number
ARM = 8  # px for which both lines must go on from a corner: shorter than the shortest side
NEIGHBOURS_IN_A_ROW = 2  # that are looked for on each side of a box
LARGEST_PITCH = 1.9  # of a box's width, from one box to the next of its row
PITCH_OFF = 2  # px by which a box may stand off its row's pitch
CORNER_OFF = 2  # px by which two corners on one line may lie apart from it
SIDE_COVERED = 0.75  # of each side's length that a line covers
WALL_COVERED = 0.9  # of each side of a wide box by a line
GAP = 1.3  # of a box's width, that the white behind it and a thick wall stay under
AS_COMMON = 0.4  # of the votes for a box with its gap, on either side, that the one without has at least
STRAYS = 1  # line that seems to leave a wide box's corners and is another one's: a table's cells have more
MOST_WALLS = 1500  # left and right ones each; a page of grids has more
SLACK = 3  # px by which a wide box may seem too narrow, measured from the middle of its thick lines
NEXT_WALLS = 3  # that a wide box may end at
SAME_SIZE = 1.5  # px by which boxes of one size differ
DIVIDED = 0.5  # what a box counts for that is two boxes as well
GUIDE_WIDTH = (0.25, 0.7)  # of a box's width, that a guide printed into it is wide
GUIDE_OFF = 0.15  # of a box's width, by which a guide may stand off its middle
GUIDE_PITCH = 0.85  # of a box's width, from one guide to the next at least
OFF_LINES = 0.2  # of a box's height, within which a stroke may run along its ceiling or floor
CROSSED = 0.95  # of a box's width that a line through it covers
BEYOND = 1.3  # of a box's width that it goes on for: through a neighbour, as no digit's stroke does
LARGEST_OVERLAP = 0.15  # of the smaller of two boxes
FILLED = 0.4  # of the rectangle round a region that lines enclose: digits and guides take the rest
THICKEST_SPOT = 24  # px; a stroke may run along a line for as long
COVERAGE_STEP = 0.05  # by which one line must be better covered than the next to count as better
MOST_PARTNERS = 5  # of a corner along a line: strokes feign some, and the next box is what is looked for
MOST_CORNERS = 1500  # of a kind; a page of noise has more, and no boxes
MOST_CANDIDATES = 3000  # every two are compared; a page full of boxes has as many
ROUGHLY = 1.5  # by which a box's shape may be off before its lines are looked at closely

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
_Pairs = tuple[Indices, Indices]


@dataclass(frozen=True, slots=True, eq=False)
class PrintedBoxes:
    """What printed lines enclose, an entry each, in no particular order: the edges of the inside."""

    left: Numbers
    top: Numbers
    right: Numbers
    bottom: Numbers
    coverage: Numbers  # of the worst side by a line, 0 to 1
    alone: npt.NDArray[np.bool_]  # its lines go no further: it shares them with no other region

    def __len__(self) -> int:
        return len(self.left)

    def __getitem__(self, which: Indices | npt.NDArray[np.bool_]) -> PrintedBoxes:
        return PrintedBoxes(*(column[which] for column in self._columns))

    @classmethod
    def joined(cls, parts: Iterable[PrintedBoxes]) -> PrintedBoxes:
        """Return the boxes of all parts; none of no parts."""
        none = np.empty(0)
        start = cls(none, none, none, none, none, np.empty(0, bool))
        columns = zip(*(part._columns for part in (start, *parts)), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    @property
    def width(self) -> Numbers:
        return self.right - self.left

    @property
    def height(self) -> Numbers:
        return self.bottom - self.top

    @property
    def edges(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        return self.left, self.top, self.right, self.bottom

    @property
    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return (*self.edges, self.coverage, self.alone)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """First and last pixel of a stretch along one direction, an entry each."""

    first: Indices
    last: Indices

    @property
    def middle(self) -> Numbers:
        return (self.first + self.last) / 2

    @classmethod
    def about(cls, middle: Numbers, end: int) -> _Stretches:
        """Return where a line is looked for that should be at `middle`."""
        middle = np.minimum(np.maximum(middle, PITCH_OFF), end - 1 - PITCH_OFF)
        return cls(whole(middle - PITCH_OFF), whole(middle + PITCH_OFF))

    @classmethod
    def joined(cls, ones: _Stretches, others: _Stretches) -> _Stretches:
        return cls(np.concatenate([ones.first, others.first]), np.concatenate([ones.last, others.last]))

    def __getitem__(self, which: Indices | npt.NDArray[np.bool_]) -> _Stretches:
        return _Stretches(self.first[which], self.last[which])


@dataclass(frozen=True, slots=True, eq=False)
class _Corners:
    """Where a level line and an upright line leave together, an entry each.

    A corner is as large as its lines are thick, and larger where a digit's stroke runs along one.
    """

    columns: _Stretches
    rows: _Stretches

    def __getitem__(self, which: npt.NDArray[np.bool_]) -> _Corners:
        return _Corners(self.columns[which], self.rows[which])


@dataclass(frozen=True, slots=True, eq=False)
class _Ink:
    """How much of a line lies before a pixel in its row, in sums over rows and columns (integral images)."""

    level: Sums
    upright: Sums  # with rows and columns exchanged: the same questions are asked of both

    @classmethod
    def of(cls, lines: Lines) -> _Ink:
        return cls(lines.level_sums, lines.upright_sums.T)


@dataclass(frozen=True, eq=False)
class TracedLines:
    """Lines and the corners from which they go on together; all that looks for boxes starts from these."""

    lines: Lines
    ink: _Ink
    top_left: _Corners
    top_right: _Corners
    bottom_left: _Corners
    bottom_right: _Corners

    @cached_property
    def left_walls(self) -> _Pairs:
        """Upper left corners, each with the lower left ones below it."""
        return _down(self.top_left, self.bottom_left)

    @cached_property
    def right_walls(self) -> _Pairs:
        return _down(self.top_right, self.bottom_right)


def trace(lines: Lines) -> TracedLines:
    """Return lines of straight print with their corners."""
    level, upright = lines.level_bits, lines.upright_bits
    right, down = starts(level, ARM - 1, upright=False), starts(upright, ARM - 1, upright=True)
    rightward, leftward = moved(right, -1), moved(right, ARM - 1)
    beyond = np.zeros((min(ARM - 1, len(level)), level.shape[1]), level.dtype)
    downward = np.concatenate([down[1:], beyond])[: len(level)]
    upward = np.concatenate([beyond, down])[: len(level)]
    meet = [sideways & on_end for on_end in (downward, upward) for sideways in (rightward, leftward)]
    return TracedLines(lines, _Ink.of(lines), *_spots(meet))


def find_boxes(traced: TracedLines) -> PrintedBoxes:
    """Return the boxes between the lines of straight print that have a digit box's shape, table cells too.

    Lines that leave a corner together, and four such corners with lines between them, make a candidate. Of
    candidates that overlap the one stays whose size is the commonest on the page: digit boxes come in rows,
    what strokes feign does not.
    """
    lines, ink = traced.lines, traced.ink
    chosen = _surest(_candidates(traced))
    for _ in range(NEIGHBOURS_IN_A_ROW):
        neighbours = _neighbours(ink, chosen)
        if not len(neighbours):
            break
        chosen = _surest(PrintedBoxes.joined([chosen, neighbours]))
    boxes = chosen[~_crossed(ink.level, chosen)]
    return replace(boxes, alone=_alone(lines, boxes))


def find_wide_boxes(traced: TracedLines) -> PrintedBoxes:
    """Return the rectangles of straight print that are wide enough for two digits and as high as one.

    Their left and right sides go from the ceiling down to the floor. Some overlap: a digit's stroke may go
    down as far.
    """
    ink = traced.ink
    left, top, bottom = _walls(ink, traced.top_left, traced.bottom_left, traced.left_walls)
    right, ends_top, ends_bottom = _walls(ink, traced.top_right, traced.bottom_right, traced.right_walls)
    at, end = _meeting(top, ends_top)
    apart = right.middle[end] - left.middle[at]
    opposite = (
        _meet(bottom[at], ends_bottom[end])
        & (apart >= WIDEST_ALONE * (bottom.middle - top.middle)[at] - SLACK)
        & (apart <= LONGEST_ROW)
    )
    at, end = _nearest(at[opposite], end[opposite], right.middle, NEXT_WALLS)
    found = _at_lines(ink, left[at], top[at], right[end], bottom[at])
    found = found[(found.width >= WIDEST_ALONE * found.height) & (found.height <= HIGHEST_ROW)]
    found = found[found.coverage >= WALL_COVERED]
    found = found[_distinct(found)]
    return replace(found, alone=_alone(traced.lines, found, STRAYS))


def corner_boxes(traced: TracedLines, width: float, height: float) -> tuple[Numbers, Numbers]:
    """Return left and upper edges of the boxes of one size that have a corner of the lines' for theirs."""
    edge = 0.5 - LINE_SPREAD
    lefts, tops = [], []
    for corners, is_left, is_top in (
        (traced.top_left, True, True),
        (traced.top_right, False, True),
        (traced.bottom_left, True, False),
        (traced.bottom_right, False, False),
    ):
        columns, rows = corners.columns, corners.rows
        lefts.append(columns.last + edge if is_left else columns.first - edge - width)
        tops.append(rows.last + edge if is_top else rows.first - edge - height)
    return np.concatenate(lefts), np.concatenate(tops)


def covered_sides(
    traced: TracedLines, left: Numbers, top: Numbers, right: Numbers, bottom: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return how far lines cover the sides of boxes: left, top, right and bottom."""
    height, width = traced.lines.shape
    x = [np.clip(whole(edge), 0, width) for edge in (left, right)]
    y = [np.clip(whole(edge), 0, height) for edge in (top, bottom)]

    def covered(integral: Sums, line: _Stretches, between: Sequence[Indices]) -> Numbers:
        return _inner_line(integral, line.first, line.last, between[0], between[1])[1]

    at_left, at_top, at_right, at_bottom = _sides_about(
        left - LINE_SPREAD, top - LINE_SPREAD, right + LINE_SPREAD, bottom + LINE_SPREAD, traced.lines.shape
    )
    level, upright = traced.ink.level, traced.ink.upright
    return (
        covered(upright, at_left, y),
        covered(level, at_top, x),
        covered(upright, at_right, y),
        covered(level, at_bottom, x),
    )


def _walls(
    ink: _Ink, heads: _Corners, feet: _Corners, pairs: _Pairs
) -> tuple[_Stretches, _Stretches, _Stretches]:
    """Return uprights that go from one corner down to another one: their places, tops and bottoms."""
    head, foot = pairs
    place, top, bottom = heads.columns[head], heads.rows[head], feet.rows[foot]
    down = whole(top.middle), whole(bottom.middle)
    covered = _inner_line(ink.upright, place.first, place.last, *down)[1]
    kept = np.flatnonzero(covered >= WALL_COVERED)[:MOST_WALLS]
    return place[kept], top[kept], bottom[kept]


def _candidates(traced: TracedLines) -> PrintedBoxes:
    """Return every rectangle of a digit box's shape with lines on its four sides."""
    lines, ink = traced.lines, traced.ink
    top_left, top_right, bottom_left = traced.top_left, traced.top_right, traced.bottom_left
    start, end = _meeting(top_left.rows, top_right.rows)
    ahead = _follow(top_left.columns[start], top_right.columns[end], SMALLEST_WIDTH)
    ceilings = _nearest(start[ahead], end[ahead], top_right.columns.middle)
    at, across, down = _join(ceilings, traced.left_walls, len(top_left.rows.first))
    left, right = top_left.columns[at], top_right.columns[across]
    top, bottom = top_left.rows[at], bottom_left.rows[down]
    width, height = right.middle - left.middle, bottom.middle - top.middle
    fitting = np.flatnonzero((width > NARROWEST * height / ROUGHLY) & (width < ROUGHLY * WIDEST * height))
    if len(fitting) > MOST_CANDIDATES:
        within = _corners_within(top_left, (left, top, right, bottom), lines.shape)[fitting]
        fitting = fitting[np.argsort(within, kind="stable")[:MOST_CANDIDATES]]
    cornered = left[fitting], top[fitting], right[fitting], bottom[fitting]
    sides = zip(cornered, _enclosed(lines), strict=True)
    return _refined(ink, *(_Stretches.joined(*side) for side in sides))


def _enclosed(lines: Lines) -> tuple[_Stretches, _Stretches, _Stretches, _Stretches]:
    """Return where the lines should be round every region that they enclose: left, top, right and bottom.

    Lines are made wider once more, so that corners close which miss each other by a pixel or two.
    """
    both = spread(lines.level_bits | lines.upright_bits, 1, lines.width, upright=False)
    closed = unpacked(spread(both, 1, lines.width, upright=True), lines.width)
    contours, nesting = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    holes = [] if nesting is None else [each[-1] >= 0 for each in nesting[0].tolist()]
    fewest, most = 2 * (SMALLEST_HEIGHT - 2), LARGEST_SIDE + 2
    regions = []
    for outline in compress(contours, holes):
        if len(outline) >= fewest:
            x, y, across, down = cv2.boundingRect(outline)  # of the lines' pixels next to the region
            if across >= SMALLEST_WIDTH and down >= SMALLEST_HEIGHT and max(across, down) <= most:
                enclosed = cv2.contourArea(outline) - len(outline) / 2 + 1  # pixels (Pick 1899)
                if enclosed > FILLED * (across - 2) * (down - 2):
                    regions.append((x - 1, y - 1, x + across, y + down))
    left, top, right, bottom = np.array(regions, np.float64).reshape(-1, 4).T
    return _sides_about(left, top, right, bottom, lines.shape)


def _sides_about(
    left: Numbers, top: Numbers, right: Numbers, bottom: Numbers, shape: tuple[int, ...]
) -> tuple[_Stretches, _Stretches, _Stretches, _Stretches]:
    """Return where the lines of boxes are looked for that should be at these places of a page."""
    height, width = shape
    return (
        _Stretches.about(left, width),
        _Stretches.about(top, height),
        _Stretches.about(right, width),
        _Stretches.about(bottom, height),
    )


def _corners_within(corners: _Corners, sides: Sequence[_Stretches], shape: tuple[int, ...]) -> Indices:
    """Return how many corners lie within each candidate: those of a grid's cells, where it spans several."""
    spots = np.zeros(shape, np.uint8)
    spots[whole(corners.rows.middle), whole(corners.columns.middle)] = 1
    before = np.asarray(cv2.integral(spots), np.int32)
    left, top, right, bottom = (whole(side.middle) for side in sides)
    x1, x2 = left + ARM // 2, right - ARM // 2
    y1, y2 = np.maximum(top - CORNER_OFF, 0), bottom - ARM // 2
    return inked_on_page(before, x1, y1, x2, y2)


def _refined(
    ink: _Ink, left: _Stretches, top: _Stretches, right: _Stretches, bottom: _Stretches
) -> PrintedBoxes:
    """Return the candidates of a digit box's shape whose four sides are lines, moved to their inner edges."""
    candidates = _at_lines(ink, left, top, right, bottom)
    shape = candidates.width / np.maximum(candidates.height, 1)
    candidates = candidates[(shape > NARROWEST) & (shape < WIDEST)]
    return candidates[_distinct(candidates)]


def _at_lines(
    ink: _Ink, left: _Stretches, top: _Stretches, right: _Stretches, bottom: _Stretches
) -> PrintedBoxes:
    """Return the candidates whose four sides are lines, moved to where the lines' inner edges are."""
    across, down = (whole(left.middle), whole(right.middle)), (whole(top.middle), whole(bottom.middle))
    sides = (
        (ink.upright, left.last, left.first, *down),
        (ink.upright, right.first, right.last, *down),
        (ink.level, top.last, top.first, *across),
        (ink.level, bottom.first, bottom.last, *across),
    )
    count = len(left.first)
    which, coverage, places = np.arange(count), np.ones(count), np.empty((0, count))
    for integral, *line in sides:  # most candidates lack one side or another: the next are not asked for
        place, covered = _inner_line(integral, *(each[which] for each in line))
        there = covered >= SIDE_COVERED
        which, coverage = which[there], np.minimum(coverage, covered)[there]
        places = np.vstack([places, place])[:, there]
    edge = 0.5 - LINE_SPREAD
    left_line, right_line, top_line, bottom_line = places
    candidates = PrintedBoxes(
        left_line + edge,
        top_line + edge,
        right_line - edge,
        bottom_line - edge,
        coverage,
        np.zeros(len(which), bool),
    )
    return candidates[(candidates.width >= SMALLEST_WIDTH) & (candidates.height >= SMALLEST_HEIGHT)]


def _distinct(candidates: PrintedBoxes) -> Indices:
    """Return which candidates to keep so that each occurs once; one number for four edges sorts fast."""
    key = np.zeros(len(candidates), np.int64)
    for edge in candidates.edges:
        key = (key << 16) + _halves(edge)
    return np.asarray(np.unique(key, return_index=True)[1], np.intp)


def _inner_line(
    integral: Sums, inner: Indices, outer: Indices, start: Indices, end: Indices
) -> tuple[Numbers, Numbers]:
    """Return which row from `inner` to `outer` a line covers best between two columns, and how much of it.

    Among rows covered equally well the innermost counts.
    """
    step, count = np.sign(outer - inner), np.minimum(np.abs(outer - inner), THICKEST_SPOT)
    further = np.arange(count.max(initial=0) + 1)[:, None]
    row = inner + step * np.minimum(further, count)
    covered = inked_on_page(integral, start, row, end, row + 1) / np.maximum(end - start, 1)
    best, place = covered[0], np.zeros_like(count)
    for nth, each in enumerate(covered[1:], start=1):
        better = each > best + COVERAGE_STEP
        best, place = np.where(better, each, best), np.where(better, nth, place)
    return (inner + step * place).astype(float), best


def _spots(kinds: Sequence[Bits]) -> list[_Corners]:
    """Return where bits of each kind hang together, in rectangles round them."""
    height = len(kinds[0]) + 1
    spots = find_spots(np.concatenate([rows for kind in kinds for rows in (kind, np.zeros_like(kind[:1]))]))
    kind, top = np.divmod(spots.top, height)
    columns = _Stretches(spots.left, spots.right)
    rows = _Stretches(top, spots.bottom - kind * height)
    which = [np.flatnonzero(kind == nth)[::-1][:MOST_CORNERS] for nth in range(len(kinds))]
    return [_Corners(columns[each], rows[each]) for each in which]


def _meet(ones: _Stretches, others: _Stretches) -> Flags:
    """Tell which of these pairs of stretches lie side by side, CORNER_OFF aside."""
    return np.asarray(
        (ones.first <= others.last + CORNER_OFF) & (others.first <= ones.last + CORNER_OFF), np.bool_
    )


def _meeting(ones: _Stretches, others: _Stretches) -> _Pairs:
    """Return all pairs of stretches that lie side by side, CORNER_OFF aside."""
    order = np.argsort(others.first)
    longest = (others.last - others.first).max(initial=0)
    starts = others.first[order]
    first = np.searchsorted(starts, ones.first - CORNER_OFF - longest)
    one, nth = ranges(first, np.searchsorted(starts, ones.last + CORNER_OFF, "right"))
    other = order[nth]
    there = _meet(ones[one], others[other])
    return one[there], other[there]


def _down(heads: _Corners, feet: _Corners) -> _Pairs:
    """Return corners, each with those below it that are the nearest."""
    head, foot = _meeting(heads.columns, feet.columns)
    below = _follow(heads.rows[head], feet.rows[foot], SMALLEST_HEIGHT)
    return _nearest(head[below], foot[below], feet.rows.middle)


def _nearest(ones: Indices, others: Indices, place: Numbers, most: int = MOST_PARTNERS) -> _Pairs:
    """Return of these pairs, of each one as many as have the others that come first, sorted."""
    order = np.argsort(place, kind="stable")
    rank, count = np.argsort(order), max(1, len(place))
    ones, others = np.divmod(np.sort(ones * count + rank[others]), count)  # one number sorts fast for two
    near = np.arange(len(ones)) - np.searchsorted(ones, ones) < most
    ones, others = np.divmod(np.sort(ones[near] * count + order[others[near]]), count)
    return ones, others


def _follow(ones: _Stretches, others: _Stretches, least: int) -> Flags:
    """Tell of which pairs the other comes behind by as much as the sides of a box are apart."""
    return np.asarray(
        (others.first > ones.first)
        & (others.last - ones.first >= least)
        & (others.first - ones.last <= LARGEST_SIDE)
    )


def _join(ceilings: _Pairs, walls: _Pairs, count: int) -> tuple[Indices, Indices, Indices]:
    """Return every one of so many corners with each of its partners to the right and each of those below."""
    at, across = ceilings
    above, down = walls
    ends = np.cumsum(np.bincount(above, minlength=count))
    entry, nth = ranges(np.append(0, ends)[at], ends[at])
    return at[entry], across[entry], down[nth]


def _surest(candidates: PrintedBoxes) -> PrintedBoxes:
    """Return the candidates that overlap none which is surer."""
    conflicts = _conflicts(candidates)
    return candidates[_kept(_surest_first(candidates, conflicts), conflicts)]


def _neighbours(ink: _Ink, boxes: PrintedBoxes) -> PrintedBoxes:
    """Return what lines surround where a row lacks its next box: its corners may be written over."""
    apart = boxes.left[:, None] - boxes.left
    level = np.abs(boxes.top[:, None] - boxes.top) <= CORNER_OFF
    ahead = level & (apart > 0) & (apart < LARGEST_PITCH * boxes.width) & _alike(_sizes(boxes))
    behind_pitch = np.where(ahead, apart, np.inf).min(axis=1, initial=np.inf)  # to the box on the left
    ahead_pitch = np.where(ahead, apart, np.inf).min(axis=0, initial=np.inf)
    has_left, has_right = np.isfinite(behind_pitch), np.isfinite(ahead_pitch)
    ends, starts = has_left & ~has_right, has_right & ~has_left
    where = np.concatenate([np.flatnonzero(ends), np.flatnonzero(starts)])
    shift = np.concatenate([behind_pitch[ends], -ahead_pitch[starts]])
    height, width = (size - 1 for size in ink.level.shape)
    left, right = boxes.left[where] + shift, boxes.right[where] + shift
    on_page = (left > PITCH_OFF) & (right < width - 1 - PITCH_OFF)
    where, left, right = where[on_page], left[on_page], right[on_page]
    top, bottom = boxes.top[where] - LINE_SPREAD, boxes.bottom[where] + LINE_SPREAD
    return _refined(ink, *_sides_about(left - LINE_SPREAD, top, right + LINE_SPREAD, bottom, (height, width)))


def _sizes(boxes: PrintedBoxes) -> npt.NDArray[np.int16]:
    """Return (2, n): how wide and how high boxes are, in half pixels."""
    return np.stack([_halves(boxes.width), _halves(boxes.height)])


def _surest_first(boxes: PrintedBoxes, conflicts: _Pairs) -> Indices:
    """Return the order in which boxes are believed: those of the commonest size first."""
    sizes = (_halves(boxes.width).astype(np.int32) << 16) + _halves(boxes.height)
    sizes, nth, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    each = np.stack([sizes >> 16, sizes & 0xFFFF]).astype(np.int16)
    votes = (_alike(each) @ counts)[nth]
    votes = votes * np.where(_divided(boxes, votes, conflicts), DIVIDED, 1.0)
    votes[_guides(boxes, conflicts)] = 0
    return np.lexsort((-boxes.coverage, -votes))


def _alike(sizes: npt.NDArray[np.int16]) -> Flags:
    """Tell of every two sizes, (n, n), whether they are about the same."""
    return np.asarray((np.abs(sizes[:, :, None] - sizes[:, None]) <= 2 * SAME_SIZE).all(axis=0))


def _guides(boxes: PrintedBoxes, conflicts: _Pairs) -> Flags:
    """Tell which boxes are printed into the middle of another one, each for itself: guides for a digit."""
    x, width = (boxes.left + boxes.right) / 2, boxes.width
    one, other = conflicts
    top, bottom, off = _halves(boxes.top), _halves(boxes.bottom), 2 * CORNER_OFF
    below, beyond = top[other] - top[one], bottom[other] - bottom[one]
    within, outside = (below > off) & (beyond < -off), (below < -off) & (beyond > off)
    around = np.concatenate([one[within], other[outside]])
    guide = np.concatenate([other[within], one[outside]])
    fits = (width[guide] > GUIDE_WIDTH[0] * width[around]) & (width[guide] < GUIDE_WIDTH[1] * width[around])
    fits &= np.abs(x[guide] - x[around]) < GUIDE_OFF * width[around]
    guide, around = guide[fits], around[fits]
    far = _next_alike(boxes, guide) >= GUIDE_PITCH * width[around]
    return _any(guide[far], len(boxes))


def _next_alike(boxes: PrintedBoxes, which: Indices) -> Numbers:
    """Return how far it is from some boxes to the next one of their size in their row, infinite without."""
    x, y = (boxes.left + boxes.right) / 2, (boxes.top + boxes.bottom) / 2
    ones = np.flatnonzero(_any(which, len(boxes)))
    order = np.argsort(y)
    rows = y[order]
    first = np.searchsorted(rows, y[ones] - CORNER_OFF)
    end = np.searchsorted(rows, y[ones] + CORNER_OFF, "right")
    entry, nth = ranges(first, end)
    one, other = ones[entry], order[nth]
    sizes = _sizes(boxes)
    alike = (np.abs(sizes[:, one] - sizes[:, other]) <= 2 * SAME_SIZE).all(axis=0) & (one != other)
    apart = np.where(alike, np.abs(x[one] - x[other]), np.inf)
    next_one = np.minimum.reduceat(apart, np.cumsum(end - first) - (end - first))
    return np.asarray(next_one[np.searchsorted(ones, which)])


def _divided(boxes: PrintedBoxes, votes: Indices, conflicts: _Pairs) -> Flags:
    """Tell which boxes are two others as well, beside or above each other, or one with the gap next to it."""
    left, top, right, bottom, width, height = map(_halves, (*boxes.edges, boxes.width, boxes.height))
    near = np.int16(2 * CORNER_OFF)

    def same(edge: npt.NDArray[np.int16], one: Indices, other: Indices) -> Flags:
        return np.asarray(np.abs(edge[one] - edge[other]) <= near)

    def sharing(start: npt.NDArray[np.int16], end: npt.NDArray[np.int16]) -> tuple[Indices, Indices]:
        one, other = conflicts  # few share both: the rest is asked of these pairs alone
        for edge in (start, end):
            both = same(edge, one, other)
            one, other = one[both], other[both]
        return np.concatenate([one, other]), np.concatenate([other, one])

    def of_two(one: Indices, start: Flags, end: Flags, smaller: Flags) -> Flags:
        return _any(one[start & ~end & smaller], len(boxes)) & _any(one[end & ~start & smaller], len(boxes))

    one, other = sharing(top, bottom)
    start, end, less = same(left, one, other), same(right, one, other), width[one] - width[other]
    with_gap = (
        (start ^ end)
        & (less > near)
        & (less < GAP * width[other])
        & (votes[other] > AS_COMMON * votes[one])  # strokes feign narrow boxes, but of many sizes
    )
    divided = _any(one[with_gap], len(boxes)) | of_two(one, start, end, less > 0)
    one, other = sharing(left, right)
    start, end, less = same(top, one, other), same(bottom, one, other), height[one] - height[other]
    return divided | of_two(one, start, end, less > 0)


def _any(indices: Indices, count: int) -> Flags:
    """Return flags, up for these indices."""
    flags = np.zeros(count, bool)
    flags[indices] = True
    return flags


def without_overlaps(boxes: PrintedBoxes, order: Indices) -> Indices:
    """Return the boxes that overlap none of those before them in the order."""
    return _kept(order, _conflicts(boxes))


def _kept(order: Indices, conflicts: _Pairs) -> Indices:
    """Return the boxes that overlap none of those before them in the order, given all pairs that overlap."""
    one, other = conflicts
    excludes = np.zeros((len(order), len(order)), bool)
    excludes[one, other] = excludes[other, one] = True
    kept, taken = [], np.zeros(len(order), bool)
    for index in order.tolist():
        if not taken[index]:
            kept.append(index)
            taken |= excludes[index]
    return np.array(sorted(kept), np.intp)


def _conflicts(boxes: PrintedBoxes) -> _Pairs:
    """Return all pairs of boxes that overlap by more than two boxes of a page do, each once."""
    order = np.argsort(boxes.top)
    boxes = boxes[order]
    left, top, right, bottom = map(_halves, boxes.edges)
    least = (LARGEST_OVERLAP * 4 * boxes.width * boxes.height).astype(np.float32)
    one, other = ranges(np.arange(1, len(boxes) + 1), np.searchsorted(boxes.top, boxes.bottom))
    across = np.minimum(right[one], right[other]) - np.maximum(left[one], left[other])
    beside = across > 0
    one, other, across = one[beside], other[beside], across[beside]
    down = np.minimum(bottom[one], bottom[other]) - top[other]
    conflict = across * down.astype(np.float32) > np.minimum(least[one], least[other])
    return order[one[conflict]], order[other[conflict]]


def _crossed(level: Sums, boxes: PrintedBoxes) -> Flags:
    """Tell which boxes a level line runs through, and through a neighbour: rows of a table in one."""
    left, right = whole(boxes.left) + 1, whole(boxes.right)
    far, beyond = OFF_LINES * boxes.height, whole(BEYOND * boxes.width)
    top, bottom = whole(boxes.top + far), whole(boxes.bottom - far)
    as_much = inked(level, left, top, right, bottom) >= CROSSED * (right - left)  # as one line through it
    which = np.flatnonzero(as_much)
    box, row = ranges(top[which], bottom[which])
    box = which[box]

    def is_line(start: Indices, end: Indices) -> Flags:
        start, end = np.maximum(start, 0), np.minimum(end, level.shape[1] - 1)
        seen = inked(level, start, row, end, row + 1)
        return np.asarray((seen >= CROSSED * (end - start)) & (end > start))

    through = is_line(left[box], right[box])
    box, row = box[through], row[through]
    before, behind = is_line((left - beyond)[box], left[box]), is_line(right[box], (right + beyond)[box])
    return _any(box[before | behind], len(boxes))


def _alone(lines: Lines, boxes: PrintedBoxes, strays: int = 0) -> Flags:
    """Tell which boxes' lines go no further than their corners; so many lines may seem to."""
    height, width = lines.shape
    left, right = whole(boxes.left) - LINE_SPREAD, whole(boxes.right) + LINE_SPREAD
    top, bottom = whole(boxes.top) - LINE_SPREAD, whole(boxes.bottom) + LINE_SPREAD

    def on_page(places: Sequence[Indices], size: int) -> list[Indices]:
        return [np.minimum(np.maximum(place, 0), size - 1) for place in places]

    beside, x = on_page((left - ARM, right + ARM), width), on_page((left, right), width)
    beyond, y = on_page((top - ARM, bottom + ARM), height), on_page((top, bottom), height)
    further = [lines.level[row, column] > 0 for column in beside for row in y]
    further += [lines.upright[row, column] > 0 for column in x for row in beyond]
    return np.asarray(np.sum(further, axis=0) <= strays)


def _halves(places: Numbers) -> npt.NDArray[np.int16]:
    """Return places in half pixels: edges lie between pixels, and small numbers compare fast."""
    return np.rint(2 * places).astype(np.int16)
