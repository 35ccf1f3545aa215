"""The ink of a whole number in one box, without its lines and dirt, and how far its digits lean.

All lengths are pixels of the patch, which is 56 to 72 px from line to line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.cells import MARGIN, Patch, patch_with_margin
from segmentation.geometry import Quad
from segmentation.glyph import stroke_widths
from segmentation.ink import (
    EDGE_SHARE,
    SLIVER,
    SMALLEST_HEIGHT,
    SPECK_SHARE,
    Levels,
    as_ink,
    soft_inks,
    without_slivers,
)
from segmentation.paper import measure_tones
from segmentation.strips import Grey, Strip

LEAST_HEIGHT, MOST_HEIGHT = 56, 72  # px of a box in its patch; twice and more what a glyph can show
WIDEST = 40.0  # heights of a box; what is wider still is made coarser
INK_RANK = 0.002  # of a box's pixels: a single digit in a box for ten leaves that many dark ones
LINE_OFF = 0.12  # of the box's height by which a line may lie off where it is expected
LINE_WINDOW = 0.8  # of the box's height: longer than a digit's level stroke, short enough for a leaning line
LEVEL_COVERAGE, UPRIGHT_COVERAGE = 0.85, 0.94  # of that, or of the box's height, that a line covers
SMOOTHING = 15  # px along a line over which its edge is smoothed
DIGIT_INK = 2.2  # a digit's ink in units of its height times the width of its strokes
SMALL_AT_SIDE = 0.35  # of the box's height: what lies along its left or right side and is lower is no digit
SLANTS = np.arange(-0.3, 0.85, 0.1)  # px to the right per px upwards: how far hands lean
UPRIGHT_BONUS = 0.2  # share by which leaning columns must be fuller than upright ones; chance leans too

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class StringInk:
    """The ink in a box for a whole number.

    `strokes` and `soft` are (height, width) uint8 like the patch, light on black: hard-edged and as a glyph
    takes it. `lean` is by how much each row is moved to the right to set the digits upright, in whole px.
    """

    strokes: Grey
    soft: Grey
    labels: npt.NDArray[np.int32]  # of the strokes that hang together, from 1; paper is 0
    parts: npt.NDArray[
        np.int32
    ]  # (n + 1, 5): left, top, width, height and area of each label; row 0 is paper
    lean: Rows
    tall: float  # the usual height of a digit
    pen: float  # the mean width of a stroke

    @property
    def digit_area(self) -> float:
        """About how many px of ink a digit has."""
        return DIGIT_INK * self.tall * self.pen


def patch_of_string(quad: Quad) -> Patch:
    """Return how to cut the box: as fine as the page, within LEAST_HEIGHT and MOST_HEIGHT."""
    height = quad.height
    zoom = min(max(1.0, LEAST_HEIGHT / height), MOST_HEIGHT / height, WIDEST * MOST_HEIGHT / quad.width)
    return patch_with_margin(quad, MARGIN * height, zoom)


def find_string_inks(patches: Sequence[Grey], margins: Sequence[float]) -> list[StringInk | None]:
    """Return the ink of the number that stands in each of these boxes, None where nobody wrote.

    A patch is (height, width) uint8, the box upright with its margin, in px, round it, which may hold lines.
    """
    strips = [Strip(patch[:, None], margin) for patch, margin in zip(patches, margins, strict=True)]
    strips, tones = measure_tones(strips, INK_RANK)
    levels = np.stack([tones.paper, tones.ink, tones.no_ink], axis=1)[..., None]
    return [_string_ink(strip, each) if each[1] else None for strip, each in zip(strips, levels, strict=True)]


def _string_ink(strip: Strip, tones: Levels) -> StringInk | None:
    margin = strip.margin
    strokes = as_ink(strip.grey, *tones)[:, 0]
    inside = _wipe_lines(strokes, round(margin))
    _, found, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8, ltype=cv2.CV_32S)
    labels, parts = np.asarray(found, np.int32), np.asarray(stats, np.int32)
    parts[0] = 0
    box_height = strip.height - 2 * margin
    if not len(parts) or parts[:, 2:4].max() < SMALLEST_HEIGHT * box_height:
        return None
    heights = parts[1:, 3]
    tall = max(float(np.median(heights[heights >= heights.max() / 2])), 2 * SMALLEST_HEIGHT * box_height)
    pen = float(stroke_widths([strokes])[0])
    dirt = (parts[:, 4] < SPECK_SHARE * DIGIT_INK * tall * pen) | _from_outside(parts, inside, box_height)
    if dirt[1:].all():
        return None
    parts[dirt] = 0
    labels[dirt[labels]] = 0
    strokes[labels == 0] = 0
    soft = soft_inks(strip.grey, strokes[:, None], *tones)[:, 0]
    return StringInk(strokes, soft, labels, parts, _lean(strokes), tall, pen)


def _wipe_lines(strokes: Grey, margin: int) -> tuple[int, int, int, int]:
    """Take out, in place, the lines of the box and what lies beyond them.

    Returns what they enclose: left, top, right, bottom; of a line that is not straight its innermost reach.
    """
    height, width = strokes.shape
    box_height = height - 2 * margin
    zone = margin + 1 + round(LINE_OFF * box_height)
    window = min(round(LINE_WINDOW * box_height), width) | 1
    top, bottom = (
        _wipe_beyond(side, _level_reach(side[:zone], margin, window)) for side in (strokes, strokes[::-1])
    )
    between = strokes[top : height - bottom]
    left, right = (
        _wipe_beyond(side, _upright_reach(side[:zone], margin)) for side in (between.T, between.T[::-1])
    )
    return left, top, width - right, height - bottom


def _level_reach(zone: Grey, expected: int, window: int) -> Rows:
    """Return how many rows the line takes from the edge, for each column."""
    line = cv2.blur(zone, (window, 1), borderType=cv2.BORDER_REPLICATE) >= 255 * LEVEL_COVERAGE
    reach = _nearest_end(line, expected).astype(np.uint8)
    return np.asarray(cv2.medianBlur(reach[None], SMOOTHING)[0], np.intp)


def _upright_reach(zone: Grey, expected: int) -> Rows:
    """Return the same of a line that is as long as the zone's rows: one number for all of them."""
    line = zone.mean(axis=1, keepdims=True) >= 255 * UPRIGHT_COVERAGE
    return np.repeat(_nearest_end(line, expected), zone.shape[1])


def _nearest_end(line: npt.NDArray[np.bool_], expected: int) -> Rows:
    """Return where each column's line ends next to where it is expected: a digit's bar lies further in."""
    ends = line[:-1] & ~line[1:]
    distance = np.abs(np.arange(1, len(line)) - expected)[:, None]
    far = np.where(ends, distance, len(line))
    return np.where(ends.any(axis=0), far.argmin(axis=0) + 1, expected)


def _wipe_beyond(side: Grey, reach: Rows) -> int:
    """Take out, in place, the first `reach` rows of each column and slivers behind; return the most rows."""
    most = int(reach.max())
    edge = side[: most + SLIVER + 1]
    edge[np.arange(len(edge))[:, None] < reach] = 0
    rows = np.minimum(reach + np.arange(SLIVER + 1)[:, None], len(side) - 1)
    behind = np.take_along_axis(side, rows, axis=0)
    np.put_along_axis(side, rows, without_slivers(behind), axis=0)
    return most


def _from_outside(
    parts: npt.NDArray[np.int32], inside: tuple[int, int, int, int], box_height: float
) -> npt.NDArray[np.bool_]:
    """Return of which parts only a little reaches in: strokes of what is written outside, line rests."""
    left, top, right, bottom = inside
    x, y, width, height, _ = parts.T
    over_or_under = ((y <= top) | (y + height >= bottom)) & (height < EDGE_SHARE * box_height)
    beside = ((x <= left) | (x + width >= right)) & (width < EDGE_SHARE * box_height)
    return np.asarray(over_or_under | (beside & (height < SMALL_AT_SIDE * box_height)))


def _lean(strokes: Grey) -> Rows:
    """Return by how much to move each row for the ink to stand in the fewest, fullest columns."""
    y, x = np.nonzero(strokes)
    down = np.arange(len(strokes))
    moves = [np.rint(slant * down).astype(np.intp) for slant in SLANTS]
    moves = [move - move.min() for move in moves]
    fullness = [float(np.square(np.bincount(x + move[y])).sum()) for move in moves]
    fullness[int(np.abs(SLANTS).argmin())] *= 1 + UPRIGHT_BONUS
    return moves[fullness.index(max(fullness))]
