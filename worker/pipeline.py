"""One page, from grey pixels to what its fields say. Knows no file, queue, database or clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.glyph import GLYPH_SIDE
from segmentation.orientation import quarter_turns_upright, reads_well
from segmentation.page import Cell, Field, Page, PageLayout
from training.model_card import CLASSES, DIGITS, OTHER, STRUCK
from worker.decoding import NOTHING, Decoded, decode
from worker.readings import (
    BLANK_INSIDE,
    LOW_CONFIDENCE,
    NOT_A_DIGIT,
    STRUCK_INSIDE,
    FieldReading,
    FieldStatus,
    PageReading,
    Reading,
)

Classify = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""Glyphs (n, 28, 28) uint8 to probabilities (n, 10 to 12) float32, in the order of CLASSES.

The first ten are the digits; a model may know no more than these.
"""

Stage = Callable[[str], AbstractContextManager[object]]
"""What the caller wraps round each named stage, to time it or to say where it failed."""

Probabilities = Sequence[float]
"""Of one cell, in the order of CLASSES; empty where there is no ink."""

STRUCK_CONFIDENCE = 0.9  # from which on a field in which nothing counts needs no person's look

_STRUCK, _OTHER = CLASSES.index(STRUCK), CLASSES.index(OTHER)


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """When a field may go without a person's look. Other rules make another reader."""

    accept_confidence: float = 0.9  # of the whole field
    blank_confidence: float = 0.998  # of a box without ink; a calibrated model's card knows better


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What is found on a page that is turned by so many quarters, and what its glyphs may be."""

    layout: PageLayout
    cells: tuple[tuple[Cell, ...], ...]
    glyphs: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]

    @property
    def fields(self) -> list[npt.NDArray[np.uint8]]:
        """The glyphs of each field that has several boxes."""
        counts = [sum(cell.glyph is not None for cell in row) for row in self.cells]
        parts = np.split(self.glyphs, np.cumsum(counts)[:-1]) if counts else []
        return [part for part, row in zip(parts, self.cells, strict=True) if len(row) > 1]


def read_page(
    page: Page, classify: Classify, rules: ReadingRules | None = None, *, stage: Stage = nullcontext
) -> PageReading:
    """Find the fields of a page, whichever way up it lies, and read every digit in them.

    A page on which no boxes are found gives a reading without fields, not an error.
    """
    rules = rules or ReadingRules()
    look = _look_upright(page, classify, stage)
    probabilities = iter(look.probabilities.tolist())
    with stage("read"):
        fields = tuple(
            _read_field(
                field,
                row,
                [next(probabilities) if cell.glyph is not None else () for cell in row],
                rules,
            )
            for field, row in zip(look.layout.fields, look.cells, strict=True)
        )
    return PageReading(fields, look.layout.skew_degrees)


def _look_upright(page: Page, classify: Classify, stage: Stage) -> _Look:
    """Look at a page as it lies and, where that reads badly, at how its digits stand upright."""
    look = _look_at(page, 0, classify, stage)
    if reads_well(look.probabilities):
        return look
    sideways = None if look.fields else _look_at(page, 1, classify, stage)  # where rows are columns
    if sideways and sideways.fields:
        turns = 1 + quarter_turns_upright(sideways.fields, classify)
        if turns == 1 and reads_well(sideways.probabilities):
            return sideways
        turned = _look_at(page, turns, classify, stage)
        return turned if len(turned.glyphs) >= len(look.glyphs) else look
    turns = quarter_turns_upright(look.fields, classify)
    return _look_at(page, turns, classify, stage) if turns else look


def _look_at(page: Page, quarter_turns: int, classify: Classify, stage: Stage) -> _Look:
    with stage("find"):
        layout = find_fields(page, quarter_turns)
    with stage("cut"):
        cells = cut_cells(page, layout.fields)
        found = [cell.glyph for row in cells for cell in row if cell.glyph is not None]
        glyphs = np.stack(found) if found else np.empty((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    with stage("read"):
        probabilities = classify(glyphs) if found else np.empty((0, len(DIGITS)), np.float32)
    return _Look(layout, cells, glyphs, probabilities)


def _read_field(
    field: Field, cells: Sequence[Cell], probabilities: Sequence[Probabilities], rules: ReadingRules
) -> FieldReading:
    odds = [_cell_odds(each, rules) for each in probabilities]
    decoded = decode(odds)
    readings = tuple(map(_read_cell, cells, probabilities, decoded.cells, odds))
    status, reasons = _judge(cells, readings, decoded, rules)
    return FieldReading(field.name, readings, decoded.value, decoded.probability, status, reasons, field.box)


def _cell_odds(probabilities: Probabilities, rules: ReadingRules) -> list[float]:
    """Return a cell's row of Odds: a struck box holds nothing, and what is no digit is no part of a value."""
    if not probabilities:
        unseen = (1 - rules.blank_confidence) / len(DIGITS)
        return [unseen] * len(DIGITS) + [rules.blank_confidence]
    return [*probabilities[: len(DIGITS)], sum(probabilities[_STRUCK : _STRUCK + 1])]


def _read_cell(cell: Cell, probabilities: Probabilities, label: str, odds: Sequence[float]) -> Reading:
    confidence = odds[int(label) if label else NOTHING]
    if not probabilities:
        return Reading(label, confidence, None, (), cell.ink_box)
    own = CLASSES.index(label or STRUCK)
    others = (each for each in range(len(probabilities)) if each != own)
    runner_up = CLASSES[max(others, key=probabilities.__getitem__)]
    return Reading(label, confidence, runner_up, tuple(probabilities), cell.ink_box)


def _judge(
    cells: Sequence[Cell], readings: Sequence[Reading], decoded: Decoded, rules: ReadingRules
) -> tuple[FieldStatus, tuple[str, ...]]:
    """Return what becomes of a field and, where a person has to look at it, why."""
    written = [reading for reading in readings if reading.probabilities]
    digits = [place for place, reading in enumerate(readings) if reading.label]
    gaps = [reading for reading in readings[digits[0] : digits[-1]] if not reading.label] if digits else []
    least = rules.accept_confidence
    if not decoded.value:  # a model's error curve, which may allow less, counts numbers only
        least = max(least, STRUCK_CONFIDENCE)
    found = {
        LOW_CONFIDENCE: bool(written) and decoded.probability < least,
        NOT_A_DIGIT: any(_shows_no_digit(reading) for reading in written),
        BLANK_INSIDE: any(not reading.probabilities for reading in gaps),
        STRUCK_INSIDE: any(reading.probabilities for reading in gaps),
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    if reasons:
        # A digit that touches its box is everyday writing: doubts about the cut explain a review, no more.
        doubts = dict.fromkeys(doubt for cell in cells for doubt in cell.doubts)
        return FieldStatus.REVIEW, (*reasons, *doubts)
    if decoded.value:
        return FieldStatus.ACCEPTED, ()
    return FieldStatus.STRUCK if written else FieldStatus.BLANK, ()


def _shows_no_digit(reading: Reading) -> bool:
    other = reading.probabilities[_OTHER:]
    return bool(other) and other[0] == max(reading.probabilities)
