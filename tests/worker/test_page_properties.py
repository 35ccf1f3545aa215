"""What changes nothing for a person changes no value of a page, whatever the model makes of single digits."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from segmentation.page import Page
from training.forms import DrawnForm, draw_form
from worker.pipeline import read_page
from worker.recogniser import Recogniser

Grey = npt.NDArray[np.uint8]

VALUES = "4071 93 275 6480 __18"
SHIFTS = [(0, 3), (7, 0), (-5, 12)]
MARGINS = [(60, 20, 255), (25, 90, 0), (40, 40, 128)]


@pytest.fixture(scope="module")
def form() -> DrawnForm:
    return draw_form(VALUES, seed=2)


@pytest.fixture(scope="module")
def values(form: DrawnForm) -> Callable[[Grey], list[str]]:
    recogniser = Recogniser.load()

    def read(grey: Grey) -> list[str]:
        return [field.value for field in read_page(Page(np.ascontiguousarray(grey)), recogniser).fields]

    assert read(form.page.grey) == [value.strip("_") for value in VALUES.split()]
    return read


@pytest.mark.parametrize(("right", "down"), SHIFTS)
def test_a_shift_changes_no_value(
    form: DrawnForm, values: Callable[[Grey], list[str]], right: int, down: int
) -> None:
    move = np.array([[1.0, 0, right + 0.4], [0, 1, down + 0.3]])
    assert values(_warped(form.page.grey, move)) == values(form.page.grey)


@pytest.mark.parametrize("scale", [0.8, 0.93, 1.1, 1.3])
def test_another_resolution_changes_no_value(
    form: DrawnForm, values: Callable[[Grey], list[str]], scale: float
) -> None:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(form.page.grey, None, fx=scale, fy=scale, interpolation=how)
    assert values(np.asarray(scaled, np.uint8)) == values(form.page.grey)


@pytest.mark.parametrize("degrees", [-3.0, -1.2, 0.4, 3.0])
def test_a_small_turn_changes_no_value(
    form: DrawnForm, values: Callable[[Grey], list[str]], degrees: float
) -> None:
    height, width = form.page.grey.shape
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), np.float64)
    assert values(_warped(form.page.grey, turn)) == values(form.page.grey)


@pytest.mark.parametrize(("across", "down", "shade"), MARGINS)
def test_margins_of_whatever_shade_change_no_value(
    form: DrawnForm, values: Callable[[Grey], list[str]], across: int, down: int, shade: int
) -> None:
    larger = cv2.copyMakeBorder(
        form.page.grey, down, 2 * down, across, across // 2, cv2.BORDER_CONSTANT, value=(shade,)
    )
    assert values(np.asarray(larger, np.uint8)) == values(form.page.grey)


@pytest.mark.parametrize("contrast", [0.7, 0.85, 1.3])
def test_contrast_changes_no_value(
    form: DrawnForm, values: Callable[[Grey], list[str]], contrast: float
) -> None:
    toned = np.clip((form.page.grey - 128.0) * contrast + 128, 0, 255).astype(np.uint8)
    assert values(toned) == values(form.page.grey)


@pytest.mark.parametrize("gamma", [0.7, 1.4])
def test_gamma_changes_no_value(form: DrawnForm, values: Callable[[Grey], list[str]], gamma: float) -> None:
    toned = (255 * (form.page.grey / 255.0) ** gamma).astype(np.uint8)
    assert values(toned) == values(form.page.grey)


@pytest.mark.parametrize("paper", [255, 220])
def test_light_ink_on_dark_paper_reads_as_dark_ink_on_light_paper(
    form: DrawnForm, values: Callable[[Grey], list[str]], paper: int
) -> None:
    assert values(paper - np.minimum(form.page.grey, paper)) == values(form.page.grey)


def _warped(grey: Grey, how: npt.NDArray[np.float64]) -> Grey:
    size = grey.shape[1], grey.shape[0]
    return np.asarray(cv2.warpAffine(grey, how, size, borderValue=(255,)), np.uint8)
