"""How far the lines of printed boxes reach out, measured on the page's own pixels.

The small copy of the page tells where a box is to a pixel or two of its own, lines not counted. Profiles of
the page's brightness across each side tell the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.geometry import Quad

PLACES = np.array([0.2, 0.35, 0.5, 0.65, 0.8])  # along a side: a digit crosses fewer than half of them
INWARD, OUTWARD = 2.0, 7.0  # px of the small copy: a line may be off by 0.5 mm and reach out by 1.7 mm
LEAST_CONTRAST = 6.0  # grey levels between line and paper


@dataclass(frozen=True, slots=True)
class Sides:
    """By how many page pixels the lines of a box reach out from its inside."""

    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    left: float = 0.0


def measure_sides(page: npt.NDArray[np.uint8], insides: Sequence[Quad], unit: float) -> list[Sides]:
    """Return how far the lines of boxes reach out; `unit` is page pixels per pixel of the small copy."""
    if not insides:
        return []
    corners = np.array([[(corner.x, corner.y) for corner in quad.corners] for quad in insides])
    starts, ends = corners, np.roll(corners, -1, axis=1)  # top, right, bottom and left side
    along = ends - starts
    outward = np.stack([along[..., 1], -along[..., 0]], axis=-1) / np.linalg.norm(
        along, axis=-1, keepdims=True
    )
    reach = np.arange(-round(INWARD * unit), round(OUTWARD * unit) + 1)
    feet = starts[:, :, None] + PLACES[:, None] * along[:, :, None]
    places = feet[:, :, :, None] + reach[:, None] * outward[:, :, None, None]
    middle = np.sort(_brightness(page, places), axis=2)[:, :, len(PLACES) // 2]
    darkness = middle.max(axis=2, keepdims=True) - middle
    return [Sides(*edges) for edges in _outer_edges(darkness, reach, unit).tolist()]


def _brightness(page: npt.NDArray[np.uint8], places: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    height, width = page.shape
    x = np.clip(np.rint(places[..., 0]).astype(np.intp), 0, width - 1)
    y = np.clip(np.rint(places[..., 1]).astype(np.intp), 0, height - 1)
    return page[y, x].astype(np.int16)


def _outer_edges(
    darkness: npt.NDArray[np.int16], reach: npt.NDArray[np.int_], unit: float
) -> npt.NDArray[np.float64]:
    """Return where the line nearest to the middle of each profile ends; 0 where there is none."""
    near = np.abs(reach) <= max(INWARD * unit, 1.0)
    peak = np.argmax(np.where(near, darkness, -1), axis=-1)[..., None]
    height = np.take_along_axis(darkness, peak, axis=-1)
    beyond = (darkness < height / 2) & (np.arange(len(reach)) > peak)
    edges = np.maximum(0.0, reach[np.argmax(beyond, axis=-1)] - 0.5)
    return np.where(beyond.any(axis=-1) & (height[..., 0] >= LEAST_CONTRAST), edges, 0.0)
