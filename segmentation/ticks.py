"""Combs whose boxes are divided by short ticks: a base line, and ticks that stand on it at one pitch.

Works on the page's straight print (its pixels are 0.25 mm on A4). Digits cross the base line, touch ticks and
feign some. What they do not do is stand at one pitch, as high as one another, from one end of the line to the
other; and a form has more than one comb of a kind, so the clear ones tell of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.bits import Bits, closed, edged, packed, starts
from segmentation.boxes import PrintedBoxes
from segmentation.lines import LINE_SPREAD, Lines, Mask, ranges
from segmentation.regions import apart
from segmentation.spots import Spots, columns, find_spots

SHORTEST_PITCH, LONGEST_PITCH = 13.0, 60.0  # px from one tick to the next
MOST_BOXES = 20  # of a comb
LONGEST_BREAK = 4  # px that may lack of a base line in one place; boxes that stand apart have wider gaps
STEEPEST = 0.03  # of its length, that a base line may rise or fall
WHOLE_LINE = 0.93  # of a base line that is print; between letters is more white
THICKEST_LINE, THICKEST_TICK = 8, 9  # px
SHORTEST_TICK, TALLEST = 3, 80  # px above the base line, of a tick and of anything that is looked at
BESIDE = 2  # px beside a line, where what is at its end may stand
FAR = 1 << 20  # px, wider than any page
SHORT, HIGH = 4, 9  # px of uprights and the line they stand on; strokes join the short ones
BELOW = 3  # px that a stroke which crosses the line goes on at least
TICK_OF_PITCH = (0.2, 0.8)  # that a tick is high
TICK_OF_BOX = 0.7  # that a tick is high at most
TICK_WIDTH = 1.5  # px
BOX_SHAPE = (0.65, 2.2)  # height over width of a box
OPEN_SHAPE = 1.2  # height over width of a box whose height nothing tells
OFF_PLACE = 2  # px by which a tick may stand off its place
OFF_END = 7  # px by which a base line may seem to go on behind a comb, where a stroke does
LEANS = 3  # px to both sides, within which a high upright stays
SAME_HEIGHT = 2  # px by which ticks of a comb differ
SAME_PITCH = 0.04  # by which combs of a kind differ
STRETCHES = (-2.0, -1.0, 0.0, 1.0, 2.0)  # px by which a comb may be longer than its kind has it
ROOF, CEILING = 0.5, 0.8  # of a base's length that a line covers: over walls, and over a comb
POST = 0.85  # of the way to the ceiling that posts go up at both ends; else it belongs to the row above
LONGEST_SPACE = 6  # px between the dashes of a wall
COVERED, MISSING = 0.6, -1.0  # what a place counts: a stroke hides a tick, there is none; 1 else
STRAY, STRAY_OF_KIND = 0.7, 0.35  # what a tick takes off that stands elsewhere
AT_END = 0.3  # what an end counts that is the base line's
CLEAR, LIKELY = 0.75, 0.5  # what a comb's places count in the mean, by itself and where its kind is known
CLEAN = 0.6  # of the places between boxes of a clear comb that have a clean tick
FEWEST_SURE = 3  # boxes of a comb that a page has no other one like; strokes divide many a box in two
SURE = 0.9  # what the places count in the mean where a page has no other comb like it
MISSING_OF_CLEAR = 0.125  # of a clear comb's places, that nothing stands at: by CLEAR and MISSING
SMALL_PRINT = 0.5  # of a line's length over which print is a tick's height above it: no comb, as words are
CROWDED = 0.5  # of its base on which something stands: small print, where a page has no other comb like it
FEWEST_FITTED = 3  # places of a comb with a tick, that tell its pitch
FEWEST_ALIKE, FEWEST_BOXES = 2, 5  # clear combs that make a kind, and their boxes
SAME_BOX, WHOLE_BOX = 3.0, 0.9  # px by which printed boxes of a row differ, and how far lines cover them

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Base:
    """A level line and what stands on it. Places are pixels along it, OFF_END of them before it begins."""

    left: float  # column of the page at place 0
    floor: float  # row of the line's upper edge at place 0
    slope: float
    end: int  # the line's last place
    seen: Mask  # the print above it, TALLEST, it and BELOW, by row and place
    to_page: Numbers  # (2, 3), from `seen`
    lines: Mask  # level lines of the page

    @cached_property
    def above(self) -> Mask:
        """The print above it, by height and place."""
        upward = self.seen[TALLEST - 1 :: -1]
        return np.asarray(cv2.morphologyEx(upward, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8)), np.uint8)

    @cached_property
    def reach(self) -> Indices:
        """How far print goes straight up from the line, for each place."""
        gone = cv2.dilate(self.above, np.ones((1, 3), np.uint8)) == 0
        return np.where(gone.any(axis=0), gone.argmax(axis=0), TALLEST)

    @cached_property
    def below(self) -> Flags:
        """Whether print goes on below the line, for each place."""
        return np.asarray(self.seen[-BELOW:].all(axis=0))

    @cached_property
    def peaks(self) -> tuple[Numbers, Numbers]:
        return _ticks(self.reach)

    @property
    def ticks(self) -> Numbers:
        """The places of what is thin and stands on the line."""
        return self.peaks[0]

    @property
    def heights(self) -> Numbers:
        return self.peaks[1]

    @cached_property
    def level(self) -> Mask:
        """Level lines above it, by the rows of the page down to the line, and place."""
        return _seen(self.lines, self.to_page, self.end + OFF_END + 1, TALLEST)


@dataclass(frozen=True, slots=True)
class _Comb:
    """A row of boxes between ticks on a base line."""

    base: _Base
    first: float  # place of the first tick
    pitch: float
    count: int  # of boxes
    tick: float  # px that the ticks are high
    score: float
    end: float  # px that the uprights at both ends are high
    height: float | None  # of the boxes, px; None where nothing tells


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the combs of a page have in common."""

    pitch: float
    tick: float
    end: float
    height: float | None


def find_combs(lines: Lines, print_: Mask, boxes: PrintedBoxes) -> PrintedBoxes:
    """Return the boxes of a page's combs with ticks on a base line, open above or with a ceiling.

    What stands where `boxes` with whole sides do already is none.
    """
    seen, bare = _lines(lines.level_bits, packed(print_))
    doubtful = _are_doubtful(seen, bare, print_)
    doubtful[~doubtful] = _are_sides(seen[~doubtful], boxes[boxes.coverage >= WHOLE_BOX])
    bases = list(_bases(seen[~doubtful], lines.level, print_))
    combs = [_clear_comb(base) for base in bases]
    if _commonest(combs) is not None:  # a page with combs: its other lines are looked at too
        others = list(_bases(seen[doubtful], lines.level, print_))
        bases, combs = bases + others, combs + [_clear_comb(base) for base in others]
    kind = _commonest(combs)
    combs = [comb if comb is not None and _is_sure(comb) else None for comb in combs]
    if kind is not None:
        combs = [_comb_of(kind, base, comb) for base, comb in zip(bases, combs, strict=True)]
    found = PrintedBoxes.joined([])
    for comb in sorted(filter(None, combs), key=_score, reverse=True):
        row = _boxes(comb)
        if len(apart(row, found)) == len(row) and not _is_printed(row, boxes):
            found = PrintedBoxes.joined([found, row])
    return found


def _is_printed(row: PrintedBoxes, boxes: PrintedBoxes) -> bool:
    """Tell whether boxes of one size with whole sides stand where a row is, side by side from end to end."""
    on = boxes[
        (np.abs(boxes.bottom - row.bottom.mean()) <= OFF_END)
        & (boxes.left > row.left[0] - OFF_END)
        & (boxes.right < row.right[-1] + OFF_END)
    ]
    return (
        len(on) > 1
        and float(on.coverage.min()) >= WHOLE_BOX
        and float(on.width.sum()) >= CEILING * (row.right[-1] - row.left[0])
        and float(max(np.ptp(on.width), np.ptp(on.height))) <= SAME_BOX
    )


def _lines(level: Bits, print_: Bits) -> tuple[Spots, Indices]:
    """Return the level lines that may be a comb's base, the lowest first: two things or more stand on them.

    Also for how many pixels of each nothing stands on it, in one stretch.
    """
    lines = find_spots(closed(level, LONGEST_BREAK, upright=False))
    width = lines.width + 2
    lines = lines[np.flatnonzero((width >= 2 * SHORTEST_PITCH) & (width <= MOST_BOXES * LONGEST_PITCH))[::-1]]
    short = _standing(lines, print_, SHORT)
    hold_two = _groups(*short, len(lines)) > 1
    others = lines[~hold_two]
    hold_two[~hold_two] = _groups(*_standing(others, print_, HIGH), len(others)) > 1
    return lines[hold_two], _widest_space(lines, *short)[hold_two]


def _standing(lines: Spots, print_: Bits, height: int) -> tuple[Indices, Indices]:
    """Return where print goes straight up from lines by so many pixels: which line, and the column."""
    down = starts(edged(print_, 0, height - 1, 0, upright=True), height, upright=True)
    return columns(down, np.maximum(lines.left - BESIDE, 0), lines.top, lines.right + BESIDE, lines.bottom)


def _groups(line: Indices, x: Indices, count: int) -> Indices:
    """Return how many things stand on each of so many lines."""
    is_first = (np.diff(line, prepend=-1) > 0) | (np.diff(x, prepend=-1) > 1)
    return np.bincount(line[is_first], minlength=count)


def _widest_space(lines: Spots, line: Indices, x: Indices) -> Indices:
    """Return for how many pixels nothing stands on each line, its ends or something on either side."""
    begin = FAR * np.arange(len(lines))  # all lines one after the other, far from each other
    ends = begin + lines.left - BESIDE - 1, begin + lines.right + BESIDE + 1
    spaces = np.diff(np.sort(np.concatenate([FAR * line + x, *ends])), append=0) - 1
    last = np.cumsum(np.bincount(line, minlength=len(lines)) + 2) - 1
    spaces[last] = 0  # from one line to the next
    return np.asarray(np.maximum.reduceat(spaces, np.append(0, last + 1)[:-1]))


def _are_sides(lines: Spots, boxes: PrintedBoxes) -> Flags:
    """Tell which lines are floor or ceiling of boxes of one size, side by side from end to end."""
    across = np.minimum(boxes.right, lines.right[:, None] + 1) - np.maximum(boxes.left, lines.left[:, None])
    middle = (lines.top + lines.bottom + 1)[:, None] / 2
    sides = np.zeros(len(lines), bool)
    for edge in (boxes.bottom, boxes.top):
        on = (np.abs(edge - middle) <= OFF_END) & (across > 0)
        full = (on.sum(axis=1) > 1) & ((across * on).sum(axis=1) >= CEILING * lines.width)
        for size in (boxes.width, boxes.height):
            largest = np.where(on, size, 0.0).max(axis=1, initial=0.0)
            full &= largest - np.where(on, size, np.inf).min(axis=1, initial=np.inf) <= SAME_BOX
        sides |= full
    return sides


def _are_doubtful(lines: Spots, bare: Indices, print_: Mask) -> Flags:
    """Tell which lines make no clear comb: too short, too bare in one stretch, or a line of words."""
    line, x = ranges(lines.left, lines.right + 1)
    above = print_[np.maximum(0, lines.top + LINE_SPREAD - SHORTEST_TICK)[line], x] > 0
    return np.asarray(
        (lines.width + 2 < FEWEST_SURE * SHORTEST_PITCH)
        | (bare - 2 * OFF_PLACE - LONGEST_PITCH > MISSING_OF_CLEAR * (lines.width + LONGEST_PITCH))
        | (np.bincount(line[above], minlength=len(lines)) > SMALL_PRINT * lines.width)
    )


def _bases(lines: Spots, level: Mask, print_: Mask) -> Iterator[_Base]:
    """Yield what stands on each line that is one."""
    upper, lower, firsts = lines.rows_of_columns()
    for x, first, width in zip(lines.left.tolist(), firsts.tolist(), lines.width.tolist(), strict=True):
        which = slice(first, first + width)
        base = _base(x, upper[which], lower[which], level, print_)
        if base is not None:
            yield base


def _base(x: int, upper: Indices, lower: Indices, level: Mask, print_: Mask) -> _Base | None:
    """Return what stands on a line, None where it is none."""
    width = len(upper)
    thickness = lower - upper + 1 - 2 * LINE_SPREAD
    thin = np.flatnonzero(thickness <= THICKEST_LINE)  # no foot of a digit lies beside the line
    third = len(thin) // 3
    if len(thin) < max(width / 2, 3):
        return None
    low, high = (_middle(lower[part]) for part in (thin[:third], thin[-third:]))
    if abs(high - low) > 1.5 + STEEPEST * width:
        return None
    apart_by = (int(thin[-third:].sum()) - int(thin[:third].sum())) / third
    slope = (high - low) / apart_by
    thick = max(1, int(np.sort(thickness[thin])[len(thin) // 4]))  # where no foot of a digit joins it
    floor = low - LINE_SPREAD - thick + 1 - slope * (float(thin[:third].sum()) / third + OFF_END)
    to_page = np.array([(1, 0, x - OFF_END), (slope, 1, floor - TALLEST)])
    seen = _seen(print_, to_page, width + 2 * OFF_END, TALLEST + thick + BELOW)
    if not _is_line(seen[TALLEST - 1 : TALLEST + thick + 1, OFF_END:-OFF_END]):
        return None
    return _Base(x - OFF_END, floor, slope, width + OFF_END - 1, seen, to_page, level)


def _seen(mask: Mask, to_page: Numbers, width: int, height: int) -> Mask:
    """Return a mask as it lies about a line."""
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(mask, to_page, (width, height), flags=how), np.uint8)


def _is_line(rows: Mask) -> bool:
    """Tell a line from small print, which has gaps between its letters."""
    either = cv2.bitwise_or(rows[:-1], rows[1:])
    return bool(cv2.reduce(either, 1, cv2.REDUCE_AVG).max() >= 255 * WHOLE_LINE)


def _ticks(reach: Indices) -> tuple[Numbers, Numbers]:
    """Return the place and height of each narrow peak of what stands on a line."""
    found: list[tuple[float, int]] = []
    heights, beyond = [0, *reach.tolist(), 0], -1
    changes = (np.flatnonzero(np.diff(heights)) + 1).tolist()
    for start, end in pairwise(changes):
        height = heights[start]
        if height < SHORTEST_TICK or heights[start - 1] > height or heights[end] > height or start < beyond:
            continue
        low, first, beyond = height - SHORTEST_TICK, start, end
        while heights[first - 1] > low:
            first -= 1
        while heights[beyond] > low:
            beyond += 1
        if beyond - first > THICKEST_TICK or max(heights[first:beyond]) > height:
            beyond = end
            continue
        found.append(((start + end - 1) / 2 - 1, height))
    places, tall = np.array(found, np.float64).reshape(-1, 2).T
    return places, tall


def _middle(numbers: Indices) -> int:
    return int(np.sort(numbers)[len(numbers) // 2])


def _clear_comb(base: _Base) -> _Comb | None:
    """Return the comb that goes from one end of a base line to the other, where that is beyond doubt."""
    at_first, at_last = np.abs(base.ticks - OFF_END) <= OFF_END, np.abs(base.ticks - base.end) <= OFF_END
    if not (at_first.any() and at_last.any()):
        return None
    inner = base.heights[~at_first & ~at_last]
    counts = np.arange(2, MOST_BOXES + 1)
    combs: list[_Comb] = []
    for tick in np.unique(inner).astype(int).tolist():
        if _level_at(base, tick) >= ROOF:
            continue  # these are walls, of boxes or of a table's columns
        high = base.heights >= tick - SAME_HEIGHT
        firsts, lasts = base.ticks[at_first & high], base.ticks[at_last & high]
        ends = np.array(list(product(firsts.tolist(), lasts.tolist(), counts.tolist()))).reshape(-1, 3)
        pitches = (ends[:, 1] - ends[:, 0]) / ends[:, 2]
        fits = (pitches >= max(SHORTEST_PITCH, tick / TICK_OF_PITCH[1])) & (
            pitches <= min(LONGEST_PITCH, tick / TICK_OF_PITCH[0])
        )
        if fits.any():
            rows = _Rows(ends[fits, 0], pitches[fits], ends[fits, 2].astype(np.intp))
            comb = _surest(_evidence(base, tick, tick), rows, CLEAR, CLEAN, STRAY)
            if comb is not None and not _goes_on(comb):
                combs.append(comb)
    return max(combs, key=_score, default=None)


def _goes_on(comb: _Comb) -> bool:
    """Tell whether most ticks of a comb are the first dashes of walls."""
    places = np.rint(comb.first + comb.pitch * np.arange(1, comb.count)).astype(np.intp)
    further = comb.base.above[round(comb.tick) + 1 : round(comb.tick) + 1 + LONGEST_SPACE]
    inked = [bool(further[:, place - 1 : place + 2].any()) for place in places.tolist()]
    return sum(inked) > len(inked) / 2


def _level_at(base: _Base, height: int) -> float:
    """Return the share of a base's length that has a level line so high above it."""
    rows = base.level[max(0, TALLEST - height - 3) : TALLEST - height + 2, OFF_END:-OFF_END]
    return float(rows.any(axis=0).mean())


def _comb_of(kind: _Kind, base: _Base, clear: _Comb | None) -> _Comb | None:
    """Return the comb of a page's kind on a base line; a `clear` one of another kind where there is none."""
    like = np.abs(base.heights - kind.tick) <= SAME_HEIGHT
    most = min(MOST_BOXES, int((base.end + OFF_END) / kind.pitch))
    if most >= 2:
        at_end = np.abs(base.ticks - OFF_END) <= OFF_END
        firsts = [OFF_END + 1.0, *base.ticks[like | at_end].tolist()]
        rows = np.array(list(product(firsts, range(2, most + 1), STRETCHES)))
        rows = rows[rows[:, 0] + rows[:, 1] * kind.pitch <= base.end + OFF_END]
        found = _Rows(rows[:, 0], kind.pitch + rows[:, 2] / rows[:, 1], rows[:, 1].astype(np.intp))
        comb = _surest(_evidence(base, kind.tick, kind.end), found, LIKELY, 0.0, STRAY_OF_KIND)
        if comb is not None:
            return replace(comb, height=kind.height)
    return clear


def _is_sure(comb: _Comb) -> bool:
    crowded = float((comb.base.reach >= SHORTEST_TICK).mean()) > CROWDED
    return comb.count >= FEWEST_SURE and comb.score >= SURE * (comb.count + 1) and not crowded


def _score(comb: _Comb) -> float:
    return comb.score


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What each place of a base counts if a tick of a comb stands there, between boxes or at an end."""

    base: _Base
    tick: float
    inner: Numbers
    outer: Numbers
    clean: Flags  # where a clean tick is
    passed: Indices  # clean ticks before a place


def _evidence(base: _Base, tick: float, end: float) -> _Evidence:
    size = len(base.reach)
    window = np.ones((1, 1 + 2 * OFF_PLACE), np.uint8)
    tall = cv2.dilate(base.reach.astype(np.uint8)[None], window)[0]
    crossed = cv2.dilate(base.below.astype(np.uint8)[None], window)[0] > 0

    def value(ticks: Numbers, least: float) -> tuple[Numbers, Flags, Indices]:
        spots = np.zeros(size, np.uint8)
        spots[np.rint(ticks).astype(np.intp)] = 1
        clean = cv2.dilate(spots[None], window)[0] > 0
        covered = np.where(tall >= least, COVERED, MISSING)
        passed = np.concatenate([[0], np.cumsum(spots.astype(np.intp))])
        return np.where(clean, np.where(crossed, COVERED, 1.0), covered), clean, passed

    post = max(tick, (tick + end) / 2) - SAME_HEIGHT
    inner, clean, passed = value(base.ticks[np.abs(base.heights - tick) <= SAME_HEIGHT], tick - SAME_HEIGHT)
    outer, _, _ = value(base.ticks[base.heights >= post], post)
    return _Evidence(base, tick, inner, outer, clean, passed)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of boxes that may be, an entry each."""

    first: Numbers
    pitch: Numbers
    count: Indices


def _surest(evidence: _Evidence, rows: _Rows, likely: float, clean: float, stray: float) -> _Comb | None:
    """Return of rows of boxes the one whose places count most, None where they do not count enough."""
    base, counts = evidence.base, rows.count
    if not len(counts):
        return None
    nth = np.arange(counts.max() + 1)
    places = np.clip(
        np.rint(rows.first[:, None] + rows.pitch[:, None] * nth).astype(np.intp), 0, len(base.reach) - 1
    )
    between = (nth > 0) & (nth < counts[:, None])
    start, last = places[:, 0], places[np.arange(len(counts)), counts]
    hits = (evidence.clean[places] & between).sum(axis=1)
    strays = evidence.passed[last - OFF_PLACE] - evidence.passed[start + OFF_PLACE + 1] - hits
    scores = (evidence.inner[places] * between).sum(axis=1) + evidence.outer[start] + evidence.outer[last]
    scores = scores - stray * np.maximum(strays, 0)
    enough = np.flatnonzero((scores >= likely * (counts + 1)) & (hits >= clean * (counts - 1)))
    if not len(enough):
        return None
    at_ends = (np.abs(start - OFF_END) <= OFF_PLACE) * 1 + (np.abs(last - base.end) <= OFF_PLACE)
    best = enough[np.argmax((scores + AT_END * at_ends)[enough])]
    first, pitch, count = float(rows.first[best]), float(rows.pitch[best]), int(counts[best])
    first, pitch = _through_ticks(base, evidence.tick, first, pitch, count)
    end = float(min(_post(base, first), _post(base, first + count * pitch)))
    comb = _Comb(base, first, pitch, count, evidence.tick, float(scores[best]), end, None)
    return replace(comb, height=_height(comb))


def _through_ticks(base: _Base, tick: float, first: float, pitch: float, count: int) -> tuple[float, float]:
    """Return first place and pitch of a row of boxes as the ticks have it that stand near its places.

    A few that are close together cannot tell where the ends are.
    """
    nth = np.rint((base.ticks - first) / pitch)
    at_end = (nth == 0) | (nth == count)
    there = (nth >= 0) & (nth <= count) & (np.abs(base.ticks - first - nth * pitch) <= OFF_PLACE)
    there &= at_end | (np.abs(base.heights - tick) <= SAME_HEIGHT)
    nth, ticks = nth[there], base.ticks[there]
    if len(np.unique(nth)) < FEWEST_FITTED:
        return first, pitch
    off_middle = nth - nth.mean()
    fitted = float(off_middle @ ticks / (off_middle @ off_middle))  # least squares
    start = float(ticks.mean() - fitted * nth.mean())
    if max(abs(start - first), abs(start + count * fitted - first - count * pitch)) > OFF_PLACE:
        return first, pitch
    return start, fitted


def _post(base: _Base, place: float) -> int:
    """Return how high the upright at the end of a comb is; it may lean."""
    strip = base.above[:, max(0, round(place) - LEANS) : round(place) + LEANS + 1]
    gone = np.flatnonzero(cv2.reduce(strip, 1, cv2.REDUCE_MAX) == 0)
    return int(gone[0]) if len(gone) else TALLEST


def _height(comb: _Comb) -> float | None:
    """Return how high the boxes are, up to the ceiling or as far as the posts go; None without both."""
    low, high = (round(shape * comb.pitch) for shape in BOX_SHAPE)
    low = max(low, round(comb.tick / TICK_OF_BOX))
    width = slice(round(comb.first), round(comb.first + comb.count * comb.pitch))
    above = comb.base.level[TALLEST - 1 :: -1][low:high, width] > 0
    ceilings = low + np.flatnonzero(above.mean(axis=1) >= CEILING)
    if len(ceilings) and comb.end >= POST * ceilings[0]:
        return float(ceilings[0]) + LINE_SPREAD
    if comb.end > comb.tick + SAME_HEIGHT + 1 and low <= comb.end <= high:
        return comb.end
    return None


def _commonest(seen: Sequence[_Comb | None]) -> _Kind | None:
    """Return the kind of which a page has most boxes."""
    combs = [comb for comb in seen if comb is not None]
    kinds = [[other for other in combs if _is_like(other, one)] for one in combs]
    kind = max(kinds, key=lambda kind: sum(comb.count for comb in kind), default=[])
    counts = [comb.count for comb in kind]
    if len(kind) < FEWEST_ALIKE or sum(counts) < FEWEST_BOXES or max(counts) == 2:
        return None  # strokes divide many a single box in two
    heights = [comb.height for comb in kind if comb.height is not None]
    return _Kind(
        median(comb.pitch for comb in kind),
        median(comb.tick for comb in kind),
        median(comb.end for comb in kind),
        median(heights) if 2 * len(heights) > len(kind) else None,
    )


def _is_like(one: _Comb, other: _Comb) -> bool:
    return (
        abs(one.pitch - other.pitch) <= SAME_PITCH * other.pitch and abs(one.tick - other.tick) <= SAME_HEIGHT
    )


def _boxes(comb: _Comb) -> PrintedBoxes:
    base, count = comb.base, comb.count
    places = comb.first + comb.pitch * np.arange(count + 1, dtype=np.float64)
    left, right = base.left + places[:-1] + TICK_WIDTH / 2, base.left + places[1:] - TICK_WIDTH / 2
    bottom = base.floor - 0.5 + base.slope * (places[:-1] + places[1:]) / 2
    top = bottom - (comb.height or OPEN_SHAPE * comb.pitch)
    return PrintedBoxes(left, top, right, bottom, np.ones(count), np.zeros(count, bool))
