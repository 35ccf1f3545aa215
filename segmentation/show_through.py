"""What shows through from the back of a sheet: pale lines behind dark boxes.

Paper lets a part of the darkness on its back through, so much that lines and boxes are seen which are not on
this page. A page's own boxes may be as pale, in grey or in a colour that scanners drop; but nobody prints
lines across other boxes, and what is on the back does not keep clear of them.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.bits import packed
from segmentation.boxes import WIDEST, PrintedBoxes
from segmentation.lines import Lines, Mask

OFF_WALL = 3  # px within a box's sides, where their lines end
DIVIDES = 0.9  # of a box's height that a line between two digits takes at least
FEWEST_PALE = 0.06  # of a page's lines, which a back with boxes or tables has; of watermarks few are straight
FEWEST_CROSSED = 2  # boxes with a line behind them; a pencil's stroke may be as straight in one


def pale_lines(lines: Lines, pale: Mask) -> Lines | None:
    """Return what of the lines is pale, None where that is little: of a watermark's print, as a rule."""
    bits = packed(pale)
    found = Lines(lines.level_bits & bits, lines.upright_bits & bits, lines.width)
    return found if _length(found) >= FEWEST_PALE * _length(lines) else None


def lie_behind(pale: Lines, boxes: PrintedBoxes) -> bool:
    """Tell whether pale lines lie behind dark boxes: level ones, or upright ones that end within.

    An upright line from top to bottom divides a box, and in a wide one there may be ticks.
    """
    narrow = boxes.width < WIDEST * boxes.height
    inner = (boxes.left + OFF_WALL, boxes.top + OFF_WALL, boxes.right - OFF_WALL, boxes.bottom - OFF_WALL)
    crossed = 0
    for edges, is_narrow in zip(np.rint(inner).astype(int).T.tolist(), narrow.tolist(), strict=True):
        left, top, right, bottom = (max(0, edge) for edge in edges)
        columns = pale.upright[top:bottom, left:right].mean(axis=0) / 255 if is_narrow else np.zeros(1)
        ends_within = 0 < columns.max(initial=0.0) < DIVIDES
        crossed += bool(ends_within or pale.level[top:bottom, left:right].any())
    return crossed >= FEWEST_CROSSED


def _length(lines: Lines) -> int:
    return cv2.countNonZero(lines.level) + cv2.countNonZero(lines.upright)
