"""Boxes become fields: which boxes belong together, and which are no digit boxes at all.

A table has boxes too. What tells a digit field from a table's other cells is its neighbours: people write
one digit a box into a run of boxes that are of one size and narrow. So a field is such a run, joined or
with small gaps; a single box counts only where it shares its lines with nothing, drawn by itself on the
paper.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.boxes import (
    HIGHEST_ROW,
    WIDEST_ALONE,
    PrintedBoxes,
    TracedLines,
    find_boxes,
    find_wide_boxes,
    trace,
    without_overlaps,
)
from segmentation.crossed import without_crossed, without_divided
from segmentation.edges import LEFT, RIGHT, measure_lines
from segmentation.geometry import Box, Point, Quad
from segmentation.lines import (
    LINE_SPREAD,
    Lines,
    Mask,
    find_lines,
    inked,
    level_dashes,
    pale_beside,
    ranges,
    whole,
    with_dashes,
)
from segmentation.page import Field, Page, PageLayout
from segmentation.page_frame import PageFrame, find_frame, working_copy
from segmentation.regions import apart, divide_by_neighbours, without_parts
from segmentation.row_ends import Edges, goes_on, goes_on_as, stands_close
from segmentation.rows import (
    SOLID,
    complete_rows,
    dashes_off_rows,
    in_rows,
    surer,
    without_gaps,
    without_rows,
)
from segmentation.rows_between_lines import find_rows_between
from segmentation.show_through import lie_behind, pale_lines
from segmentation.ticks import find_combs
from segmentation.worn_rows import find_worn_rows

LARGEST_GAP = 0.7  # of a box's width, between boxes of one field
SIZE_TOLERANCE = 0.15  # by which boxes of one field may differ in width and height
SIZE_SLACK = 2.0  # px of the straight print by which they may differ anyhow
OFF_LINE = 0.2  # of a box's height, by which neighbours may be shifted against each other
COVERAGE_STEP = 0.05  # by which one region must be better covered than the next to count as better
BEST_COVERAGE, MEAN_COVERAGE = 0.92, 0.74  # of the worst sides of a field's boxes; words leave more gaps
SHORT_RUN = 0.3  # by which they must be better covered, shared by the boxes of a run
FEWEST_NUMBERS = 3  # whole numbers of one height, that tell of others whose boxes are worn
FEWEST_IN_COLUMN = 2  # boxes of a number, where a table has several numbers side by side
HEAD = 6  # heights of a box, above it, in which a table's head is looked for
WIDE_GAP = 8.0  # px between the insides of two boxes, that hold the wall of each and a line between them
LINE_ROOM = 1.0  # px, by which gaps with such a line are wider than most others of a row
BEYOND = 0.2  # of a box's height, by which that line goes on above and below
LINE_THERE, THROUGH = 0.5, 0.75  # of a height that print covers, of any line's and all along that one's
LINE_GOES_ON = 0.8  # of a box's height, by which the line between two numbers goes on above them
LINE_IN_HEAD = 0.4  # of a box's height, by which such a line is longer in the head than strokes of its words
AS_LONG = 0.7  # of the lines at either end of a head, that those between its columns are, and the reverse
LONGEST_STROKE = 16  # px of print in large letters, 4 mm on A4: a single line in a head is longer
USUAL = 80  # percent of a page's boxes that are no larger than usual; boxes to tick may be the most
SMALL = 0.85  # of the usual height, that a box to tick has at most
TINY = 0.65  # likewise, of one that shares its lines with the next: rings in rows seem to
SQUARE = 0.12  # of its height, by which the width of one of several boxes to tick differs at most
NARROWEST_ALONE = 16  # px, 4 mm on A4, of a box for a single digit
APART = 0.25  # of a box's width, that boxes to tick stand apart at least
OWN_BOXES = 0.12  # of all in rows, that a page has beside its back's; forms may have pale ones in dark cells
OFF_OTHERS = 1.5  # px of the small copy, by which a side is measured no further from where a run's others are
FARTHEST_OF_TWO = 1.0  # px of it, further out than which that of one box does not tell where the other's is
SAME_ROW = 0.5  # of a box's height, within which fields share a row

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A box on the straight print, in its pixels, and on the page: its corners and the edges of its lines."""

    left: float
    top: float
    right: float
    bottom: float
    coverage: float
    alone: bool
    corners: Numbers  # (4, 2), clockwise from the top left
    inner: Numbers  # by how many page pixels each side lies further out
    outer: Numbers

    @property
    def edges(self) -> Edges:
        return Edges(self.left, self.top, self.right, self.bottom)

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def find_fields(page: Page, quarter_turns: int = 0, *, pale: bool = False) -> PageLayout:
    """Return the digit fields of a page, named r01c01 by row and column in reading order, and its skew.

    A field is two or more similar boxes in a row with gaps under 0.7 of a box's width, or a single box that
    shares its lines with no other. A page without any, or too small to have any, has no fields.
    `quarter_turns`, clockwise, make a page that lies on its side or on its head upright. `pale` counts lines
    that hardly show, and dirt as well: for pages on which nothing else is found.
    """
    frame, boxes, numbers = look(find_frame(working_copy(page.grey, quarter_turns), pale=pale))
    boxes = without_crossed(boxes, frame.lines)
    placed = _place(PrintedBoxes.joined([boxes, numbers]), frame, page)
    found = list(_runs(placed[: len(boxes)], frame.unit))
    torn = set(_torn(found))
    parts = [part for run in found for part in _in_cells(run, frame.print_)]
    runs = [run for run in _split(parts, frame.lines) if _is_digit_field(run)]
    runs += [[box] for box in placed[len(boxes) :]]
    fields = _fields(list(_rows(runs)), torn, frame)
    return PageLayout(tuple(fields), frame.skew_degrees)


def look(frame: PageFrame) -> tuple[PageFrame, PrintedBoxes, PrintedBoxes]:
    """Return a page's frame, its boxes for a digit each, and those that may hold a whole number.

    Where lines of its back show through, the frame comes back without pale print.
    """
    boxes, numbers = printed_boxes(frame.lines, frame.print_)
    if frame.dark is not None:
        pale = pale_lines(frame.lines, pale_beside(frame.dark, frame.print_))
        if pale is not None:
            front = replace(frame, print_=frame.dark, lines=find_lines(frame.dark), dark=None)
            own_boxes, own_numbers = printed_boxes(front.lines, front.print_)
            is_front = _count(own_boxes, own_numbers) >= OWN_BOXES * _count(boxes, numbers)
            if is_front and lie_behind(pale, PrintedBoxes.joined([own_boxes, own_numbers])):
                return front, own_boxes, own_numbers
    return frame, boxes, numbers


def _count(boxes: PrintedBoxes, numbers: PrintedBoxes) -> int:
    """Return how many boxes stand in rows or hold whole numbers."""
    return len(in_rows(boxes)) + len(numbers)


def printed_boxes(lines: Lines, print_: Mask) -> tuple[PrintedBoxes, PrintedBoxes]:
    """Return the boxes for a digit each, and those that may hold a whole number."""
    traced = dashed = trace(lines)
    boxes = complete_rows(find_boxes(traced), lines, SOLID)
    frames = find_wide_boxes(traced)
    dashes = dashes_off_rows(boxes, lines, print_)
    if dashes is not None:
        dashed = trace(with_dashes(lines, level_dashes(print_), dashes))
        boxes = surer(boxes, complete_rows(find_boxes(dashed), dashed.lines), frames)
    boxes = without_gaps(boxes)
    if dashes is not None:
        boxes = find_rows_between(boxes, dashed.lines, lines)
    combs = find_combs(lines, print_, boxes)
    boxes = PrintedBoxes.joined([apart(boxes, combs), combs])
    boxes = find_worn_rows(boxes, frames, dashed, print_)
    printed = in_rows(boxes[boxes.coverage >= BEST_COVERAGE])
    regions = apart(frames, combs)
    wide = without_parts(without_rows(regions, boxes), printed, lines)
    more, wide = divide_by_neighbours(wide, boxes)
    numbers = _surest(without_divided(wide[wide.alone], lines.upright))
    if dashes is not None:
        numbers = PrintedBoxes.joined([numbers, _worn_numbers(numbers, printed, dashed)])
    return PrintedBoxes.joined([apart(apart(boxes, more), numbers), apart(more, numbers)]), numbers


def _worn_numbers(numbers: PrintedBoxes, printed: PrintedBoxes, dashed: TracedLines) -> PrintedBoxes:
    """Return the boxes of lines that are joined which are as high as several for whole numbers."""
    if len(numbers) < FEWEST_NUMBERS:
        return PrintedBoxes.joined([])
    wide = find_wide_boxes(dashed)
    like = (np.abs(wide.height[:, None] - numbers.height) <= SIZE_SLACK).sum(axis=1) >= FEWEST_NUMBERS
    wide = apart(wide[wide.alone & like], PrintedBoxes.joined([numbers, printed]))
    return _surest(without_divided(wide, dashed.lines.upright))


def _surest(regions: PrintedBoxes) -> PrintedBoxes:
    """Return the regions that overlap none which is better covered, or as well and narrower."""
    order = np.lexsort((regions.width, -np.round(regions.coverage / COVERAGE_STEP)))
    return regions[without_overlaps(regions, order)]


def _place(boxes: PrintedBoxes, frame: PageFrame, page: Page) -> list[_Placed]:
    across = np.stack([boxes.left, boxes.right, boxes.right, boxes.left], axis=1)
    down = np.stack([boxes.top, boxes.top, boxes.bottom, boxes.bottom], axis=1)
    corners = frame.points(across.ravel(), down.ravel()).reshape(-1, 4, 2)
    edges = measure_lines(page.grey, corners, frame.unit)
    columns = (*boxes.edges, boxes.coverage, boxes.alone)
    return [
        _Placed(*each) for each in zip(*(column.tolist() for column in columns), corners, *edges, strict=True)
    ]


def _moved_out(corners: Numbers, sides: Numbers) -> Numbers:
    """Return boxes whose sides lie further out, by so many pixels of the page."""
    along, down = _directions(corners[:, 0], corners[:, 1]), _directions(corners[:, 0], corners[:, 3])
    top, right, bottom, left = sides.T
    rightward, downward = np.stack([-left, right, right, -left]), np.stack([-top, -top, bottom, bottom])
    return np.asarray(
        corners + rightward.T[..., None] * along[:, None] + downward.T[..., None] * down[:, None]
    )


def _directions(start: Numbers, end: Numbers) -> Numbers:
    steps = end - start
    return np.asarray(steps / np.hypot(*steps.T)[:, None])


def _torn(runs: Sequence[list[_Placed]]) -> Iterator[_Placed]:
    """Yield the boxes at which a run ends and goes on in boxes of another size."""
    for row in _rows([run for run in runs if _is_digit_field(run)]):
        for one, other in pairwise(row):
            if goes_on_as([placed.edges for placed in one], [placed.edges for placed in other]):
                yield from (one[-1], other[0])


def _fields(
    rows: Sequence[list[list[_Placed]]], torn: Collection[_Placed], frame: PageFrame
) -> Iterator[Field]:
    runs = [run for row in rows for run in row]
    if not runs:
        return
    boxes = [placed for run in runs for placed in run]
    edges = np.array([placed.edges for placed in boxes])
    corners = np.array([placed.corners for placed in boxes])
    insides = np.concatenate([_inner_sides(run, frame.unit) for run in runs])
    quads = [Quad(*map(Point._make, each)) for each in _moved_out(corners, insides).tolist()]
    outer = _moved_out(corners, np.array([placed.outer for placed in boxes]))
    ends = np.cumsum([len(run) for run in runs]).tolist()
    places = zip(pairwise((0, *ends)), _enclosing(outer, (0, *ends[:-1])), strict=True)
    usual = _usual_height(runs)
    for row_number, row in enumerate(rows, start=1):
        for column, run in enumerate(row, start=1):
            (first, last), box = next(places)
            name, is_number = f"r{row_number:02d}c{column:02d}", _holds_number(run)
            if is_number:
                is_part = stands_close(run[0].edges, edges)
            else:
                is_torn = run[0] in torn or run[-1] in torn
                is_part = is_torn or goes_on([placed.edges for placed in run], edges, frame.print_)
            yield Field(name, tuple(quads[first:last]), box, is_number, is_part, _is_for_ticks(run, usual))


def _enclosing(boxes: Numbers, starts: Sequence[int]) -> Iterator[Box]:
    """Yield the upright rectangle round each run of boxes on the page, given where runs start."""
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    first, last = whole(np.minimum.reduceat(low, starts)), whole(np.maximum.reduceat(high, starts))
    size = np.maximum(last - first, 1)
    return (Box(*each) for each in np.concatenate([first, size], axis=1).tolist())


def _inner_sides(run: Sequence[_Placed], unit: float) -> Numbers:
    """Return how far out the inner edges of the lines of a run's boxes lie.

    A stroke inside or a neighbour's line is taken for one now and then, but not in most boxes of a run: a
    side that seems to lie elsewhere than the same side of those is where theirs is. Boxes that are wider than
    high are left as they are: they are a table's cells rather, and hold words.
    """
    out = np.array([placed.inner for placed in run])
    if run[0].width > run[0].height:
        return out
    usual = np.sort(out, axis=0)[len(run) // 2]  # of two boxes the outer one: strokes lie inside
    is_off = np.abs(out - usual) > OFF_OTHERS * unit
    if len(run) == 2:
        is_off &= usual <= FARTHEST_OF_TWO * unit
    return np.asarray(np.where(is_off, usual, out))


def _runs(boxes: Sequence[_Placed], unit: float) -> Iterator[list[_Placed]]:
    """Yield the boxes of one field each, from left to right."""
    boxes = sorted(boxes, key=lambda placed: placed.left + placed.right)
    following = _following(boxes, unit)
    followers = set(following.values())
    for first in range(len(boxes)):
        if first not in followers:
            run = [first]
            while run[-1] in following:
                run.append(following[run[-1]])
            yield [boxes[index] for index in run]


def _following(boxes: Sequence[_Placed], unit: float) -> dict[int, int]:
    """Return for each box that has one the next box of its field. `boxes` stand from left to right."""
    rows = [(box.left, box.right, box.middle, box.height) for box in boxes]
    left, right, y, height = np.array(rows).reshape(-1, 4).T
    outer = np.array([box.outer for box in boxes]).reshape(-1, 4) / unit
    left_line, right_line = outer[:, LEFT], outer[:, RIGHT]
    width, off, order = right - left, OFF_LINE * height, np.argsort(y)
    first, end = np.searchsorted(y[order], y - off, "right"), np.searchsorted(y[order], y + off)
    one, nth = ranges(first, end)
    other = order[nth]
    gap = (left - left_line)[other] - (right + right_line)[one]
    follows = (
        (other > one)
        & (gap > -width[one] / 2)
        & (gap < LARGEST_GAP * (width + left_line + right_line)[one])
        & _are_alike(width[one], width[other])
        & _are_alike(height[one], height[other])
    )
    nearest: dict[int, int] = {}
    for each, after in sorted(zip(one[follows].tolist(), other[follows].tolist(), strict=True)):
        nearest.setdefault(each, after)
    before: dict[int, int] = {}
    for each, after in nearest.items():
        before.setdefault(after, each)
    return {each: after for after, each in before.items()}


def _split(runs: Iterable[list[_Placed]], lines: Lines) -> Iterator[list[_Placed]]:
    """Yield the runs, divided where a table has several columns of numbers side by side.

    The lines between such columns go on above the boxes, into the table's head; those between the digits of
    a number do not. A row below another one of the same boxes is divided like that.
    """
    divided: list[tuple[list[_Placed], tuple[int, ...]]] = []
    runs = sorted(runs, key=lambda run: run[0].top)
    edges = np.array([placed.edges for run in runs for placed in run]).reshape(-1, 4)
    for run in runs:
        head = _head(run, edges, lines)
        ends = _column_ends(run, head) if head is not None else ()
        if not ends and any(ends for _, ends in divided):
            ends = next((ends for above, ends in reversed(divided) if _has_boxes_of(run, above)), ())
        divided.append((run, ends))
        for first, last in pairwise((0, *ends, len(run))):
            yield run[first:last]


def _in_cells(run: list[_Placed], print_: Mask) -> Iterator[list[_Placed]]:
    """Yield the parts of a run that stand in table cells of their own, with lines between the cells."""
    ends = [nth for nth, pair in enumerate(pairwise(run), start=1) if _has_line_between(*pair, print_)]
    gaps = [other.left - one.right for one, other in pairwise(run)]
    others = [gap for nth, gap in enumerate(gaps, start=1) if nth not in ends]
    if not others or min((gaps[nth - 1] for nth in ends), default=0.0) < median(others) + LINE_ROOM:
        ends = []  # a cell for each box, or dirt between two: there is no more room than between others
    for first, last in pairwise((0, *ends, len(run))):
        yield run[first:last]


def _has_line_between(one: _Placed, other: _Placed, print_: Mask) -> bool:
    """Tell whether a line that is longer than their walls stands between the walls of two boxes."""
    if other.left - one.right < WIDE_GAP:
        return False
    top, bottom, beyond = min(one.top, other.top), max(one.bottom, other.bottom), BEYOND * one.height
    rows = [max(0, round(row)) for row in (top - beyond, top, bottom, bottom + beyond)]
    gap = print_[:, round(one.right) - 1 : round(other.left) + 2]
    inside = gap[rows[1] : rows[2]]
    inked = np.zeros(gap.shape[1] + 2, bool)
    inked[1:-1] = cv2.reduce(inside, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S) >= 255 * LINE_THERE * len(inside)
    edges = np.flatnonzero(inked[1:] != inked[:-1])
    if len(edges) < 6:  # two of each wall and two of the line
        return False
    wide = cv2.dilate(gap[rows[0] : rows[3]], np.ones((1, 1 + 2 * LINE_SPREAD), np.uint8))  # it may lean
    parts = np.split(wide[:, edges[1] : edges[-2]], [rows[1] - rows[0], rows[2] - rows[0]])
    covered = [part.mean(axis=0) for part in parts if len(part)]
    return len(covered) == len(parts) and float(np.min(covered, axis=0).max()) >= 255 * THROUGH


def _column_ends(run: Sequence[_Placed], head: Mask) -> tuple[int, ...]:
    """Return before which boxes of a run another number begins: below lines that go on, or end in a head."""
    outer = [(run[0].left - LINE_SPREAD, run[0].left), (run[-1].right, run[-1].right + LINE_SPREAD)]
    sides = [_inked(head, *side) for side in outer]
    frame = [side.sum() for side in sides]
    between = [_inked(head, one.right, other.left) for one, other in pairwise(run)]
    reaches = np.array([_unbroken(line) for line in between])
    ends = np.flatnonzero(reaches - reaches.min() >= LINE_GOES_ON * run[0].height) + 1
    if (
        len(ends)
        and np.diff([0, *ends, len(run)]).min() >= FEWEST_IN_COLUMN
        and (len(ends) > 1 or _is_in_head(between[ends[0] - 1], sides))
    ):
        return tuple(ends.tolist())
    lengths = np.array([line.sum() for line in between])
    for boxes in range(FEWEST_IN_COLUMN, len(run) // 2 + 1):
        ends = np.arange(boxes, len(run), boxes)
        within, at_ends = np.delete(lengths, ends - 1).max(), lengths[ends - 1]
        shortest = min(*frame, at_ends.min())
        if (
            len(run) % boxes == 0
            and (len(ends) > 1 or (shortest >= LONGEST_STROKE and _is_in_head(between[boxes - 1], sides)))
            and shortest - within >= LINE_IN_HEAD * run[0].height
            and at_ends.min() >= AS_LONG * min(frame)
            and at_ends.max() <= max(frame) / AS_LONG
        ):
            return tuple(ends.tolist())
    return ()


def _is_in_head(line: Flags, sides: Sequence[Flags]) -> bool:
    """Tell whether a line above a run is one of a head between two sides: as high as they, and no higher.

    A single one is otherwise taken for it that shows through, or stands further up on the page.
    """
    shorter, longer = sorted(sides, key=np.count_nonzero)
    height, top = np.count_nonzero(shorter), len(np.trim_zeros(longer, "b"))
    return bool(line[:top].sum() >= AS_LONG * height and line.sum() * AS_LONG <= height)


def _head(run: Sequence[_Placed], edges: Numbers, lines: Lines) -> Mask | None:
    """Return the upright lines above a run, as far up as no box is of those that have these edges.

    None where the run is too short for two numbers, or no line above it is long enough for one between them.
    """
    if len(run) < 2 * FEWEST_IN_COLUMN:
        return None
    left, _, right, bottom = edges.T
    height, end = run[0].height, max(0, round(min(placed.top for placed in run)) - LINE_SPREAD)
    above = (bottom <= end + SIZE_SLACK) & (left < run[-1].right) & (right > run[0].left)
    start = max(0, end - round(HEAD * height), *(whole(bottom[above]) + LINE_SPREAD).tolist())
    walls = np.array([(one.right, other.left) for one, other in pairwise(run)])
    first, last = (whole(walls) + np.array([-LINE_SPREAD, LINE_SPREAD + 1])).T
    lengths = inked(lines.upright_sums, first, np.array([start]), last, np.array([end]))
    return lines.upright[start:end] if lengths.max() >= LINE_IN_HEAD * height else None


def _inked(seen: npt.NDArray[np.uint8], left: float, right: float) -> Flags:
    """Return which rows above a run have a line between two places, from the lowest one up."""
    strip = seen[::-1, max(0, round(left) - LINE_SPREAD) : round(right) + LINE_SPREAD + 1]
    return np.asarray(strip.any(axis=1))


def _unbroken(line: Flags) -> int:
    return len(line) if line.all() else int(np.argmin(line))


def _has_boxes_of(run: Sequence[_Placed], above: Sequence[_Placed]) -> bool:
    """Tell whether a run's boxes stand below those of another one, one by one."""
    return len(run) == len(above) and all(
        max(abs(one.left - other.left), abs(one.right - other.right)) <= SIZE_SLACK
        for one, other in zip(run, above, strict=True)
    )


def _is_digit_field(run: Sequence[_Placed]) -> bool:
    coverages = [placed.coverage for placed in run]
    if max(coverages) < BEST_COVERAGE:
        return False
    if len(run) > 1:
        return fmean(coverages) >= MEAN_COVERAGE + SHORT_RUN / len(run)
    (single,) = run
    return single.alone and not (_holds_number(run) and single.height > HIGHEST_ROW)


def _holds_number(run: Sequence[_Placed]) -> bool:
    return len(run) == 1 and run[0].width >= WIDEST_ALONE * run[0].height


def _usual_height(runs: Sequence[Sequence[_Placed]]) -> float:
    """Return the height that four in five boxes which stand beside others have at most, 0 where none do."""
    heights = [placed.height for run in runs if len(run) > 1 for placed in run]
    if not heights:
        return 0.0
    return float(np.interp((len(heights) - 1) * USUAL / 100, np.arange(len(heights)), np.sort(heights)))


def _is_for_ticks(run: Sequence[_Placed], usual: float) -> bool:
    first = run[0]
    are_apart = all(one.left - other.right > APART * first.width for other, one in pairwise(run))
    if len(run) == 1 and first.width < NARROWEST_ALONE:
        return True
    is_square = len(run) == 1 or abs(first.width - first.height) <= SQUARE * first.height
    return is_square and first.height < (SMALL if are_apart else TINY) * usual


def _rows(runs: Sequence[list[_Placed]]) -> Iterator[list[list[_Placed]]]:
    """Yield the runs that stand on one line each, from left to right; the lines from top to bottom."""
    waiting = sorted(runs, key=lambda run: run[0].middle)
    while waiting:
        first = waiting[0][0]
        row = [run for run in waiting if run[0].middle - first.middle < SAME_ROW * first.height]
        waiting = waiting[len(row) :]
        yield sorted(row, key=lambda run: run[0].left)


def _are_alike(sizes: Numbers, others: Numbers) -> Flags:
    largest = np.maximum(sizes, others)
    return np.asarray(np.abs(sizes - others) <= np.maximum(SIZE_SLACK, SIZE_TOLERANCE * largest))
