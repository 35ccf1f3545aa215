"""One page, from grey pixels to what its fields say. Knows no file, queue, database or clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.page import Cell, Field, Page
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


def read_page(
    page: Page, classify: Classify, rules: ReadingRules | None = None, *, stage: Stage = nullcontext
) -> PageReading:
    """Find the fields of a page and read every digit in them.

    A page on which no boxes are found gives a reading without fields, not an error.
    """
    rules = rules or ReadingRules()
    with stage("find"):
        layout = find_fields(page)
    with stage("cut"):
        cells = cut_cells(page, layout.fields)
    with stage("read"):
        probabilities = iter(_classify_cells(cells, classify))
        fields = tuple(
            _read_field(
                field,
                row,
                [next(probabilities) if cell.glyph is not None else () for cell in row],
                rules,
            )
            for field, row in zip(layout.fields, cells, strict=True)
        )
    return PageReading(fields, layout.skew_degrees)


def _classify_cells(cells: Sequence[Sequence[Cell]], classify: Classify) -> list[Probabilities]:
    """Return the probabilities of all glyphs of a page, in order, from one call."""
    glyphs = [cell.glyph for row in cells for cell in row if cell.glyph is not None]
    return classify(np.stack(glyphs)).tolist() if glyphs else []


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
