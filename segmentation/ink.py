"""What in a cut-out box is the digit's ink: its lines, the neighbours' strokes and dirt are taken out.

Darkness below means grey levels under the paper's own, 0 for paper.
"""

from __future__ import annotations

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
LINE_DARKNESS = 12  # grey levels; what is darker than the paper by this along a whole side is a line
LINE_COVERAGE = 0.7  # of a side that a line covers; a digit's own straight stroke is shorter
LINE_ZONE = 0.24  # of the box's side beyond the margin within which its lines lie, bold ones too
SLIVER = 2  # px that a line's soft edge may leave behind
SMALLEST_HEIGHT = 0.16  # of the box's height: a digit's least size; what is smaller is dirt
SPECK_SHARE = 0.06  # of the largest stroke's area, under which another piece of ink is a speck
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
    left, top, right, bottom = _inside(patch, margin)
    inner = patch[top:bottom, left:right]
    if min(inner.shape) < 8:
        return None
    darkness, level = _darkness(inner)
    if level is None:
        return None
    strokes = cv2.compare(darkness, int(INK_SHARE * level), cv2.CMP_GT)
    _wipe_slivers(strokes)
    kept, doubts = _digit_pieces(strokes)
    if kept is None:
        return None
    x, y, width, height = cv2.boundingRect(kept)
    soft = _soft_ink(darkness, kept, level)
    return DigitInk(soft, left + x, top + y, width, height, doubts)


def _inside(patch: Grey, margin: float) -> tuple[int, int, int, int]:
    """Return the part of the patch within the box's lines: left, top, right, bottom."""
    paper = int(np.percentile(patch, 70))
    dark = cv2.threshold(patch, paper - LINE_DARKNESS, 1, cv2.THRESH_BINARY_INV)[1]
    height, width = patch.shape
    m = round(margin)
    across = cv2.reduce(dark[2 * m : height - 2 * m], 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[0]
    down = cv2.reduce(dark[:, 2 * m : width - 2 * m], 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[:, 0]
    left, right = _edge(across, m), width - _edge(across[::-1], m)
    top, bottom = _edge(down, m), height - _edge(down[::-1], m)
    return left, top, right, bottom


def _edge(coverage: npt.NDArray[np.float32], margin: int) -> int:
    """Return the first row or column behind the line."""
    zone = margin + round(LINE_ZONE * (len(coverage) - 2 * margin))
    covered = np.flatnonzero(coverage[:zone] >= LINE_COVERAGE)
    if not len(covered) or covered[0] > margin + 0.08 * len(coverage):
        return margin + 1
    end = int(covered[0])
    for index in covered:
        if index - end > 2:
            break
        end = int(index)
    return max(end + 2, margin // 2)


def _darkness(inner: Grey) -> tuple[Grey, float | None]:
    """Return how much darker than paper each pixel is, and how dark the ink is; None for the latter on a blank."""
    ranked = np.sort(inner, axis=None)
    count = len(ranked)
    paper = int(ranked[int(0.7 * count)])
    grain = float(ranked[int(0.97 * count)]) - float(ranked[int(0.6 * count)])
    darkest = int(ranked[int(0.01 * count)])
    level = float(paper - darkest)
    darkness = cv2.subtract(np.full_like(inner, paper), inner)
    if level < max(LEAST_CONTRAST, NOISE_FACTOR * grain / 1.6):
        return darkness, None
    return darkness, level


def _wipe_slivers(strokes: Grey) -> None:
    """Take out, in place, what a line's soft edge left along the sides: long and no more than SLIVER px thick."""
    for side in (strokes, strokes[::-1], strokes.T, strokes.T[::-1]):
        for depth in range(SLIVER):
            row = side[depth]
            behind = side[SLIVER]
            if np.count_nonzero(row) > 0.4 * len(row):
                row[behind == 0] = 0


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
    main = int(np.argmax(np.where(shallow, area * 0.25, area)))
    if (
        max(h[main] / height, w[main] / width) < SMALLEST_HEIGHT
        or shallow[main]
        and max(h[main] / height, w[main] / width) < 0.4
    ):
        return None, ()
    keep = (area >= SPECK_SHARE * area[main]) & ~shallow
    keep[main] = True
    doubts = []
    if at_edge[main]:
        doubts.append("touches the box")
    table = np.zeros(count, np.uint8)
    table[1:][keep] = 255
    return table[labels], tuple(doubts)


def _soft_ink(darkness: Grey, kept: Grey, level: float) -> Grey:
    """Return the kept strokes with their soft edges, the core of a stroke at 255."""
    mask = cv2.dilate(kept, np.ones((3, 3), np.uint8))
    low, high = 0.2 * level, 0.8 * level
    soft = np.clip((darkness.astype(np.float32) - low) * (255.0 / (high - low)), 0, 255)
    return np.where(mask > 0, soft, 0).astype(np.uint8)
