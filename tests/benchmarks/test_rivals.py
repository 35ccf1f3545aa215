"""What Digitmill is compared with gets what it is said to get."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.placed_pages import REAL_SETS, PlacedPage, drawn_pages, real_pages
from benchmarks.rival_readers import cut_field, naive, only_digits, straighten, tesseract
from benchmarks.rivals import compare
from segmentation.geometry import Point, Quad
from segmentation.page import Page
from training.trials import REAL_PLACES
from worker.measures import Read


@pytest.fixture(scope="module")
def drawn() -> PlacedPage:
    return next(drawn_pages([4], None))


def lean(grey: npt.NDArray[np.uint8], corners: list[tuple[float, float]]) -> float:
    """How much darker the upper left quarter of what a quad shows is than its other quarters."""
    upright = straighten(grey, Quad(*(Point(x, y) for x, y in corners)))
    height, width = upright.shape
    return float(upright.mean() - upright[: height // 2, : width // 2].mean())


def eights(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Read everything as an 8."""
    return np.tile(np.arange(12) == 8, (len(glyphs), 1)).astype(np.float32)


def true_digits(page: PlacedPage) -> list[str]:
    return [truth.digits for truth in page.truths]


def test_a_field_is_handed_over_as_one_reads_it() -> None:
    grey = np.full((100, 200), 255, np.uint8)
    cv2.rectangle(grey, (20, 20), (50, 40), (0,), -1)  # the upper left quarter of a field at (20, 20, 60, 40)
    corners = [(20.0, 20.0), (80.0, 20.0), (80.0, 60.0), (20.0, 60.0)]

    assert lean(grey, corners) > 100
    assert lean(grey, corners[2:] + corners[:2]) < -10  # upside down, the dark quarter is at the lower right


def test_the_outer_lines_of_a_field_are_cut_off(drawn: PlacedPage) -> None:
    whole = straighten(drawn.page.grey, drawn.places[0])
    cut = cut_field(drawn.page.grey, drawn.places[0])

    assert 0 < whole.shape[0] - cut.shape[0] <= 0.25 * whole.shape[0]
    assert cut[0].mean() > whole[0].mean()


def test_places_given_to_others_are_where_the_fields_are(drawn: PlacedPage) -> None:
    def read_truth(_page: Page, places: object) -> list[Read]:
        assert places == drawn.places
        return [Read("", tuple(truth.digits), truth.box) for truth in drawn.truths if truth.box]

    standing = compare({"truth": read_truth}, [drawn, drawn])["truth"]

    assert standing.tally.pages == 2
    assert standing.tally.exact == standing.tally.fields == 2 * len(drawn.truths)


def test_the_naive_recipe_reads_the_boxes_that_are_found_and_no_blank_ones(drawn: PlacedPage) -> None:
    tally = compare({"naive": naive(eights)}, [drawn])["naive"].tally

    assert tally.found == tally.fields
    assert set("".join(read.digits for read in naive(eights)(drawn.page, ()))) == {"8"}
    assert tally.blank_cells > tally.blanks_read == 0


def test_the_naive_recipe_cleans_nothing_but_by_a_threshold_if_told_to(drawn: PlacedPage) -> None:
    seen: list[npt.NDArray[np.uint8]] = []

    def look(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        seen.append(glyphs)
        return eights(glyphs)

    naive(look)(drawn.page, ())
    naive(look, thresholded=True)(drawn.page, ())

    grey, black_and_white = seen
    assert grey.mean() < 100  # paper is black to it
    assert (black_and_white == 255).sum() > 2 * (grey == 255).sum()
    assert grey.shape == black_and_white.shape == (sum(map(len, true_digits(drawn))), 28, 28)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_answers_for_each_field_in_turn() -> None:
    grey = np.full((300, 400), 255, np.uint8)
    places = []
    for number, value in enumerate(("1234", "", "5678")):
        top = 20 + 90 * number
        cv2.putText(grey, value, (30, top + 55), cv2.FONT_HERSHEY_DUPLEX, 1.6, (0,), 3, cv2.LINE_AA)
        places.append(
            Quad(*(Point(x, y) for x, y in ((10, top), (250, top), (250, top + 80), (10, top + 80))))
        )

    assert [read.digits for read in tesseract()(Page(grey), places)] == ["1234", "", "5678"]


def test_of_all_characters_only_digits_are_left_to_choose() -> None:
    @dataclass
    class Decoder:
        character: list[str]

        def __call__(self, probabilities: npt.NDArray[np.float32]) -> list[str]:
            return [self.character[step] for step in probabilities[0].argmax(axis=-1)]

    steps = np.array([[[0.1, 0.5, 0.4, 0.0], [0.3, 0.6, 0.1, 0.0], [0.0, 0.1, 0.2, 0.7]]], np.float32)
    decode = Decoder(["blank", "O", "0", " "])

    assert decode(steps) == ["O", "O", " "]
    assert only_digits(decode)(steps) == ["0", "blank", " "]


def test_every_field_of_the_real_scans_has_a_place(shared_data: Path) -> None:
    for name in REAL_SETS:
        for page in real_pages(shared_data / "forms" / name):
            height, width = page.page.grey.shape
            for place in page.places:
                assert all(0 <= corner.x <= width and 0 <= corner.y <= height for corner in place.corners)


def test_marked_places_are_boxes_of_files_in_the_sets() -> None:
    places = json.loads(REAL_PLACES.read_text("utf-8"))

    assert {file.split("/")[0] for file in places} < set(REAL_SETS)
    assert all(len(box) == 4 for fields in places.values() for box in fields.values())
