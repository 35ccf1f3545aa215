"""A seeded sample of `make accuracy`, with its floors."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.accuracy_page import accuracy_page
from benchmarks.accuracy_runs import (
    ReadPage,
    boxed_fields,
    drawn_floors,
    read_drawn,
    read_real,
    validation_digits,
)
from benchmarks.contact_sheets import write_contact_sheets
from tests.conftest import SHARED_DATA
from worker.recogniser import Recogniser

SAMPLE = range(100, 118)  # three of every kind of boxes and source of digits, none of them in the full run


def three(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Classify everything as a 3."""
    return np.tile(np.eye(10, dtype=np.float32)[3], (len(glyphs), 1))


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load()


@pytest.fixture(scope="module")
def drawn(recogniser: Recogniser) -> list[ReadPage]:
    """Without MNIST all pages are written by pens of our own."""
    return list(read_drawn(recogniser, validation_digits(SHARED_DATA), SAMPLE))


def test_a_sample_of_drawn_pages_meets_the_floors(drawn: list[ReadPage]) -> None:
    missed = [f"{floor.measure}: {floor.value:.4f}" for floor in drawn_floors(drawn) if not floor.met]

    assert not missed


def test_a_recogniser_that_always_says_3_misses_the_floors_of_reading_only() -> None:
    pages = list(read_drawn(three, None, SAMPLE[:3]))

    missed = {floor.measure for floor in drawn_floors(pages) if not floor.met}
    assert missed == {"fields exact", "digit error"}


def test_real_election_forms_keep_their_boxes(recogniser: Recogniser, shared_data: Path) -> None:
    pages = list(read_real(recogniser, shared_data / "forms" / "kawalc1-c1"))

    assert boxed_fields(pages).fields_found >= 0.80


def test_the_accuracy_page_lists_every_miss_with_its_cause(
    recogniser: Recogniser, drawn: list[ReadPage]
) -> None:
    page = accuracy_page(recogniser, drawn_floors(drawn), drawn, {}, {})

    misses = [(page.name, score) for page in drawn for score in page.score.fields if score.miss]
    assert "synthetic" in page
    for name, score in misses:
        assert f"| {name} | {score.truth.name} | `{score.truth.value}` |" in page


def test_contact_sheets_show_what_was_missed_by_cause(tmp_path: Path) -> None:
    sheets = write_contact_sheets(tmp_path / "misses", list(read_drawn(three, None, [0])))

    assert tmp_path / "misses" / "misread-1.png" in sheets
    assert all(sheet.stat().st_size for sheet in sheets)
