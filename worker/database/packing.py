"""Boxes and probabilities of all digits of a field in one small blob; a row per digit takes five times the
space.

Version 1, little endian: a byte 1, a byte with the number of classes, two int32 with the left top corner of
all boxes, then for each printed box its x, y (from that corner), width and height as uint16 and the runner-
up's class as a byte (255: blank, without probabilities), and last the float16 probabilities of each box
that is not blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box
from worker.readings import Reading

VERSION = 1
BLANK = 255
_HEADER = np.dtype([("version", "u1"), ("classes", "u1"), ("x", "<i4"), ("y", "<i4")])
_CELL = np.dtype([("x", "<u2"), ("y", "<u2"), ("width", "<u2"), ("height", "<u2"), ("runner_up", "u1")])


@dataclass(frozen=True, slots=True)
class CellDetail:
    """What is known of one printed box beside its label. A blank one has no runner-up and probabilities."""

    box: Box
    runner_up: int | None
    probabilities: tuple[float, ...]


def pack(readings: Sequence[Reading]) -> bytes:
    """Raises ValueError for boxes that lie more than 65,535 pixels apart, or readings of different models."""
    classes = {len(reading.probabilities) for reading in readings if reading.probabilities}
    if len(classes) > 1:
        raise ValueError(f"readings of models with {sorted(classes)} classes in one field")
    x = min((reading.box.x for reading in readings), default=0)
    y = min((reading.box.y for reading in readings), default=0)
    header = np.array((VERSION, max(classes, default=0), x, y), _HEADER)
    boxes = [
        (reading.box.x - x, reading.box.y - y, reading.box.width, reading.box.height) for reading in readings
    ]
    if any(side > np.iinfo(np.uint16).max for box in boxes for side in box):
        raise ValueError(f"boxes of one field lie too far apart: {boxes}")
    cells = np.array(
        [(*box, _runner_up_class(reading)) for box, reading in zip(boxes, readings, strict=True)], _CELL
    )
    probabilities = [reading.probabilities for reading in readings if reading.probabilities]
    return header.tobytes() + cells.tobytes() + np.array(probabilities, "<f2").tobytes()


def unpack(detail: bytes, cells: int) -> tuple[CellDetail, ...]:
    """Return the detail of a field of so many printed boxes. Raises ValueError for another version."""
    if detail[0] != VERSION:
        raise ValueError(f"digit detail of version {detail[0]}, this program knows {VERSION}")
    header = np.frombuffer(detail, _HEADER, 1)[0]
    rows = np.frombuffer(detail, _CELL, cells, _HEADER.itemsize)
    packed = np.frombuffer(detail, "<f2", offset=_HEADER.itemsize + rows.nbytes)
    probabilities = iter(_restore(packed.reshape(-1, max(1, int(header["classes"])))))
    details = []
    for dx, dy, width, height, runner_up in rows.tolist():
        box = Box(int(header["x"]) + dx, int(header["y"]) + dy, width, height)
        if runner_up == BLANK:
            details.append(CellDetail(box, None, ()))
        else:
            details.append(CellDetail(box, runner_up, tuple(next(probabilities).tolist())))
    return tuple(details)


def _runner_up_class(reading: Reading) -> int:
    """Return the class of the second best, kept because rounding may leave several that look alike."""
    if not reading.probabilities:
        return BLANK
    return int(np.argsort(reading.probabilities)[-2])


def _restore(packed: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Take the largest from the rest: float16 is fine near 0 and coarse near 1."""
    probabilities = packed.astype(np.float32)
    rows, best = np.arange(len(packed)), packed.argmax(axis=1)
    probabilities[rows, best] = 0
    probabilities[rows, best] = 1 - probabilities.sum(axis=1)
    return probabilities
