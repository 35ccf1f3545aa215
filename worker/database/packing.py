"""Boxes and probabilities of all digits of a field in one small blob; rows would take five times the space.

Version 1, little endian: a byte 1, a byte with the number of classes, two int32 with the left top corner of
all boxes, then for each printed box its x, y (from that corner), width and height as uint16 and the runner-
up's class as a byte (255: blank, without probabilities), and last the float16 probabilities of each box
that is not blank.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from segmentation.geometry import Box
from training.model_card import CLASSES
from worker.readings import Reading

VERSION = 1
BLANK = 255
_HEADER = struct.Struct("<BBii")
_CELL = struct.Struct("<HHHHB")


@dataclass(frozen=True, slots=True)
class CellDetail:
    """What is known of one printed box beside its label. A blank one has no runner-up and probabilities."""

    box: Box
    runner_up: int | None
    probabilities: tuple[float, ...]


def pack(readings: Sequence[Reading]) -> bytes:
    """Raises ValueError for boxes more than 65,535 pixels apart, or readings of different models."""
    classes = {len(reading.probabilities) for reading in readings if reading.probabilities}
    if len(classes) > 1:
        raise ValueError(f"readings of models with {sorted(classes)} classes in one field")
    x = min((reading.box.x for reading in readings), default=0)
    y = min((reading.box.y for reading in readings), default=0)
    try:
        cells = [
            _CELL.pack(box.x - x, box.y - y, box.width, box.height, _class_of(reading.runner_up))
            for reading in readings
            for box in (reading.box,)
        ]
    except struct.error as error:
        raise ValueError(
            f"boxes of one field lie too far apart: {[each.box for each in readings]}"
        ) from error
    probabilities = [probability for reading in readings for probability in reading.probabilities]
    packed = struct.pack(f"<{len(probabilities)}e", *probabilities)
    return _HEADER.pack(VERSION, max(classes, default=0), x, y) + b"".join(cells) + packed


def unpack(detail: bytes, cells: int) -> tuple[CellDetail, ...]:
    """Return the detail of a field of so many printed boxes. Raises ValueError for another version."""
    version, classes, x, y = _HEADER.unpack_from(detail)
    if version != VERSION:
        raise ValueError(f"digit detail of version {version}, this program knows {VERSION}")
    start = _HEADER.size + cells * _CELL.size
    remaining = struct.iter_unpack(f"<{classes}e", detail[start:]) if classes else iter(())
    return tuple(
        CellDetail(
            Box(x + dx, y + dy, width, height),
            runner_up if runner_up != BLANK else None,
            _restore(next(remaining)) if runner_up != BLANK else (),
        )
        for dx, dy, width, height, runner_up in _CELL.iter_unpack(detail[_HEADER.size : start])
    )


def _class_of(label: str | None) -> int:
    return BLANK if label is None else CLASSES.index(label)


def _restore(packed: tuple[float, ...]) -> tuple[float, ...]:
    """Take the largest from the rest: float16 is fine near 0 and coarse near 1."""
    best = packed.index(max(packed))
    rest = sum(packed) - packed[best]
    return (*packed[:best], 1 - rest, *packed[best + 1 :])
