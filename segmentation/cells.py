"""Each printed box is cut straight from the page, upright; what was written into it becomes a glyph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box, Point, Quad, enclosing_box
from segmentation.glyph import normalise_all
from segmentation.ink import find_ink
from segmentation.page import Cell, Field, Page
from segmentation.strips import MOST_TOGETHER, Grey, Indices, Rects, Strip

Points = npt.NDArray[np.float64]
"""(n, 2): x and y in page pixels."""

MARGIN = 0.16  # of the shorter side, cut with a box on each side: its lines, if they lie a little off too
TOUCHES = ("touches the box",)
SHORTER, LONGER = 50, 64  # px of a box's sides in its patch at most: twice what a glyph shows and more
SAME_SHAPE = 1.02  # by which boxes differ in width over height that are cut alike, half a pixel off at most


class Patch(NamedTuple):
    """How a printed box is cut out: upright, with a margin that holds its lines.

    `width`, `height` and `margin` (on each side) are in pixels of the patch. `centre` is where its middle
    lies on the page; `along` and `down` lead from one pixel of the patch to the next, in page pixels.
    """

    width: int
    height: int
    margin: float
    centre: Point
    along: Point
    down: Point

    def boxes_on_page(self, rects: Rects) -> list[Box]:
        """Return the upright boxes on the page that enclose rectangles of the patch."""
        return self._patches.boxes_on_page(np.zeros(len(rects.left), int), rects)

    def cut_from(self, page: Grey) -> Grey:
        """Return the patch, (height, width) uint8. The page is taken to go on beyond its edges as there."""
        return self._patches.cut_from(page).patch(0)

    @property
    def _patches(self) -> Patches:
        middle, along, down = (np.array([each]) for each in (self.centre, self.along, self.down))
        return Patches(self.width, self.height, self.margin, middle, along, down)


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """How printed boxes of the same shape are cut out: each as a `Patch`, with a row in each array."""

    width: int
    height: int
    margin: float
    centre: Points
    along: Points
    down: Points

    def cut_from(self, page: Grey) -> Strip:
        """Return the boxes side by side. The page is taken to go on beyond its edges as there.

        Where a box is much finer than its patch, pixels are averaged first: a warp alone would skip strokes.
        """
        middle, along, down = self.centre + 0.5, self.along, self.down
        reduction = np.maximum(1, np.hypot(*along.T).astype(int))[:, None]
        reach = (self.width * abs(along) + self.height * abs(down)) / 2
        start, end = _parts_around(page, middle, reach, reduction)
        first = middle - (self.width - 1) / 2 * along - (self.height - 1) / 2 * down
        to_part = np.stack([along / reduction, down / reduction, (first - start) / reduction - 0.5], axis=2)
        size, how = (self.width, self.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = np.empty((self.height, len(middle), self.width), np.uint8)
        places = zip(to_part, start.tolist(), end.tolist(), reduction.ravel().tolist(), strict=True)
        for index, (matrix, (left, top), (right, bottom), each) in enumerate(places):
            part = page[top:bottom, left:right]
            if each > 1:
                part = _reduced(part, each)
            cv2.warpAffine(part, matrix, size, cut[:, index], how, cv2.BORDER_REPLICATE)
        return Strip(cut, self.margin)

    def boxes_on_page(self, which: Indices, rects: Rects) -> list[Box]:
        """Return the upright boxes on the page that enclose rectangles, each of one of the patches."""
        along, down = self.along[which], self.down[which]
        right = ((rects.left + rects.right - self.width) / 2)[:, None]
        below = ((rects.top + rects.bottom - self.height) / 2)[:, None]
        middle = self.centre[which] + 0.5 + right * along + below * down
        reach = (rects.width[:, None] * abs(along) + rects.height[:, None] * abs(down)) / 2
        first = np.rint(middle - reach)
        size = np.maximum(1, np.rint(middle + reach) - first)
        return [Box(*each) for each in np.hstack([first, size]).astype(int).tolist()]


def cut_cells(page: Page, fields: Sequence[Field]) -> tuple[tuple[Cell, ...], ...]:
    """Return what stands in the printed boxes of each field, from left to right.

    A box in which nobody wrote gives a Cell without a glyph. Boxes may reach beyond the page, where it is
    taken to go on as at its edge.
    """
    quads = [quad for field in fields for quad in field.cells]
    if not quads:
        return tuple(() for _ in fields)
    alike = list(_patches_around(quads))
    digits = find_ink([patches.cut_from(page.grey) for _, patches in alike])
    glyphs = iter(normalise_all([ink for each in digits for ink in each.inks]))
    cells: list[Cell | None] = [None] * len(quads)
    for (places, patches), each in zip(alike, digits, strict=True):
        rows = zip(
            places[each.box].tolist(),
            patches.boxes_on_page(each.box, each.around),
            each.at_edge.tolist(),
            each.pieces.tolist(),
            each.may_be_line.tolist(),
            strict=True,
        )
        for place, box, at_edge, pieces, may_be_line in rows:
            cells[place] = Cell(next(glyphs), box, TOUCHES if at_edge else (), pieces, may_be_line)
    in_order = (cell or Cell(None, enclosing_box([quad])) for cell, quad in zip(cells, quads, strict=True))
    return tuple(tuple(islice(in_order, len(field.cells))) for field in fields)


def patch_around(quad: Quad) -> Patch:
    """Return how to cut the printed box: as fine as a glyph needs it, whatever the page is."""
    ((_, patches),) = _patches_around([quad])
    centre, along, down = (Point(*each[0].tolist()) for each in (patches.centre, patches.along, patches.down))
    return Patch(patches.width, patches.height, patches.margin, centre, along, down)


def _patches_around(quads: Sequence[Quad]) -> Iterator[tuple[Indices, Patches]]:
    """Yield how to cut printed boxes, those of about the same shape together, and which these are."""
    numbers = [number for quad in quads for corner in quad.corners for number in corner]
    corners = np.array(numbers).reshape(-1, 4, 2)  # clockwise from the top left
    top_left, top_right, bottom_right, bottom_left = corners.transpose(1, 0, 2)
    along, down = top_right - top_left, bottom_left - top_left
    sides = (along, bottom_right - bottom_left), (down, bottom_right - top_right)
    widths, heights = (_mean_length(*each) for each in sides)
    centre = corners.mean(axis=1)
    for places, aspect in _alike(widths / heights):
        shorter = min(SHORTER, LONGER * min(aspect, 1 / aspect))
        width, height = shorter * max(1, aspect), shorter * max(1, 1 / aspect)
        margin = MARGIN * shorter
        step = np.sqrt(widths[places] * heights[places] / (width * height))
        yield (
            places,
            Patches(
                round(width + 2 * margin),
                round(height + 2 * margin),
                margin,
                centre[places],
                along[places] * (step / widths[places])[:, None],
                down[places] * (step / heights[places])[:, None],
            ),
        )


def _alike(aspects: npt.NDArray[np.float64]) -> Iterator[tuple[Indices, float]]:
    """Yield which boxes are of about the same shape, and which shape that is: width over height.

    The shapes are a fixed scale, so that a box is cut the same way whatever else is on its page.
    """
    step = math.log(SAME_SHAPE)
    shapes = np.rint(np.log(aspects) / step)
    order = np.argsort(shapes, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(shapes[order])) + 1):
        aspect = math.exp(step * float(shapes[same[0]]))
        for start in range(0, len(same), MOST_TOGETHER):
            yield same[start : start + MOST_TOGETHER], aspect


def _mean_length(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((np.hypot(*one.T) + np.hypot(*other.T)) / 2)


def patch_with_margin(quad: Quad, margin: float, zoom: float) -> Patch:
    """Return how to cut the printed box with a margin in page pixels, `zoom` pixels for each of the page."""
    width, height = quad.width, quad.height
    return Patch(
        max(3, round((width + 2 * margin) * zoom)),
        max(3, round((height + 2 * margin) * zoom)),
        margin * zoom,
        quad.centre,
        _step(quad.top_left, quad.top_right, width * zoom),
        _step(quad.top_left, quad.bottom_left, height * zoom),
    )


def _step(start: Point, end: Point, steps: float) -> Point:
    return Point((end.x - start.x) / steps, (end.y - start.y) / steps)


def _parts_around(page: Grey, middle: Points, reach: Points, reduction: Indices) -> tuple[Indices, Indices]:
    """Return the first pixels (n, 2) of what each patch is cut from, and those after the last."""
    start, end = (np.rint(each).astype(int) for each in (middle - reach, middle + reach))
    end = np.maximum(end, start + 1) + 1 + reduction
    start = np.clip(start - 1 - reduction, 0, np.array(page.shape[::-1]) - 1)
    return start, np.maximum(end, start + 1)


def _reduced(part: Grey, reduction: int) -> Grey:
    rows, columns = max(1, part.shape[0] // reduction), max(1, part.shape[1] // reduction)
    part = part[: rows * reduction, : columns * reduction]
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
