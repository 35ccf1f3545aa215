"""Whole drawn pages, found and cut as the worker does: what calibration and error curves are measured on.

Nothing on them was trained on: validation digits and hands of other seeds, with marks in some of the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.geometry import Box
from training.dataset import Glyphs, LabelledGlyphs
from training.forms import (
    BLANK,
    DigitSource,
    PastedDigits,
    PenDigits,
    TrueField,
    draw_spec,
    random_hand,
    random_spec,
)
from training.forms.ink import Ink
from training.forms.marks import draw_mark
from training.kept import Arrays, keep
from training.model_card import CLASSES, DIGITS, OTHER
from training.paper import PAPER_VERSION, TRAINED_MARKS, class_of_mark, digest

PAGES = 2_000  # 20,000 fields: enough to vouch for one error in 1,000 of them
FIRST_SEED = 1_000_000  # of the pages; benchmarks and tests draw with small numbers
PAGES_VERSION = "3"  # part of the cached file's key: whoever changes what pages hold gives it another number
MARKED_SHARE = 0.02  # of the boxes written into; real forms range from none to whole struck columns
LEAST_OVERLAP = 0.5  # intersection over union from which a found field is a true one

PAGE, FIELD, GLYPH, TRUTH = range(4)  # columns of the table of cells
BLANK_CELL = len(CLASSES)  # nobody wrote here
UNKNOWN = BLANK_CELL + 1  # the boxes were found otherwise than printed
NO_GLYPH = -1
NO_VALUE = "?"  # as it is kept


@dataclass(frozen=True, slots=True, eq=False)
class CutPages:
    """Fields found on pages and what truly stands in them.

    `cells` is (n, 4) int32, a row a printed box as it was found, in reading order: the numbers of its PAGE
    and FIELD, the index of its GLYPH or NO_GLYPH, and in TRUTH the index in CLASSES of what is in it, or
    BLANK_CELL or UNKNOWN. `values` are the true digits of each field, blanks left out; None where something
    in it is neither digit nor struck, and for a field that nobody printed. `may_be_parts` tells of each field
    whether it may be a part of one: no confidence makes the worker accept that.
    """

    glyphs: Glyphs
    cells: npt.NDArray[np.int32]
    values: tuple[str | None, ...]
    may_be_parts: tuple[bool, ...]

    def of_glyphs(self, column: int) -> npt.NDArray[np.int32]:
        """Return a column of `cells`, of those that have a glyph."""
        return np.asarray(self.cells[self.cells[:, GLYPH] != NO_GLYPH, column])


def calibration_pages(
    digits: LabelledGlyphs, cache: Path, *, pages: int = PAGES, first_seed: int = FIRST_SEED
) -> CutPages:
    """Return drawn pages, half of them written with `digits`, cut; kept as a file in `cache`."""

    def make() -> Arrays:
        cut = _cut(PastedDigits(digits.glyphs, digits.labels), range(first_seed, first_seed + pages))
        values = [NO_VALUE if value is None else value for value in cut.values]
        return {
            "glyphs": cut.glyphs,
            "cells": cut.cells,
            "values": np.array(values),
            "may_be_parts": np.array(cut.may_be_parts),
        }

    made_by = f"{digest(digits)} {pages} {first_seed} {MARKED_SHARE} {PAPER_VERSION} {PAGES_VERSION}"
    kept = keep(cache, "pages", made_by, make)
    values = (None if value == NO_VALUE else value for value in kept["values"].tolist())
    return CutPages(kept["glyphs"], kept["cells"], tuple(values), tuple(kept["may_be_parts"].tolist()))


def _cut(digits: DigitSource, seeds: Sequence[int]) -> CutPages:
    glyphs: list[npt.NDArray[np.uint8]] = []
    cells: list[tuple[int, int, int, int]] = []
    values: list[str | None] = []
    may_be_parts: list[bool] = []
    for page, seed in enumerate(seeds):
        writer = _Writer(digits if seed % 2 else PenDigits(random_hand(np.random.default_rng((seed, 2)))))
        form = draw_spec(random_spec(seed), writer)
        written = iter(writer.written)
        true_cells = {
            field.name: [BLANK_CELL if each == BLANK else next(written) for each in field.value]
            for field in form.fields
        }
        found = find_fields(form.page).fields
        for field, row in zip(found, cut_cells(form.page, found), strict=True):
            true = _true_field(field.box, form.fields)
            truth = true_cells[true.name] if true else []
            for place, cell in enumerate(row):
                is_known = len(row) == len(truth)
                index = NO_GLYPH if cell.glyph is None else len(glyphs)
                cells.append((page, len(values), index, truth[place] if is_known else UNKNOWN))
                if cell.glyph is not None:
                    glyphs.append(cell.glyph)
            values.append(_value(truth) if true else None)
            may_be_parts.append(field.goes_on)
    return CutPages(np.stack(glyphs), np.array(cells, np.int32), tuple(values), tuple(may_be_parts))


class _Writer:
    """A digit source that makes a mark now and then where it should write, and keeps account of it."""

    def __init__(self, digits: DigitSource) -> None:
        self.digits = digits
        self.written: list[int] = []  # indices in CLASSES

    def __call__(self, digit: int, height_px: float, rng: np.random.Generator) -> Ink:
        if rng.random() >= MARKED_SHARE:
            self.written.append(digit)
            return self.digits(digit, height_px, rng)
        kind = str(rng.choice(TRAINED_MARKS))
        self.written.append(class_of_mark(kind))
        return draw_mark(kind, height_px, rng, self.digits)


def _true_field(box: Box, fields: Sequence[TrueField]) -> TrueField | None:
    overlaps = [field.box.intersection_over_union(box) for field in fields]
    best = int(np.argmax(overlaps))
    return fields[best] if overlaps[best] >= LEAST_OVERLAP else None


def _value(truth: Sequence[int]) -> str | None:
    if CLASSES.index(OTHER) in truth:
        return None
    return "".join(str(each) for each in truth if each < len(DIGITS))
