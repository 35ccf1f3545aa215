from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.glyph import Glyph
from tests.training.made_digits import made_digits
from training.forms import cells
from training.forms.cells import random_manner, random_row, write_in_cells
from training.forms.ink import Ink, crop

DIGITS = made_digits(80)
INKS = [crop(glyph) for glyph in DIGITS.glyphs]
ROWS = 40


def rows_of(inks: list[Ink], seed: int = 0) -> list[list[Glyph | None]]:
    return [
        write_in_cells(inks[start : start + 8], np.random.default_rng((seed, row)))
        for row in range(ROWS)
        for start in [8 * (row % 10)]
    ]


def pixels(row: list[Glyph | None]) -> list[bytes]:
    return [b"" if glyph is None else glyph.tobytes() for glyph in row]


def likeness(a: Glyph, b: Glyph) -> float:
    return float(np.corrcoef(cv2.blur(a, (5, 5)).ravel(), cv2.blur(b, (5, 5)).ravel())[0, 1])


def test_most_digits_come_back_from_their_cells_and_look_like_what_was_written() -> None:
    likenesses = []
    for row, cut in enumerate(rows_of(INKS)):
        written = DIGITS.glyphs[8 * (row % 10) :][:8]
        likenesses += [
            likeness(before, after) for before, after in zip(written, cut, strict=True) if after is not None
        ]

    assert len(likenesses) > 0.9 * ROWS * 8
    assert np.median(likenesses) > 0.8
    assert np.mean(np.array(likenesses) > 0.4) > 0.95


def test_no_two_cells_come_out_alike() -> None:
    glyphs = [glyph.tobytes() for row in rows_of(INKS[:1] * 80) for glyph in row if glyph is not None]

    assert len(set(glyphs)) > 0.99 * len(glyphs)


def test_the_same_seed_gives_the_same_glyphs_and_another_gives_others() -> None:
    first, again, other = (write_in_cells(INKS[:8], np.random.default_rng(seed)) for seed in (3, 3, 4))

    assert pixels(first) == pixels(again) != pixels(other)


def test_a_blank_cell_gives_no_glyph_although_digits_stand_beside_it() -> None:
    blank = np.zeros((20, 14), np.uint8)
    cut = [
        glyph
        for row in range(ROWS)
        for glyph in write_in_cells([INKS[0], blank, INKS[1]], np.random.default_rng(row))[1::2]
    ]

    assert cut == [None] * ROWS


def test_digits_that_are_partly_beside_their_box_get_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = []
    for least in (0.0, cells.LEAST_WITHIN, 0.999):
        monkeypatch.setattr(cells, "LEAST_WITHIN", least)
        left_out.append(sum(glyph is None for row in rows_of(INKS) for glyph in row))

    assert left_out[0] < left_out[1] < left_out[2]


def test_rows_have_boxes_of_every_kind_and_writers_of_every_size() -> None:
    rng = np.random.default_rng(0)
    rows = [random_row(rng) for _ in range(300)]
    manners = [random_manner(row, rng) for row in rows]

    assert min(row.width for row in rows) < 20
    assert max(row.width for row in rows) > 100
    assert {row.gap > 0 for row in rows} == {row.is_table for row in rows} == {True, False}
    assert min(manner.height for manner in manners) < 0.45
    assert max(manner.height for manner in manners) > 0.9
    assert all(manner.tone < row.paper_tone for row, manner in zip(rows, manners, strict=True))
