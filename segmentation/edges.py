"""Where the lines of printed boxes begin and end, measured on the page's own pixels.

The small copy of the page tells where a box is to a pixel or two of its own. Profiles of the page's
brightness across each side tell the rest.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

PLACES = np.array([0.2, 0.35, 0.5, 0.65, 0.8], np.float32)  # along a side: digits cross fewer than half
INWARD, OUTWARD = 3.0, 7.0  # px of the small copy: a line may be off by 0.7 mm and reach out by 1.7 mm
LEAST_CONTRAST = 6.0  # grey levels between line and paper
TOP, RIGHT, BOTTOM, LEFT = range(4)  # sides of a box

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.float32]


def measure_lines(page: npt.NDArray[np.uint8], boxes: Numbers, unit: float) -> tuple[Numbers, Numbers]:
    """Return where the lines round boxes begin and end, each (boxes, sides).

    That is, by how many page pixels those edges lie further out than where the boxes were looked for.
    `boxes` is (boxes, 4, 2): corners on the page, clockwise from the top left; `unit` is page pixels per
    pixel of the small copy.
    """
    if not len(boxes):
        return np.empty((0, 4)), np.empty((0, 4))
    corners = np.moveaxis(boxes.astype(np.float32), 2, 0)  # x and y; top, right, bottom and left side
    along = np.roll(corners, -1, axis=2) - corners
    outward = np.stack([along[1], -along[0]]) / np.linalg.norm(along, axis=0)
    step = max(1.0, unit / 2)
    reach = step * np.arange(-round(INWARD * unit / step), round(OUTWARD * unit / step) + 1, dtype=np.float32)
    feet = corners[..., None] + PLACES * along[..., None]
    x, y = feet[..., None] + reach * outward[..., None, None]
    middle = _middle_of_five(*np.moveaxis(_brightness(page, x, y), 2, 0))
    darkness = middle.max(axis=2, keepdims=True) - middle
    inner, outer = _edges(darkness, reach, unit)
    return inner.astype(np.float64), outer.astype(np.float64)


def _brightness(page: npt.NDArray[np.uint8], x: Places, y: Places) -> npt.NDArray[np.int16]:
    """Return the brightness of the nearest pixels; beyond the page it is as at its edge."""
    columns, rows = x.reshape(len(x), -1), y.reshape(len(y), -1)
    found = cv2.remap(page, columns, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(x.shape).astype(np.int16)


def _middle_of_five(*five: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    one, two, three, four, last = five
    low = np.maximum(np.minimum(one, two), np.minimum(three, four))  # the lower two of each four go
    high = np.minimum(np.maximum(one, two), np.maximum(three, four))
    return np.maximum(np.minimum(low, high), np.minimum(last, np.maximum(low, high)))


def _edges(
    darkness: npt.NDArray[np.int16], reach: npt.NDArray[np.float32], unit: float
) -> tuple[Numbers, Numbers]:
    """Return where the line nearest to the middle of each profile begins and ends; 0 where there is none."""
    near = np.abs(reach) <= max(INWARD * unit, 1.0)
    peak = np.argmax(np.where(near, darkness, -1), axis=-1)[..., None]
    height = np.take_along_axis(darkness, peak, axis=-1)
    off_line = darkness < height / 2
    place, step = np.arange(len(reach)), reach[1] - reach[0]
    before, beyond = off_line & (place < peak), off_line & (place > peak)
    last_before = len(reach) - 1 - np.argmax(before[..., ::-1], axis=-1)
    is_line = height[..., 0] >= LEAST_CONTRAST
    inner = np.where(before.any(axis=-1) & is_line, reach[last_before] + step / 2, 0.0)
    end = np.where(beyond.any(axis=-1), reach[np.argmax(beyond, axis=-1)] - step / 2, reach[-1])
    outer = np.where(is_line, end, 0.0)  # where it goes on beyond what is looked at, it is as thick as that
    return inner, np.maximum(inner, outer)
