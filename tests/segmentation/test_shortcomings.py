"""Why nothing is found on a page."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.page import Page
from segmentation.shortcomings import Shortcoming, shortcoming
from training.forms import draw_form


@pytest.fixture(scope="module")
def page() -> Page:
    return draw_form("4071 2533 275 7464").page


def changed(page: Page, factor: float, paper: int = 0) -> Page:
    """The page with its brightness scaled towards that of `paper`, and a scanner's grain."""
    grain = np.random.default_rng(0).normal(0, 2, page.grey.shape)
    return Page(np.clip(paper + (page.grey - float(paper)) * factor + grain, 0, 255).astype(np.uint8))


def test_a_page_as_it_should_be_has_no_shortcoming(page: Page) -> None:
    assert shortcoming(page) is None
    assert shortcoming(changed(page, 0.2)) is None
    assert shortcoming(changed(page, 0.2, paper=255)) is None


def test_a_page_that_is_too_dark_or_too_pale_says_so(page: Page) -> None:
    assert shortcoming(changed(page, 0.04)) is Shortcoming.DARK
    assert shortcoming(changed(page, 0.05, paper=255)) is Shortcoming.PALE


def test_an_empty_page_is_not_taken_for_a_pale_one(page: Page) -> None:
    assert shortcoming(Page(np.full((1400, 1000), 250, np.uint8))) is Shortcoming.EMPTY
    assert shortcoming(changed(page, 0.0, paper=240)) is Shortcoming.EMPTY


def test_a_thumbnail_has_too_few_pixels(page: Page) -> None:
    height, width = page.grey.shape
    small = cv2.resize(page.grey, (400 * width // height, 400), interpolation=cv2.INTER_AREA)

    assert shortcoming(Page(np.asarray(small, np.uint8))) is Shortcoming.SMALL
