"""Over-segmentation: the ink of a whole number in pieces, each of one digit at most, wherever a cut may lie.

Strokes that hang together are one piece, unless they are wide: these are cut along paths from top to bottom
that cross little ink (seams, found by dynamic programming), more often than needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from segmentation.string_ink import StringInk

CUT_WIDTH = 0.7  # of a digit's height: ink that hangs together and is wider may be two digits
SEAM_STEP = 0.12  # of a digit's height between the places at which a seam is looked for
SEAM_SWAY = 0.24  # of a digit's height by which a seam may leave its place
SIDEWAYS = 0.25  # px of ink that a seam would rather cross than move to the side by one
MOST_INK = 3.0  # widths of the pen that a seam may cross
SEAM_APART = 0.18  # of a digit's height between two seams
LEAST_SIDE = 0.08  # of a digit's ink on each side of a seam
MOST_PIECES = 40  # more are no number but a scribble: ten digits have 30 at most

Places = npt.NDArray[np.intp]


class Extent(NamedTuple):
    """Where ink stands, in px of the patch: columns as set upright, rows as they are; ends are outside."""

    left: int
    right: int
    top: int
    bottom: int


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The ink from left to right.

    `labels` is (height, width) int32 over the patch: paper 0, the first piece 1. `cut_ink` tells, for each
    piece, how many widths of the pen the seam on its left crosses, 0 where paper is between.
    """

    labels: npt.NDArray[np.int32]
    extents: tuple[Extent, ...]
    areas: tuple[int, ...]
    cut_ink: tuple[float, ...]
    frames: npt.NDArray[np.intp]  # (n, 4): left, top, right, bottom of each as it leans, ends outside

    def frame(self, start: int, end: int) -> tuple[int, int, int, int]:
        """Return the rectangle round some pieces, with the pixel on each side over which strokes fade."""
        height, width = self.labels.shape
        left, top = self.frames[start:end, :2].min(axis=0).tolist()
        right, bottom = self.frames[start:end, 2:].max(axis=0).tolist()
        return max(0, left - 1), max(0, top - 1), min(width, right + 1), min(height, bottom + 1)


def cut_pieces(ink: StringInk) -> Pieces | None:
    """Return the pieces of a number, None where there are too many for one."""
    y, x = np.nonzero(ink.strokes)
    part, upright = ink.labels[y, x].astype(np.intp), x + ink.lean[y]
    piece = part * MOST_PIECES  # and after it, the pieces that its part is cut into
    wide = [own for own in _parts(part) if np.ptp(upright[own]) >= CUT_WIDTH * ink.tall]
    crossed: dict[int, float] = {}
    for own, seams in zip(wide, _seams([(upright[own], y[own]) for own in wide], ink), strict=True):
        first = int(piece[own[0]])
        for number, (seam, cost) in enumerate(seams, start=1):
            piece[own] += upright[own] >= seam[y[own]]
            crossed[first + number] = cost
    order = np.argsort(piece, kind="stable")
    starts = np.flatnonzero(np.diff(piece[order], prepend=-1))
    if len(starts) > MOST_PIECES:
        return None
    upright_from, x_from, y_from = (np.minimum.reduceat(each[order], starts) for each in (upright, x, y))
    upright_to, x_to, y_to = (np.maximum.reduceat(each[order], starts) + 1 for each in (upright, x, y))
    extents = np.column_stack([upright_from, upright_to, y_from, y_to])
    frames = np.column_stack([x_from, y_from, x_to, y_to])
    ranked = np.argsort(extents[:, 0] + extents[:, 1], kind="stable")
    areas = np.diff(starts, append=len(order))[ranked]
    names = piece[order[starts]][ranked]
    number_of = np.zeros(piece.max() + 1, np.int32)
    number_of[names] = np.arange(1, len(names) + 1)
    labels = np.zeros_like(ink.labels)
    labels[y, x] = number_of[piece]
    return Pieces(
        labels,
        tuple(Extent(*extent) for extent in extents[ranked].tolist()),
        tuple(areas.tolist()),
        tuple(crossed.get(name, 0.0) for name in names.tolist()),
        frames[ranked],
    )


def _parts(part: Places) -> list[Places]:
    """Return the numbers of the pixels of each part."""
    order = np.argsort(part, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(part[order])) + 1)


Seam = tuple[Places, float]
"""In which column it crosses each row of the patch, and how many pens' ink it crosses."""


def _seams(parts: Sequence[tuple[Places, Places]], ink: StringInk) -> list[list[Seam]]:
    """Return the seams worth a try through each part, given by its pixels' columns and rows."""
    if not parts:
        return []
    sway = max(2, round(SEAM_SWAY * ink.tall))
    top = min(int(rows.min()) for _, rows in parts)
    bottom = max(int(rows.max()) for _, rows in parts) + 1
    windows, places = [], []
    for columns, rows in parts:
        left, width = int(columns.min()), int(np.ptp(columns)) + 1
        solid = np.zeros((bottom - top, width + 2 * sway), np.float32)
        solid[rows - top, columns - left + sway] = 1
        at = np.arange(0, width, max(1, round(SEAM_STEP * ink.tall)))
        windows.append(np.lib.stride_tricks.sliding_window_view(solid, 2 * sway + 1, axis=1)[:, at])
        places.append(at + left - sway)
    paths, costs = _cheapest_paths(np.concatenate(windows, axis=1))
    paths += np.concatenate(places)[:, None]
    seams = np.pad(paths, ((0, 0), (top, len(ink.strokes) - bottom)), mode="edge")
    ends = np.cumsum([len(each) for each in places])[:-1]
    found = zip(parts, np.split(seams, ends), np.split(costs / ink.pen, ends), strict=True)
    return [_worth_a_try(part, own, crossed, ink) for part, own, crossed in found]


def _worth_a_try(
    part: tuple[Places, Places], seams: Places, crossed: npt.NDArray[np.float32], ink: StringInk
) -> list[Seam]:
    """Return, from left to right, the seams that cross the least ink, with enough of it between them."""
    columns, rows = part
    least = LEAST_SIDE * ink.digit_area
    chosen: list[Seam] = []
    for each in np.argsort(crossed, kind="stable").tolist():
        seam, cost = seams[each], float(crossed[each])
        if cost > MOST_INK or len(chosen) == MOST_PIECES // 2:
            break
        on_the_left = int(np.count_nonzero(columns < seam[rows]))
        apart = all(abs(_middle(seam) - _middle(other)) >= SEAM_APART * ink.tall for other, _ in chosen)
        if apart and least <= on_the_left <= len(columns) - least:
            chosen.append((seam, cost))
    return sorted(chosen, key=lambda seam: _middle(seam[0]))


def _middle(seam: Places) -> float:
    return float(seam.mean())


def _cheapest_paths(windows: npt.NDArray[np.float32]) -> tuple[Places, npt.NDArray[np.float32]]:
    """Return for windows (rows, n, columns) of ink the path down each that crosses the least of it.

    A path is a column for each row (n, rows), from one row to the next at most one aside; with its cost (n,).
    """
    rows, count, columns = windows.shape
    totals = np.full((rows, count, columns + 2), np.inf, np.float32)
    totals[0, :, 1:-1] = windows[0]
    for row in range(1, rows):
        above, best = totals[row - 1], totals[row, :, 1:-1]
        np.minimum(above[:, :-2], above[:, 2:], out=best)
        best += SIDEWAYS
        np.minimum(best, above[:, 1:-1], out=best)
        best += windows[row]
    from_left, straight, from_right = totals[:-1, :, :-2], totals[:-1, :, 1:-1], totals[:-1, :, 2:]
    aside = np.where(from_left < from_right, np.int8(-1), np.int8(1))
    moves = np.where(np.minimum(from_left, from_right) + SIDEWAYS < straight, aside, np.int8(0))
    paths = np.empty((rows, count), np.intp)
    at = totals[-1, :, 1:-1].argmin(axis=1)
    each = np.arange(count)
    costs = totals[-1, each, at + 1]
    for row in range(rows - 1, 0, -1):
        paths[row] = at
        at = at + moves[row - 1, each, at]
    paths[0] = at
    return paths.T, costs
