"""What in a cut-out box is the digit's ink: its lines, the neighbours' strokes and dirt are taken out.

Darkness below means grey levels under the paper's own, 0 for paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

LEAST_CONTRAST = (
    45  # grey levels between paper and ink: watermarks and show-through stay under it, pencil does not
)
NOISE_FACTOR = 6.0  # standard deviations of the paper's grain that ink must rise above it
INK_SHARE = 0.45  # of the ink's darkness from which on a pixel belongs to a stroke
FAINTEST, CORE = 0.2, 0.8  # of it, where a stroke's edge starts and where its core does
LINE_COVERAGE = 0.9  # of a side's length that a line covers; a digit's own straight stroke is shorter
LINE_OFF = 0.12  # of the box's side by which a line may lie off where it is expected
SLIVER = 3  # px that an uneven line may reach further in than it does on the whole
SMALLEST_HEIGHT = 0.16  # of the box's height: a digit's least size; what is smaller is dirt
SPECK_SHARE = 0.06  # of the largest stroke's area, under which another piece of ink is a speck
SMALLEST_AT_EDGE = 0.4  # of the box: what lies along a side and is smaller is a neighbour's stroke
EDGE_WEIGHT = 0.25  # of a stroke along a side against one in the middle, as to which is the digit
EDGE_SHARE = 0.2  # of the box that a neighbour's stroke reaches into it


@dataclass(frozen=True, slots=True, eq=False)
class DigitInk:
    """The ink of one digit, light on black, and where in the patch it stands."""

    ink: Grey
    x: int
    y: int
    width: int
    height: int
    doubts: tuple[str, ...]


def find_ink(patch: Grey, margin: float) -> DigitInk | None:
    """Return the digit that stands in a printed box, None where the box is blank.

    `patch` is (height, width) uint8, the box upright with `margin` px round it, which may hold its lines.
    """
    darkness, level = _darkness(patch, 1.5 * margin)
    if level is None:
        return None
    strokes = np.asarray(cv2.threshold(darkness, INK_SHARE * level, 255, cv2.THRESH_BINARY)[1], np.uint8)
    left, top, right, bottom = _within_lines(strokes, round(margin))
    inner = strokes[top:bottom, left:right]
    if min(inner.shape) < 2 * SLIVER:
        return None
    for side in (inner, inner[::-1], inner.T, inner.T[::-1]):
        _wipe_slivers(side)
    kept, doubts = _digit_pieces(inner)
    if kept is None:
        return None
    x, y, width, height = cv2.boundingRect(kept)
    soft = _soft_ink(darkness[top:bottom, left:right], kept, level)
    return DigitInk(soft, left + x, top + y, width, height, doubts)


def _darkness(patch: Grey, border: float) -> tuple[Grey, float | None]:
    """Return how much darker than paper each pixel is, and how dark the ink is, None where there is none.

    Only what is further than `border` from the patch's edges tells paper from ink: lines do not.
    """
    edge = int(border)
    ranked = np.sort(patch[edge : patch.shape[0] - edge, edge : patch.shape[1] - edge], axis=None)
    count = len(ranked)
    paper = int(ranked[int(0.75 * count)])
    grain = (float(ranked[int(0.97 * count)]) - float(ranked[int(0.75 * count)])) / 1.2
    level = paper - float(ranked[int(0.01 * count)])
    darkness = cv2.subtract(np.full_like(patch, paper), patch)
    return np.asarray(darkness, np.uint8), level if level >= max(
        LEAST_CONTRAST, NOISE_FACTOR * grain
    ) else None


def _within_lines(strokes: Grey, margin: int) -> tuple[int, int, int, int]:
    """Return the part of the patch that its lines enclose: left, top, right, bottom."""
    height, width = strokes.shape
    across = _coverage(strokes[margin : height - margin], 0)
    down = _coverage(strokes[:, margin : width - margin], 1)
    left, right = _behind_line(across, margin), width - _behind_line(across[::-1], margin)
    top, bottom = _behind_line(down, margin), height - _behind_line(down[::-1], margin)
    return left, top, right, bottom


def _coverage(strokes: Grey, axis: int) -> list[float]:
    """Return the share of each column (axis 0) or row (axis 1) that strokes cover."""
    mean = cv2.reduce(strokes, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
    return [share / 255 for share in mean.ravel().tolist()]


def _behind_line(coverage: Sequence[float], margin: int) -> int:
    """Return where the line has ended that ends nearest to the margin; the margin where there is none."""
    tolerance = 1 + LINE_OFF * (len(coverage) - 2 * margin)
    last = margin + int(tolerance)
    ends = [
        index
        for index in range(max(1, margin - int(tolerance)), min(last, len(coverage) - 1) + 1)
        if coverage[index] < LINE_COVERAGE <= coverage[index - 1]
    ]
    return min(ends, key=lambda end: abs(end - margin), default=margin)


def _wipe_slivers(side: Grey) -> None:
    """Take out, in place, what reaches at most SLIVER px in from the first row: a line's uneven edge."""
    if not side[0].any():
        return
    reach = np.logical_and.accumulate(side[: SLIVER + 1] > 0, axis=0)
    side[:SLIVER][reach[:SLIVER] & ~reach[SLIVER]] = 0


def _digit_pieces(strokes: Grey) -> tuple[Grey | None, tuple[str, ...]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8, ltype=cv2.CV_16U)
    if count < 2:
        return None, ()
    height, width = strokes.shape
    x, y, w, h, area = stats[1:].T
    at_edge = (x == 0) | (y == 0) | (x + w == width) | (y + h == height)
    shallow = ((x == 0) | (x + w == width)) & (w < EDGE_SHARE * width) | ((y == 0) | (y + h == height)) & (
        h < EDGE_SHARE * height
    )
    main = int(np.argmax(np.where(shallow, area * EDGE_WEIGHT, area)))
    size = max(h[main] / height, w[main] / width)
    if size < (SMALLEST_AT_EDGE if shallow[main] else SMALLEST_HEIGHT):
        return None, ()
    keep = (area >= SPECK_SHARE * area[main]) & ~shallow
    keep[main] = True
    doubts = []
    if at_edge[main]:
        doubts.append("touches the box")
    if keep.all():
        return strokes, tuple(doubts)
    table = np.zeros(count, np.uint8)
    table[1:][keep] = 255
    return table[labels], tuple(doubts)


def _soft_ink(darkness: Grey, kept: Grey, level: float) -> Grey:
    """Return the kept strokes with their soft edges, the core of a stroke at 255."""
    ramp = np.clip((np.arange(256) / level - FAINTEST) * 255 / (CORE - FAINTEST), 0, 255).astype(np.uint8)
    soft = cv2.LUT(darkness, ramp)
    return np.asarray(cv2.bitwise_and(soft, cv2.dilate(kept, np.ones((3, 3), np.uint8))), np.uint8)
