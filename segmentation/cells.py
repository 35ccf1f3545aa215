"""Each printed box is cut straight from the page, upright; what was written into it becomes a glyph."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box, Point, Quad, enclosing_box
from segmentation.glyph import normalise
from segmentation.ink import DigitInk, find_ink
from segmentation.page import Cell, Field, Page

MARGIN = 0.16  # of the shorter side, cut with a box on each side: its lines, if they lie a little off too
FEWEST_PIXELS = 40  # of a box's shorter side in its patch: coarser ones are enlarged to it
MOST_PIXELS = 72  # of a box's longer side in its patch: twice and more what a glyph can show

Grey = npt.NDArray[np.uint8]


class Patch(NamedTuple):  # made by the hundred a page, and faster than a frozen dataclass
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

    def box_on_page(self, x: float, y: float, width: float, height: float) -> Box:
        """Return the upright box on the page that encloses a rectangle of the patch."""
        right, below = x + (width - self.width) / 2, y + (height - self.height) / 2  # of the patch's middle
        centre_x = self.centre.x + 0.5 + right * self.along.x + below * self.down.x
        centre_y = self.centre.y + 0.5 + right * self.along.y + below * self.down.y
        reach_x = (width * abs(self.along.x) + height * abs(self.down.x)) / 2
        reach_y = (width * abs(self.along.y) + height * abs(self.down.y)) / 2
        left, top = round(centre_x - reach_x), round(centre_y - reach_y)
        return Box(
            left,
            top,
            max(1, round(centre_x + reach_x) - left),
            max(1, round(centre_y + reach_y) - top),
        )

    def cut_from(self, page: Grey) -> Grey:
        """Return the patch, (height, width) uint8. The page is taken to go on beyond its edges as there."""
        return cut_patches(page, [self])[0]


def cut_cells(page: Page, fields: Sequence[Field]) -> tuple[tuple[Cell, ...], ...]:
    """Return what stands in the printed boxes of each field, from left to right.

    A box in which nobody wrote gives a Cell without a glyph. Boxes may reach beyond the page, where it is
    taken to go on as at its edge.
    """
    quads = [quad for field in fields for quad in field.cells]
    if not quads:
        return tuple(() for _ in fields)
    patches = _patches_around(quads)
    inks = find_ink(cut_patches(page.grey, patches), [patch.margin for patch in patches])
    cells = map(_cell, quads, patches, inks)
    return tuple(tuple(islice(cells, len(field.cells))) for field in fields)


def _cell(quad: Quad, patch: Patch, found: DigitInk | None) -> Cell:
    if found is None:
        return Cell(None, enclosing_box([quad]))
    box = patch.box_on_page(found.x, found.y, found.width, found.height)
    return Cell(normalise(found.ink), box, found.doubts, found.pieces, found.may_be_line)


def patch_around(quad: Quad) -> Patch:
    """Return how to cut the printed box: as fine as the page, within FEWEST_PIXELS and MOST_PIXELS."""
    return _patches_around([quad])[0]


def _patches_around(quads: Sequence[Quad]) -> list[Patch]:
    """Return how to cut printed boxes, all those of a page at once."""
    corners = np.array([quad.corners for quad in quads])  # clockwise from the top left
    top_left, top_right, bottom_right, bottom_left = corners.transpose(1, 0, 2)
    along, down = top_right - top_left, bottom_left - top_left
    sides = (along, bottom_right - bottom_left), (down, bottom_right - top_right)
    size = np.stack([_mean_length(*each) for each in sides])  # widths and heights
    shorter, longer = size.min(axis=0), size.max(axis=0)
    zoom = np.minimum(np.maximum(1.0, FEWEST_PIXELS / shorter), MOST_PIXELS / longer)
    margin = MARGIN * shorter
    width, height = np.maximum(3, np.rint((size + 2 * margin) * zoom)).astype(int).tolist()
    steps_along, steps_down = (size * zoom)[..., None]
    centres, rights, downs = (
        [Point(*each) for each in points.tolist()]
        for points in (corners.sum(axis=1) / 4, along / steps_along, down / steps_down)
    )
    return list(map(Patch, width, height, (margin * zoom).tolist(), centres, rights, downs))


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


def cut_patches(page: Grey, patches: Sequence[Patch]) -> list[Grey]:
    """Return the patches, each (height, width) uint8. The page is taken to go on beyond its edges as there.

    Where a box is much finer than its patch, pixels are averaged first: a warp alone would skip strokes.
    """
    if not patches:
        return []
    size = np.array([(patch.width, patch.height) for patch in patches])
    middle = np.array([patch.centre for patch in patches]) + 0.5
    along, down = np.array([(patch.along, patch.down) for patch in patches]).transpose(1, 0, 2)
    reduction = np.maximum(1, np.hypot(*along.T).astype(int))[:, None]
    start, end = _parts_around(
        page, middle, (size[:, :1] * abs(along) + size[:, 1:] * abs(down)) / 2, reduction
    )
    across, below = np.hsplit((size - 1) / 2, 2)
    first = (middle - across * along - below * down - start) / reduction - 0.5
    to_part = np.stack([along / reduction, down / reduction, first], axis=2)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = []
    for matrix, wanted, (left, top), (right, bottom), each in zip(
        to_part, size.tolist(), start.tolist(), end.tolist(), reduction.ravel().tolist(), strict=True
    ):
        part = page[top:bottom, left:right] if each == 1 else _reduced(page[top:bottom, left:right], each)
        patch = cv2.warpAffine(part, matrix, wanted, flags=how, borderMode=cv2.BORDER_REPLICATE)
        cut.append(np.asarray(patch, np.uint8))
    return cut


def _parts_around(
    page: Grey,
    middle: npt.NDArray[np.float64],
    reach: npt.NDArray[np.float64],
    reduction: npt.NDArray[np.int_],
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Return the first pixels (n, 2) of what each patch is cut from, and those after the last."""
    start, end = (np.rint(each).astype(int) for each in (middle - reach, middle + reach))
    end = np.maximum(end, start + 1) + 1 + reduction
    start = np.clip(start - 1 - reduction, 0, np.array(page.shape[::-1]) - 1)
    return start, np.maximum(end, start + 1)


def _reduced(part: Grey, reduction: int) -> Grey:
    rows, columns = max(1, part.shape[0] // reduction), max(1, part.shape[1] // reduction)
    part = part[: rows * reduction, : columns * reduction]
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
