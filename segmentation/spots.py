"""What hangs together in a mask of bits: spots, each as the stretches of rows that it consists of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.bits import WORD, Bits, Places, stretches
from segmentation.lines import ranges


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Stretches of bits, an entry each: the row, and the first and the last pixel in it.

    Those of one spot follow each other, from top to bottom; `starts` are the first ones, an entry a spot.
    """

    row: Places
    first: Places
    last: Places
    starts: Places

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, which: Places | npt.NDArray[np.bool_]) -> Spots:
        starts, ends = self.starts[which], self._ends[which]
        _, of = ranges(starts, ends)
        return Spots(self.row[of], self.first[of], self.last[of], np.cumsum(ends - starts) - (ends - starts))

    @property
    def left(self) -> Places:
        return np.asarray(np.minimum.reduceat(self.first, self.starts))

    @property
    def right(self) -> Places:
        return np.asarray(np.maximum.reduceat(self.last, self.starts))

    @property
    def top(self) -> Places:
        return self.row[self.starts]

    @property
    def bottom(self) -> Places:
        return self.row[self._ends - 1]

    @property
    def width(self) -> Places:
        return self.right - self.left + 1

    @property
    def _ends(self) -> Places:
        return np.append(self.starts, len(self.row))[1:]

    def rows_of_columns(self) -> tuple[Places, Places, Places]:
        """Return the first and the last row of each column of each spot, and where its columns begin."""
        left, width = self.left, self.width
        starts = np.cumsum(width) - width
        of = np.repeat(starts - left, self._ends - self.starts)
        stretch, x = ranges(self.first, self.last + 1)
        column, row = of[stretch] + x, self.row[stretch]
        upper, lower = np.empty((2, int(width.sum())), np.intp)
        lower[column] = row  # of several values for a place the last one stays
        upper[column[::-1]] = row[::-1]
        return upper, lower, starts


def find_spots(bits: Bits) -> Spots:
    """Return the spots of a mask, in the order of their first bits; what meets at corners hangs together."""
    first, last, width = stretches(bits)
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


def columns(bits: Bits, left: Places, top: Places, right: Places, bottom: Places) -> tuple[Places, Places]:
    """Return the columns in which rectangles have bits, with the rectangle of each, from left to right.

    Rectangles lie on the page; their right and lower edges belong to them.
    """
    rect, word = ranges(left // WORD, right // WORD + 1)
    of, row = ranges(top[rect], bottom[rect] + 1)
    seen = np.bitwise_or.reduceat(bits[row, word[of]], np.flatnonzero(np.diff(of, prepend=-1)))
    nth, within = np.nonzero(np.unpackbits(seen[:, None].view(np.uint8), axis=1, bitorder="little"))
    rect, column = rect[nth], WORD * word[nth] + within
    there = (column >= left[rect]) & (column <= right[rect])
    return rect[there], column[there]
