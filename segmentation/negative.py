"""Pages whose paper is darker than what stands on it, as microfilm and some copies leave them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from segmentation.page import Page
from segmentation.page_frame import working_copy

DARK = 100  # grey level that more than half of a page is darker than: of its paper, a desk or dim light
SAMPLE = 8  # px, of which every one in a row and column tells how dark a page is
THICKEST_STROKE = 5  # px of the working copy: lines and strokes stand out, the white within letters less
CLEARLY = 1.5  # times that strokes stand out more as light ones; of drawn pages, twice or more


def dark_on_light(page: Page) -> Page:
    """Return the page with its grey shade inverted where its print is lighter than its paper."""
    if np.median(page.grey[::SAMPLE, ::SAMPLE]) >= DARK:
        return page
    grey = working_copy(page.grey).grey
    stroke = np.ones((THICKEST_STROKE, THICKEST_STROKE), np.uint8)
    dark, light = (
        float(cv2.morphologyEx(grey, how, stroke).sum()) for how in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)
    )
    inverted = np.asarray(cv2.bitwise_not(page.grey), np.uint8)
    return replace(page, grey=inverted) if light > CLEARLY * dark else page
