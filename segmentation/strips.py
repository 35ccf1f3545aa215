"""Patches of the same size side by side, so that one step is taken for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]


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


def as_one_image(grey: Grey) -> Grey:
    """Return (height, boxes, width) as (height, boxes * width)."""
    return grey.reshape(len(grey), -1)


def places_in(strips: Sequence[Strip]) -> Iterator[slice]:
    """Yield where each strip's boxes are among those of all."""
    ends = np.cumsum([0, *map(len, strips)]).tolist()
    yield from (slice(*each) for each in pairwise(ends))
