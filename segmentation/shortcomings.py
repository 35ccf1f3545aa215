"""Why nothing is found on a page: what a person who scans it again should know.

Each limit lies where no boxes were found any more on drawn A4 pages that were made smaller, darker or paler
step by step.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from segmentation.lines import find_print
from segmentation.page import Page
from segmentation.page_frame import working_copy

SHORTEST_PAGE = 650  # px of the longer side, 55 dpi on A4: at 700 boxes are found, at 600 on few pages
DARKEST_PAPER = 20  # grey level of the brightest tenth: at 26 boxes are found, at 14 none
LEAST_PRINT = 0.0002  # of the page's pixels: the lines of two small boxes are more
PALEST_PRINT = (
    14  # grey levels between paper and the darkest tenth of print: at 17 boxes are found, at 8 none
)


class Shortcoming(StrEnum):
    SMALL = "the page has too few pixels"
    DARK = "the page is too dark"
    EMPTY = "the page is empty"
    PALE = "the print is too pale"


def shortcoming(page: Page) -> Shortcoming | None:
    """Return what keeps boxes from being found on a page, None where it should show any that it has."""
    if max(page.grey.shape) < SHORTEST_PAGE:
        return Shortcoming.SMALL
    grey = working_copy(page.grey).grey
    if np.percentile(grey, 90) < DARKEST_PAPER:
        return Shortcoming.DARK
    printed = grey[find_print(grey) > 0]
    if len(printed) < LEAST_PRINT * grey.size:
        return Shortcoming.EMPTY
    if np.median(grey) - np.percentile(printed, 10) < PALEST_PRINT:
        return Shortcoming.PALE
    return None
