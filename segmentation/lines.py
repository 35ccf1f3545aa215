"""The straight lines of a page's print, level and upright, told from text, digits and dirt.

Also how much of them lies within rectangles, of many at once (`inked`, with `whole` and `ranges`).
All lengths are pixels of the working copy: 0.25 mm each on upright A4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.bits import Bits, Places, closed, edged, moved, opened, packed, spread, unpacked, within

PAPER_WINDOW = 41  # over which the paper's brightness is averaged: wider than a line, narrower than a shadow
DEEPEST_DIP = 12  # grey levels by which print may pull that average down, or faint lines beside bold ones go
THICKEST_PRINT = 5  # of pale print: what is as thick, more than 1 mm on A4, is a tint or a watermark
THICKEST_PALE = 11  # where pale lines are asked for: those out of focus are as wide
THICK_PRINT = 0.33  # of the usual darkness, that thicker print has: what is blacked out, but no watermark
SHOWS_THROUGH = 0.3  # of the usual darkness: paper lets less of what is on its back through
MUCH_PALE = 0.14  # of all print, that is paler: guides and grey lines are less of it, a page's back is more
SOFT_EDGE = 5, 5  # px round a pixel, within which a dark stroke's edge fades
LINE_CONTRAST = 8  # grey levels; a hairline of a third of a pixel, printed in grey, still has 20
PALE_CONTRAST = 3  # grey levels of lines that are out of focus or nearly as white as the paper
SMOOTHED = 3  # px over which the paper's grain is smoothed where lines are so pale
PALE_OVER_GRAIN = 1.5  # standard deviations of the grain, before that, by which they are darker
SHORTEST_LEVEL, SHORTEST_UPRIGHT = 13, 12  # longer than the strokes of small print
LONGEST_SPACE = 8  # between the dashes of a line
THICKEST_DASHED = 4  # a dashed line; print that is thicker makes no line with what stands next to it
SHORTEST_DASHED = 18  # a line of dashes; shorter ones are the tops and bottoms of letters
BESIDE, NEAR = 4, 2  # px from a line, where there is none of its print; and where there is less of it
RISES, RISES_ON_EITHER_SIDE = 0.3 * 255, 0.1 * 255  # more of a line is print than beside it, on average
LINE_SPREAD = 1  # pixels by which a line is made wider on each side

Mask = npt.NDArray[np.uint8]
"""(height, width) uint8, 255 where it holds and 0 elsewhere."""

Sums = npt.NDArray[np.int32]
"""(height + 1, width + 1): how many pixels of a mask lie above and to the left of each corner of a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """What is printed or written on a page: all of it, and what is dark of it where much is pale."""

    all: Mask
    dark: Mask | None


@dataclass(frozen=True, eq=False)
class Lines:
    """Where print runs straight for a while, LINE_SPREAD pixels wider than it is printed."""

    level_bits: Bits
    upright_bits: Bits
    width: int  # of the page

    @classmethod
    def of(cls, level: Mask, upright: Mask) -> Lines:
        return cls(packed(level), packed(upright), level.shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.level_bits), self.width

    @cached_property
    def level(self) -> Mask:
        return unpacked(self.level_bits, self.width)

    @cached_property
    def upright(self) -> Mask:
        return unpacked(self.upright_bits, self.width)

    @cached_property
    def level_sums(self) -> Sums:
        return _sums(self.level)

    @cached_property
    def upright_sums(self) -> Sums:
        return _sums(self.upright)


def find_print(grey: npt.NDArray[np.uint8]) -> Mask:
    """Return where something is darker than the paper round it, and dark or thin: tints and watermarks go."""
    return shade_print(grey).all


def shade_print(grey: npt.NDArray[np.uint8]) -> Print:
    """Return a page's print, and which of it is dark where much of it is not."""
    window = (PAPER_WINDOW, PAPER_WINDOW)
    paper = cv2.blur(grey, window)  # each step in the place of the last, which is still in the cache
    lowest = cv2.subtract(paper, np.full_like(grey, DEEPEST_DIP), dst=paper)
    paper = cv2.blur(cv2.max(grey, lowest, dst=lowest), window)
    darkness = cv2.subtract(paper, grey, dst=paper)
    contrast = max(LINE_CONTRAST, _grain(grey))
    thin = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, _bar(THICKEST_PRINT, THICKEST_PRINT))
    usual = _usual_darkness(thin)
    thin = cv2.max(thin, _over(darkness, THICK_PRINT * usual), dst=thin)  # a blacked-out box has lines too
    seen = cv2.min(darkness, thin, dst=thin)
    print_, dark = _over(seen, contrast), _over(seen, max(contrast, SHOWS_THROUGH * usual))
    much = MUCH_PALE * cv2.countNonZero(print_)
    may_be_much = cv2.countNonZero(print_) - cv2.countNonZero(dark) >= much
    is_much = may_be_much and cv2.countNonZero(pale_beside(dark, print_)) >= much
    return Print(print_, dark if is_much else None)


def pale_beside(dark: Mask, print_: Mask) -> Mask:
    """Return the print that is not dark, nor the edge of what is."""
    return np.asarray(cv2.subtract(print_, cv2.dilate(dark, _bar(*SOFT_EDGE))), np.uint8)


def find_pale_print(grey: npt.NDArray[np.uint8]) -> Mask:
    """Return where something thin is darker than the paper and its grain, however little."""
    smooth = cv2.GaussianBlur(grey, (SMOOTHED, SMOOTHED), 0)
    thin = cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, _bar(THICKEST_PALE, THICKEST_PALE))
    contrast = max(PALE_CONTRAST, PALE_OVER_GRAIN * _grain(grey))
    return np.asarray(cv2.inRange(thin, contrast, 255), np.uint8)


def may_show_paler(grey: npt.NDArray[np.uint8]) -> bool:
    """Tell whether lines too pale for `find_print` can be told from the grain: not where that is coarse."""
    return PALE_OVER_GRAIN * _grain(grey) < LINE_CONTRAST


def find_lines(print_: Mask) -> Lines:
    """Return the lines that are level or upright within a few degrees."""
    bits, width = packed(print_), print_.shape[1]
    return Lines(_lines(bits, width, upright=False), _lines(bits, width, upright=True), width)


def inked(sums: Sums, left: Places, top: Places, right: Places, bottom: Places) -> Places:
    """Return how many pixels of a mask lie within each rectangle; what reaches beyond the page is cut off."""
    height, width = (size - 1 for size in sums.shape)
    x1, x2 = (np.minimum(np.maximum(each, 0), width) for each in (left, right))
    y1, y2 = (np.minimum(np.maximum(each, 0), height) for each in (top, bottom))
    return inked_on_page(sums, x1, y1, x2, y2)


def inked_on_page(sums: Sums, left: Places, top: Places, right: Places, bottom: Places) -> Places:
    """Return what `inked` does, of rectangles that nowhere reach beyond the page."""
    flat = sums.ravel(order="K")  # no copy, transposed or not: one index finds a place faster than two
    down, across = (stride // sums.itemsize for stride in sums.strides)
    above, below, first, last = top * down, bottom * down, left * across, right * across
    inside = flat[below + last] - flat[above + last] - flat[below + first] + flat[above + first]
    return np.asarray(inside, np.intp)


def whole(numbers: npt.NDArray[np.float64]) -> Places:
    """Return the whole numbers next to these."""
    return np.rint(numbers).astype(np.intp)


def ranges(first: Places, end: Places) -> tuple[Places, Places]:
    """Return every place between a first one and its end, with the entry that it comes from."""
    count = np.maximum(end - first, 0)
    entry = np.repeat(np.arange(len(first)), count)
    skipped = np.cumsum(count) - count - first
    return entry, np.arange(len(entry)) - skipped[entry]


def level_dashes(print_: Mask) -> Mask:
    """Return lines of dashes or dots that are level within a degree or two."""
    return _dashed(print_, upright=False)


def upright_dashes(print_: Mask) -> Mask:
    """Return lines of dashes or dots that are upright within a degree or two."""
    return _dashed(print_, upright=True)


def upright_spaced(print_: Mask) -> Mask:
    """Return all `upright_dashes` and more, found fast: whatever stands one above the other."""
    bits, width = packed(print_), print_.shape[1]
    spaced = _spaced(bits, width, upright=True)
    return unpacked(_runs(spaced, width, SHORTEST_DASHED, upright=True), width)


def with_dashes(lines: Lines, level: Mask, upright: Mask) -> Lines:
    """Return lines with those of dashes or dots added."""
    return Lines(lines.level_bits | packed(level), lines.upright_bits | packed(upright), lines.width)


def _sums(mask: Mask) -> Sums:
    return np.asarray(cv2.integral(mask & 1), np.int32)  # 255 becomes 1


def _lines(print_: Bits, width: int, *, upright: bool) -> Bits:
    """Return the straight runs of print that are long enough.

    Print is made wider across the direction before: a hairline that is askew would fall into short steps
    otherwise.
    """
    wide = spread(print_, LINE_SPREAD, width, upright=not upright)
    return _runs(wide, width, SHORTEST_UPRIGHT if upright else SHORTEST_LEVEL, upright=upright)


def _runs(bits: Bits, width: int, length: int, *, upright: bool) -> Bits:
    """Return the runs that are as long, at a page's edge half as long.

    Those of even length are a pixel further on, which all limits were found with.
    """
    before = length // 2
    runs = opened(edged(bits, width, before, length - 1 - before, upright=upright), length, upright=upright)
    further = 1 - length % 2
    if upright:
        return runs[before - further : before - further + len(bits)]
    return within(moved(runs, further)[:, 1:-1], width)


def _dashed(print_: Mask, *, upright: bool) -> Mask:
    """Return lines of thin print that has spaces in it and stands out from what is beside it."""
    width = print_.shape[1]
    ridges = packed(_ridges(print_, upright=upright))
    ridges = spread(ridges, SHORTEST_DASHED // 4, width, upright=upright)
    ridges = spread(ridges, LINE_SPREAD, width, upright=not upright)
    dashes = _spaced(packed(print_), width, upright=upright) & ridges
    return unpacked(_runs(dashes, width, SHORTEST_DASHED, upright=upright), width)


def _spaced(print_: Bits, width: int, *, upright: bool) -> Bits:
    """Return lines of thin print, the spaces in it filled."""
    thin = print_ & ~opened(print_, THICKEST_DASHED + 1, upright=not upright)
    wide = spread(thin, LINE_SPREAD, width, upright=not upright)
    return closed(wide, LONGEST_SPACE, upright=upright)


def _ridges(print_: Mask, *, upright: bool) -> Mask:
    """Return where more of a line is print than of those beside it: not in text, digits and grain.

    Walls come in twos where boxes stand apart by a little: beside one, the white between them is enough.
    """
    ridges = np.zeros_like(print_)
    across = 1 if upright else 0
    if print_.shape[across] > 2 * BESIDE:
        size = SHORTEST_DASHED + 1
        along = np.asarray(cv2.blur(print_, (1, size) if upright else (size, 1)), np.uint8)

        def moved_by(by: int) -> Mask:
            part = slice(BESIDE + by, along.shape[across] - BESIDE + by)
            return along[:, part] if upright else along[part]

        def rise(way: int) -> cv2.typing.MatLike:
            beside = moved_by(way * BESIDE)
            return cv2.subtract(moved_by(0), cv2.min(beside, moved_by(way * NEAR)) if upright else beside)

        rises = rise(-1), rise(1)
        both = _over(cv2.add(*rises), 2 * RISES)
        here = slice(BESIDE, -BESIDE)
        ridges[(slice(None), here) if upright else here] = cv2.min(
            both, _over(cv2.min(*rises), RISES_ON_EITHER_SIDE)
        )
    return ridges


def _grain(grey: npt.NDArray[np.uint8]) -> float:
    """Return the standard deviation of the paper's grain, from neighbouring pixels of some rows."""
    rows = grey[::16]
    if grey.shape[1] < 2:
        return 0.0
    steps = cv2.absdiff(rows[:, 1:], rows[:, :-1])
    counts = cv2.calcHist([steps], [0], None, [256], [0, 256]).cumsum()
    return float(np.searchsorted(counts, counts[-1] / 2))  # the median step of white noise: 0.95 deviations


def _over(grey: cv2.typing.MatLike, limit: float) -> Mask:
    """Return where something is more than a limit."""
    return np.asarray(cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _usual_darkness(thin: cv2.typing.MatLike) -> float:
    """Return how dark thin print is on this page, by some of its rows; the darker, the more it counts."""
    counts = cv2.calcHist([thin[::4]], [0], None, [256], [0, 256]).ravel()
    darkness = np.arange(256.0)
    weight = counts * darkness**2
    return float(weight @ darkness / max(1.0, weight.sum()))


def _bar(width: int, height: int) -> Mask:
    return np.ones((height, width), np.uint8)
