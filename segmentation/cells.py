"""Each printed box is cut straight from the page, upright; what was written into it becomes a glyph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box, Point, Quad, enclosing_box
from segmentation.glyph import normalise
from segmentation.ink import find_ink
from segmentation.page import Cell, Field, Page

MARGIN = 0.16  # of the shorter side, cut with a box on each side: its lines, if they lie a little off too
FEWEST_PIXELS = 40  # of a patch's shorter side: coarser boxes are enlarged, or their strokes have no inside
MOST_PIXELS = 110  # of a patch's longer side: finer than any glyph can show


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A printed box cut out upright, with a margin that holds its lines.

    `grey` is (height, width) uint8. `margin` is in pixels of the patch, on each side. `to_page` (2 x 3)
    takes a patch's (x, y, 1) to page pixels.
    """

    grey: npt.NDArray[np.uint8]
    margin: float
    to_page: npt.NDArray[np.float64]

    def box_on_page(self, x: int, y: int, width: int, height: int) -> Box:
        """Return the upright box on the page that encloses a rectangle of the patch."""
        edges = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)]) - 0.5
        corners = edges @ self.to_page[:, :2].T + self.to_page[:, 2] + 0.5
        return enclosing_box([Quad(*(Point(float(a), float(b)) for a, b in corners))])


def cut_cells(page: Page, field: Field) -> tuple[Cell, ...]:
    """Return what stands in each printed box of the field, from left to right.

    A box in which nobody wrote gives a Cell without a glyph. Boxes may reach beyond the page, where it is
    taken to go on as at its edge.
    """
    return tuple(_cell(cut_patch(page, quad), quad) for quad in field.cells)


def cut_patch(page: Page, quad: Quad) -> Patch:
    """Return the printed box, upright, at the page's own resolution within FEWEST_PIXELS and MOST_PIXELS."""
    width, height = quad.width, quad.height
    shorter, longer = min(width, height), max(width, height)
    margin = MARGIN * shorter
    zoom = min(max(1.0, FEWEST_PIXELS / shorter), MOST_PIXELS / longer)
    grey, offset, reduction = _surroundings(page.grey, quad, margin, zoom)
    size = (max(3, round((width + 2 * margin) * zoom)), max(3, round((height + 2 * margin) * zoom)))
    along = _vector(quad.top_left, quad.top_right, width * zoom)
    down = _vector(quad.top_left, quad.bottom_left, height * zoom)
    centre = np.array([quad.centre.x, quad.centre.y])
    origin = centre - along * (size[0] - 1) / 2 - down * (size[1] - 1) / 2
    to_page = np.column_stack([along, down, origin])
    to_grey = to_page.copy()
    to_grey[:, 2] = to_page[:, 2] - offset + 0.5
    to_grey /= reduction
    to_grey[:, 2] -= 0.5
    patch = cv2.warpAffine(
        grey, to_grey, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return Patch(np.asarray(patch, np.uint8), margin * zoom, to_page)


def _surroundings(
    page: npt.NDArray[np.uint8], quad: Quad, margin: float, zoom: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64], int]:
    """Return the part of the page to cut from, where it starts, and by how much it is reduced.

    Where the box is much finer than its patch, pixels are averaged first: a warp alone would skip strokes.
    """
    box = enclosing_box([quad])
    reach = int(margin) + 2
    height, width = page.shape
    left, top = min(max(box.x - reach, 0), width - 1), min(max(box.y - reach, 0), height - 1)
    right, bottom = (
        max(min(box.right + reach, width), left + 1),
        max(min(box.bottom + reach, height), top + 1),
    )
    part = page[top:bottom, left:right]
    reduction = int(1 / zoom)
    if reduction > 1 and min(part.shape) >= reduction:
        rows, columns = part.shape[0] // reduction, part.shape[1] // reduction
        part = part[: rows * reduction, : columns * reduction]
        part = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        reduction = 1
    return part, np.array([left, top], np.float64), reduction


def _vector(start: Point, end: Point, steps: float) -> npt.NDArray[np.float64]:
    return np.array([end.x - start.x, end.y - start.y]) / steps


def _cell(patch: Patch, quad: Quad) -> Cell:
    found = find_ink(patch.grey, patch.margin)
    if found is None:
        return Cell(None, enclosing_box([quad]))
    return Cell(
        normalise(found.ink), patch.box_on_page(found.x, found.y, found.width, found.height), found.doubts
    )
