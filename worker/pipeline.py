"""One page, from grey pixels to what its fields say. Knows no file, queue, database or clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.page import Cell, Field, Page
from worker.readings import FieldReading, FieldStatus, PageReading, Reading

Classify = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""Glyphs (n, 28, 28) uint8 to probabilities (n, classes) float32; class i is the digit i."""

Stage = Callable[[str], AbstractContextManager[object]]
"""What the caller wraps round each named stage, to time it or to say where it failed."""


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """When a field may go without a person's look. Other rules make another reader."""

    accept_confidence: float = 0.9
    blank_confidence: float = 0.998  # of a box without ink; the share that docs/accuracy.md finds right


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
                [(cell, next(probabilities) if cell.glyph is not None else None) for cell in row],
                rules,
            )
            for field, row in zip(layout.fields, cells, strict=True)
        )
    return PageReading(fields, layout.skew_degrees)


def _classify_cells(cells: Sequence[Sequence[Cell]], classify: Classify) -> npt.NDArray[np.float32]:
    """Return the probabilities of all glyphs of a page, in order, from one call."""
    glyphs = [cell.glyph for row in cells for cell in row if cell.glyph is not None]
    if not glyphs:
        return np.empty((0, 0), np.float32)
    return classify(np.stack(glyphs))


def _read_field(
    field: Field, cells: Sequence[tuple[Cell, npt.NDArray[np.float32] | None]], rules: ReadingRules
) -> FieldReading:
    readings = tuple(_read_cell(cell, probabilities, rules) for cell, probabilities in cells)
    value = "".join(reading.label or " " for reading in readings).strip()
    confidence = math.prod(reading.confidence for reading in readings)
    # A digit that touches its box is everyday writing: doubts about the cut explain a review and don't
    # cause one, except where they are all there is to say whether somebody wrote at all.
    doubts = tuple(dict.fromkeys(doubt for cell, _ in cells for doubt in cell.doubts))
    low = ("low confidence",) if value and confidence < rules.accept_confidence else ()
    gap = ("blank between digits",) if " " in value else ()
    if low or gap or (doubts and not value):
        status, reasons = FieldStatus.REVIEW, low + gap + doubts
    else:
        status, reasons = FieldStatus.ACCEPTED if value else FieldStatus.BLANK, ()
    return FieldReading(field.name, readings, value, confidence, status, reasons, field.box)


def _read_cell(cell: Cell, probabilities: npt.NDArray[np.float32] | None, rules: ReadingRules) -> Reading:
    if probabilities is None:
        return Reading("", rules.blank_confidence, None, (), cell.ink_box)
    best, second = np.argsort(probabilities)[-1:-3:-1]
    return Reading(
        str(best), float(probabilities[best]), str(second), tuple(probabilities.tolist()), cell.ink_box
    )
