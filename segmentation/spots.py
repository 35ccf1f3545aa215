"""What hangs together in a mask of bits: spots, each as the stretches of rows that it consists of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.bits import Bits, moved, places
from segmentation.lines import ranges

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Stretches of bits, an entry each: the row, and the first and the last pixel in it.

    Those of one spot follow each other, from top to bottom; `starts` are the first ones, an entry a spot.
    """

    row: Places
    first: Places
    last: Places
    starts: Places

    @property
    def left(self) -> Places:
        return np.asarray(np.minimum.reduceat(self.first, self.starts)) if len(self) else self.first

    @property
    def right(self) -> Places:
        return np.asarray(np.maximum.reduceat(self.last, self.starts)) if len(self) else self.last

    @property
    def top(self) -> Places:
        return self.row[self.starts]

    @property
    def bottom(self) -> Places:
        return np.asarray(np.maximum.reduceat(self.row, self.starts)) if len(self) else self.row

    def __len__(self) -> int:
        return len(self.starts)


def find_spots(bits: Bits) -> Spots:
    """Return the spots of a mask, in the order of their first bits; what meets at corners hangs together."""
    (first, width), (last, _) = places(bits & ~moved(bits, 1)), places(bits & ~moved(bits, -1))
    below = np.searchsorted(last, first + width - 1)  # of each stretch, those in the next row that touch it
    above, under = ranges(below, np.searchsorted(first, last + width + 1, "right"))
    spot = np.arange(len(first))
    spot[under] = above
    while not np.array_equal(spot[above], spot[under]) or not np.array_equal(spot, spot[spot]):
        one, other = spot[above], spot[under]
        np.minimum.at(spot, np.maximum(one, other), np.minimum(one, other))  # where a spot forks
        spot = spot[spot]
    order = np.argsort(spot, kind="stable")
    row, first = np.divmod(first[order], width)
    return Spots(row, first, last[order] % width, np.flatnonzero(np.diff(spot[order], prepend=-1)))
