"""A sample of `python -m benchmarks.mutations`, and pages of noise beside a normal one."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.mutations import SLOW, read_mutated, usual_seconds
from segmentation.page import Page
from training.forms import draw_form
from worker.pipeline import read_page
from worker.recogniser import Recogniser

A4 = 3508, 2480  # px at 300 dpi
MOST = 3  # times a normal page
SEEDS = range(20_000, 20_020)  # none of them in the full run


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load()


def test_spoilt_pages_raise_nothing_come_out_well_formed_and_in_time(recogniser: Recogniser) -> None:
    outcomes = list(read_mutated(SEEDS, recogniser))
    longest = 2 * SLOW * usual_seconds(recogniser)  # twice, as other tests run beside it

    assert [each for each in outcomes if each.trouble or each.seconds > longest] == []
    assert any(each.fields for each in outcomes)


@pytest.mark.parametrize("two_shades", [False, True])
def test_a_page_of_noise_takes_at_most_three_times_a_normal_one(
    recogniser: Recogniser, two_shades: bool
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, A4, np.uint8)
    if two_shades:
        noise = np.where(noise < 128, 0, 255).astype(np.uint8)
    normal = draw_form(" ".join(["40718"] * 20), dpi=300, seed=1).page.grey

    assert least_seconds(noise, recogniser) <= MOST * least_seconds(normal, recogniser)


def least_seconds(grey: npt.NDArray[np.uint8], recogniser: Recogniser) -> float:
    """Return the CPU time of the quickest of four readings: load makes the others slower."""
    times = []
    for _ in range(4):
        before = time.process_time()
        read_page(Page(grey), recogniser)
        times.append(time.process_time() - before)
    return min(times)
