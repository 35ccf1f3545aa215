"""What in a cut-out box is the digit's ink: its lines, the neighbours' strokes and dirt are taken out.

Each step is taken for all boxes of a strip before the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.guides import guides_alone
from segmentation.paper import measure_tones
from segmentation.strips import MOST_TOGETHER, Grey, Indices, Rects, Strip, as_one_image, places_in

INK_SHARE = 0.45  # of the ink's darkness from which on a pixel belongs to a stroke
FAINTEST, CORE = 0.2, 0.8  # of it, where a stroke's edge starts and where its core does
OVER_PRINT = 1.15  # times what is printed under ink, as dark as which a stroke is
LINE_COVERAGE = 0.96  # of a side's length that a line covers; the upper stroke of a wide 7 reaches 0.95
PALEST_LINE = 0.1  # of the paper's lightness, by which a line that is paler than ink is darker
LINE_OFF = 0.12  # of the box's side by which a line may lie off where it is expected
SLIVER = 2  # px that an uneven line may reach further in than it does on the whole
SMALLEST_HEIGHT = 0.16  # of the box's height: a digit's least size; what is smaller is dirt
SPECK_SHARE = 0.06  # of the largest stroke's area, under which another piece of ink is a speck
SMALLEST_AT_EDGE = 0.4  # of the box: what lies along a side and is smaller is a neighbour's stroke
EDGE_WEIGHT = 0.25  # of a stroke along a side against one in the middle, as to which is the digit
LINE_SHARE = 0.25  # of the box's width, that a rest of a line is wide at most
EDGE_SHARE = 0.2  # of the box that a neighbour's stroke reaches into it
SOFT_EDGE = np.ones((3, 3), np.uint8)  # a stroke's edge fades over a pixel on each side

Level = npt.NDArray[np.float64]
"""(boxes,), in grey levels."""
Levels = npt.NDArray[np.float64]
"""(3, boxes): how light paper is, how much darker than that ink is, and what is no ink may be at most."""
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Ink that hangs together, of all boxes of a strip: where in which box it stands, and its area in px."""

    box: Indices
    around: Rects
    area: Indices
    at_side: Flags
    at_top_or_bottom: Flags
    shallow: Flags  # it only reaches in a little from outside, as a neighbour's stroke does


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """The digits that stand in the boxes of a strip.

    `box` names the boxes that hold one, in order. `inks` are these digits' ink alone, light on black, each
    uint8 and as large as it is, and `around` is where in the patch it stands.
    """

    box: Indices
    inks: Sequence[Grey]
    around: Rects
    pieces: Indices
    may_be_line: Flags
    at_edge: Flags  # it touches the box


def find_ink(strips: Sequence[Strip]) -> list[Digits]:
    """Return the digits that stand in the boxes of each strip: all those of a page, whose ink is alike."""
    strips, tones = measure_tones(strips)
    tones = replace(tones, ink=np.where(guides_alone(strips, tones), 0.0, tones.ink))
    levels = np.stack([tones.paper, tones.ink, tones.no_ink])
    placed = zip(strips, places_in(strips), strict=True)
    between = [_between_lines(strip, levels[:, place]) for strip, place in placed]
    return [digits for batch in _batches(between) for digits in _digits_in(batch)]


@dataclass(frozen=True, slots=True, eq=False)
class _Between:
    """What lies between the lines of the boxes of a strip into which somebody wrote, and a pixel round it.

    `grey` and `strokes` are (height, boxes, width); `inside` is in pixels of these.
    """

    box: Indices
    grey: Grey
    strokes: Grey
    inside: Rects
    first: tuple[int, int]  # column and row of the patches, of which it is a part
    levels: Levels


def _between_lines(strip: Strip, levels: Levels) -> _Between:
    written = np.flatnonzero(levels[1])
    grey, levels = _some(strip.grey, written), levels[:, written]
    if not len(written):
        nothing = grey[:0, :, :0]
        return _Between(written, nothing, nothing, Rects(*[written] * 4), (0, 0), levels)
    strokes = as_ink(grey, *levels)
    inside = _within_lines(Strip(grey, strip.margin), strokes, levels[0])
    left, top = int(inside.left.min()) - 1, int(inside.top.min()) - 1
    between = np.s_[top : inside.bottom.max() + 1, :, left : inside.right.max() + 1]
    grey, strokes = np.ascontiguousarray(grey[between]), np.ascontiguousarray(strokes[between])
    inside = inside.moved(-left, -top)
    _wipe_outside(strokes, inside)
    return _Between(written, grey, strokes, inside, (left, top), levels)


def _batches(between: Sequence[_Between]) -> Iterator[list[_Between]]:
    """Yield small strips together: a step costs as much for a single box as for some more."""
    batch: list[_Between] = []
    for each in between:
        if batch and sum(len(other.box) for other in [*batch, each]) > MOST_TOGETHER:
            yield batch
            batch = []
        batch.append(each)
    yield batch


def _digits_in(between: Sequence[_Between]) -> list[Digits]:
    ends = np.cumsum([0, *(len(each.box) for each in between)])
    if not ends[-1]:
        nothing = np.empty(0, np.int_)
        return [Digits(nothing, (), Rects(*[nothing] * 4), nothing, nothing > 0, nothing > 0)] * len(between)
    grey = _padded([each.grey for each in between])
    strokes = _padded([each.strokes for each in between])
    inside = Rects(*np.concatenate([each.inside.edges for each in between], axis=1))
    levels = np.concatenate([each.levels for each in between], axis=1)
    digits = _keep_digits(strokes, inside)
    inks: list[Grey] = []
    if len(digits.box):
        soft = soft_inks(_some(grey, digits.box), _some(strokes, digits.box), *levels[:, digits.box])
        inks = list(_crops(soft, digits.around, inside.of(digits.box)))
    cuts = pairwise(np.searchsorted(digits.box, ends).tolist())
    return [
        Digits(
            each.box[digits.box[start:end] - first],
            inks[start:end],
            digits.around.of(slice(start, end)).moved(*each.first),
            digits.pieces[start:end],
            digits.may_be_line[start:end],
            digits.at_edge[start:end],
        )
        for each, first, (start, end) in zip(between, ends.tolist(), cuts, strict=False)
    ]


def _padded(parts: Sequence[Grey]) -> Grey:
    """Return (height, boxes, width) with all these boxes, each at the top left where others are larger."""
    if len(parts) == 1:
        return parts[0]
    height, width = (max(part.shape[axis] for part in parts) for axis in (0, 2))
    together = np.zeros((height, sum(part.shape[1] for part in parts), width), np.uint8)
    first = 0
    for part in parts:
        together[: len(part), first : first + part.shape[1], : part.shape[2]] = part
        first += part.shape[1]
    return together


def _crops(soft: Grey, around: Rects, inside: Rects) -> Iterator[Grey]:
    """Yield what is soft of each digit: it reaches a pixel further than its strokes do."""
    edges = (
        np.maximum(inside.top, around.top - 1),
        np.minimum(inside.bottom, around.bottom + 1),
        np.maximum(inside.left, around.left - 1),
        np.minimum(inside.right, around.right + 1),
    )
    for box, (top, bottom, left, right) in enumerate(np.stack(edges, axis=1).tolist()):
        yield soft[top:bottom, box, left:right]


def _some(grey: Grey, boxes: Indices) -> Grey:
    return grey if len(boxes) == grey.shape[1] else grey[:, boxes]


def _within_lines(strip: Strip, strokes: Grey, paper: npt.NDArray[np.float64]) -> Rects:
    """Return the part of each patch that its lines enclose.

    Lines are looked for where strokes are and, if they are not as dark as ink, in what else may be a line.
    """
    margin = round(strip.margin)
    sides = _lines_near(strokes, margin)
    pale = np.flatnonzero((sides < 0).any(axis=0))
    if len(pale):
        paper = paper[pale]
        lines = as_ink(strip.grey[:, pale], paper, np.zeros(len(pale)), PALEST_LINE * paper)
        sides[:, pale] = np.where(sides[:, pale] < 0, _lines_near(lines, margin), sides[:, pale])
    usual = np.array([margin, margin, strip.width - margin, strip.height - margin])[:, None]
    return Rects(*np.where(sides < 0, usual, sides))


def _lines_near(masks: Grey, margin: int) -> Indices:
    """Return (4, boxes): where the left and upper lines end, and the right and lower ones start; -1: none."""
    height, boxes, width = masks.shape
    middle = np.ascontiguousarray(masks[:, :, margin : width - margin])
    down = _sums(as_one_image(masks[margin : height - margin]), 0)
    across = _sums(middle.reshape(height * boxes, -1), 1)
    columns = down.reshape(boxes, width) >= 255 * LINE_COVERAGE * (height - 2 * margin)
    in_rows = across.reshape(height, boxes).T
    rows = in_rows >= 255 * LINE_COVERAGE * (width - 2 * margin)
    (left, right), (top, bottom) = (_ends_near(line, margin) for line in (columns, rows))
    return np.stack([left, top, right, bottom])


def _sums(image: Grey, axis: int) -> Indices:
    sums = cv2.reduce(image, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    return np.asarray(sums, np.int_).ravel()


def _ends_near(line: Flags, margin: int) -> tuple[Indices, Indices]:
    """Return where the first line ends and the last one starts, next to where they are expected."""
    off = 1 + LINE_OFF * (line.shape[1] - 2 * margin)
    before, behind = line[:, :-1], line[:, 1:]
    return _nearest(before & ~behind, margin, off), _nearest(behind & ~before, line.shape[1] - margin, off)


def _nearest(turns: Flags, expected: int, off: float) -> Indices:
    """Return where a line turns up or ends next to where it is expected, -1 where none does."""
    distance = np.abs(np.arange(1, turns.shape[1] + 1) - expected)
    far = np.where(turns, distance, turns.shape[1])
    return np.where(far.min(axis=1) <= off, far.argmin(axis=1) + 1, -1)


def _wipe_outside(strokes: Grey, inside: Rects) -> None:
    """Take out, in place, a box's lines, what lies beyond them and slivers within."""
    height, _, width = strokes.shape
    right = np.where(np.minimum(inside.width, inside.height) < 2 * SLIVER, 0, inside.right)  # too small
    across, down = np.arange(width), np.arange(height)[:, None]
    image = as_one_image(strokes)
    image &= _everywhere((across >= inside.left[:, None]) & (across < right[:, None])).ravel()
    for rows in (np.s_[: inside.top.max()], np.s_[inside.bottom.min() :]):
        within = (down[rows] >= inside.top) & (down[rows] < inside.bottom)
        image[rows] &= np.repeat(_everywhere(within), width, axis=1)
    _wipe_slivers_in(strokes, inside)


def _wipe_slivers_in(strokes: Grey, inside: Rects) -> None:
    """Take out, in place, the uneven edges of a box's lines: few sides have any ink at all."""
    height, boxes, width = strokes.shape
    depth, box = np.arange(SLIVER + 1)[:, None], np.arange(boxes)
    for first, step in ((inside.top, 1), (inside.bottom - 1, -1)):
        inked = np.flatnonzero(strokes[np.minimum(first, height - 1), box].any(axis=1))
        if len(inked):
            rows = np.clip(first[inked] + step * depth, 0, height - 1), inked
            strokes[rows] = without_slivers(strokes[rows])
    for first, step in ((inside.left, 1), (inside.right - 1, -1)):
        inked = np.flatnonzero(strokes[:, box, np.minimum(first, width - 1)].any(axis=0))
        if len(inked):
            columns = np.clip(first[inked] + step * depth, 0, width - 1)
            side = strokes[:, inked, columns].transpose(1, 2, 0)
            strokes[:, inked, columns] = without_slivers(side).transpose(2, 0, 1)


def _everywhere(true: Flags) -> Grey:
    """Return a mask: 255 where something is true."""
    return np.negative(true.view(np.uint8))


def without_slivers(side: Grey) -> Grey:
    """Return a side's first SLIVER + 1 rows without what reaches no further in: a line's uneven edge."""
    reach = np.bitwise_and.accumulate(side)
    return np.asarray(side & (~reach | reach[SLIVER]))


def _keep_digits(strokes: Grey, inside: Rects) -> Digits:
    """Return the digits of the boxes that hold one, and leave in place nothing but these in such a box."""
    pieces, labels = _pieces_of(strokes, inside)
    weight = pieces.area * np.where(pieces.shallow, EDGE_WEIGHT, 1.0)
    by_weight = np.lexsort((-weight, pieces.box))
    boxes, first = np.unique(pieces.box[by_weight], return_index=True)
    main = by_weight[first]
    size = np.maximum(
        pieces.around.height[main] / inside.height[boxes], pieces.around.width[main] / inside.width[boxes]
    )
    is_digit = size >= np.where(pieces.shallow[main], SMALLEST_AT_EDGE, SMALLEST_HEIGHT)
    boxes, main = boxes[is_digit], main[is_digit]
    least = np.full(strokes.shape[1], np.inf)
    least[boxes] = SPECK_SHARE * pieces.area[main]
    kept = (pieces.area >= least[pieces.box]) & ~pieces.shallow
    kept[main] = True
    parted = np.zeros(strokes.shape[1], bool)
    parted[pieces.box[~kept]] = True
    parted &= np.isfinite(least)
    if parted.any():
        strokes[:, parted] *= np.append(False, kept)[labels[:, parted]]
    of_digit = np.flatnonzero(kept)
    of_digit = of_digit[np.argsort(pieces.box[of_digit], kind="stable")]
    return Digits(
        boxes,
        (),
        _enclosing(pieces.around.of(of_digit), np.searchsorted(pieces.box[of_digit], boxes)),
        np.bincount(pieces.box[of_digit], minlength=strokes.shape[1])[boxes],
        (pieces.around.width[main] <= LINE_SHARE * inside.width[boxes])
        & (pieces.at_side[main] | (pieces.around.height[main] == inside.height[boxes])),
        (pieces.at_side | pieces.at_top_or_bottom)[main],
    )


def _pieces_of(strokes: Grey, inside: Rects) -> tuple[_Pieces, cv2.typing.MatLike]:
    """Return what hangs together, and each pixel's label: 0 for paper, then a piece's place plus 1."""
    image = as_one_image(strokes)
    # Of labels of 16 bits it takes less than half the time, and there are no more than dark pixels.
    bits = cv2.CV_16U if cv2.countNonZero(image) <= np.iinfo(np.uint16).max else cv2.CV_32S
    _, labels, stats, _ = cv2.connectedComponentsWithStats(image, connectivity=8, ltype=bits)
    x, y, width, height, area = stats[1:].astype(np.int_).T
    box, x = np.divmod(x, strokes.shape[2])
    around, whole = Rects(x, y, x + width, y + height), inside.of(box)
    at_side = (around.left == whole.left) | (around.right == whole.right)
    at_top_or_bottom = (around.top == whole.top) | (around.bottom == whole.bottom)
    shallow = (at_side & (width < EDGE_SHARE * whole.width)) | (
        at_top_or_bottom & (height < EDGE_SHARE * whole.height)
    )
    found = _Pieces(box, around, area, at_side, at_top_or_bottom, shallow)
    return found, labels.reshape(strokes.shape)


def _enclosing(rects: Rects, starts: Indices) -> Rects:
    """Return what encloses the rectangles from each start to the next."""
    if not len(starts):
        return rects
    least, most = np.minimum.reduceat, np.maximum.reduceat
    return Rects(
        least(rects.left, starts),
        least(rects.top, starts),
        most(rects.right, starts),
        most(rects.bottom, starts),
    )


def as_ink(grey: Grey, paper: Level, level: Level, no_ink: Level) -> Grey:
    """Return 255 where strokes are: ink is `level` darker than paper at its core, all else up to `no_ink`.

    `grey` is (height, boxes, width), and each box has levels of its own.
    """
    strokes = as_one_image(grey) <= np.repeat(_lightest_stroke(paper, level, no_ink), grey.shape[2])
    return _everywhere(strokes).reshape(grey.shape)


def _lightest_stroke(paper: Level, level: Level, no_ink: Level) -> npt.NDArray[np.uint8]:
    """Return how light a pixel of a stroke is at most, of each box."""
    return (paper - np.maximum(INK_SHARE * level, OVER_PRINT * no_ink)).astype(np.uint8)


def soft_inks(grey: Grey, kept: Grey, paper: Level, level: Level, no_ink: Level) -> Grey:
    """Return the kept strokes with their soft edges, the core of a stroke at 255; as for `as_ink`."""
    faintest = np.maximum(FAINTEST * level, no_ink)
    steepness = np.minimum(255 / (CORE * level - faintest), 255)
    # On paper that is nearly black, rounding must leave some ink to what is a stroke.
    lightest_edge = np.maximum(np.rint(paper - faintest), _lightest_stroke(paper, level, no_ink) + 1.0)
    lightest, steps, most = (
        np.repeat(each.astype(whole), grey.shape[2])
        for each, whole in (
            (lightest_edge, np.uint8),
            (steepness * 256, np.uint16),
            (np.minimum(255 / steepness, 255), np.uint8),
        )
    )
    soft = lightest - np.minimum(as_one_image(grey), lightest)
    soft = np.minimum(soft, most) * steps  # in 256ths, which 16 bits hold
    soft = cv2.bitwise_and((soft >> 8).astype(np.uint8), cv2.dilate(as_one_image(kept), SOFT_EDGE))
    return np.asarray(soft, np.uint8).reshape(grey.shape)
