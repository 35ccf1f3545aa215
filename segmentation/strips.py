"""Patches of the same size side by side, so that one step is taken for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int_]

MOST_TOGETHER = 128  # boxes whose pixels stay in a core's own memory from one step to the next


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Cut-out boxes of the same size, each upright with a margin round it that may hold its lines.

    `grey` is (height, boxes, width) uint8: all rows lie together, so that OpenCV may take them for one image.
    `margin` is in pixels, the same on each side.
    """

    grey: Grey
    margin: float

    def __len__(self) -> int:
        return int(self.grey.shape[1])

    @property
    def height(self) -> int:
        return int(self.grey.shape[0])

    @property
    def width(self) -> int:
        return int(self.grey.shape[2])

    def patch(self, index: int) -> Grey:
        """Return a single box, (height, width), as a view."""
        return self.grey[:, index]

    def within(self, margins: float) -> Grey:
        """Return what lies so many margins within the edge of each patch, as a view."""
        edge = int(margins * self.margin)
        return self.grey[edge : self.height - edge, :, edge : self.width - edge]


@dataclass(frozen=True, slots=True, eq=False)
class Rects:
    """One rectangle a box: the first column and row, and those after the last."""

    left: Indices
    top: Indices
    right: Indices
    bottom: Indices

    @property
    def width(self) -> Indices:
        return self.right - self.left

    @property
    def height(self) -> Indices:
        return self.bottom - self.top

    @property
    def edges(self) -> Indices:
        return np.stack([self.left, self.top, self.right, self.bottom])

    def of(self, boxes: Indices | slice) -> Rects:
        return Rects(self.left[boxes], self.top[boxes], self.right[boxes], self.bottom[boxes])

    def moved(self, right: int, down: int) -> Rects:
        return Rects(self.left + right, self.top + down, self.right + right, self.bottom + down)


def as_one_image(grey: Grey) -> Grey:
    """Return (height, boxes, width) as (height, boxes * width)."""
    return grey.reshape(len(grey), -1)


def places_in(strips: Sequence[Strip]) -> Iterator[slice]:
    """Yield where each strip's boxes are among those of all."""
    ends = np.cumsum([0, *map(len, strips)]).tolist()
    yield from (slice(*each) for each in pairwise(ends))
