"""The page as it comes from a scan, and the fields that are found on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box, Quad


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One page of a scan.

    `grey` is (height, width) uint8, 0 black to 255 white, upright as its EXIF orientation says. `dpi` is what
    the file claims: a hint only, often wrong, None where the file says nothing.
    """

    grey: npt.NDArray[np.uint8]
    dpi: float | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """Printed boxes that belong together, from left to right, and where they stand on the page."""

    name: str  # r01c01: row and column in reading order
    cells: tuple[Quad, ...]  # the inner edges of their lines, to a pixel or two
    box: Box  # encloses the outer edges of the printed boxes
    holds_number: bool = False  # its only box is for a whole number, not for a digit
    goes_on: bool = False  # print beside it looks like one more box, which was not found
    for_ticks: bool = False  # its boxes are small and apart, as those that somebody ticks


@dataclass(frozen=True, slots=True)
class PageLayout:
    """What is printed on a page: its fields in reading order, and how far the paper is turned."""

    fields: tuple[Field, ...]
    skew_degrees: float  # clockwise is positive


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """What stands in one printed box: the digit's glyph, or None where nobody wrote anything.

    `glyph` is (28, 28) uint8, light ink on black, by the recipe `segmentation.glyph.GLYPH_RECIPE`. `ink_box`
    encloses the ink in page pixels (of a blank cell: the printed box). `doubts` names what makes the cut
    uncertain, in a few words. `pieces` counts what hangs together of the ink: a digit is one, now and then
    two; a ring and what is printed in it are more. What `may_be_line` is thin and lies along a side of the
    box or reaches from its top to its bottom, as a 1 seldom does.
    """

    glyph: npt.NDArray[np.uint8] | None
    ink_box: Box
    doubts: tuple[str, ...] = ()
    pieces: int = 1
    may_be_line: bool = False
