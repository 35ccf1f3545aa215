"""One page, from grey pixels to what its fields say. Knows no file, queue, database or clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from statistics import fmean, median

import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.geometry import enclosing_box
from segmentation.glyph import GLYPH_SIDE
from segmentation.lines import may_show_paler
from segmentation.negative import dark_on_light
from segmentation.orientation import (
    ENOUGH_GLYPHS,
    ENOUGH_PAIRS,
    FEW_PAIRS,
    MANY_PAIRS,
    Standing,
    lies_over,
    lies_sideways,
    reads_well,
    standing,
    turns_to_stand,
)
from segmentation.page import Cell, Field, Page, PageLayout
from segmentation.page_frame import working_copy
from segmentation.shortcomings import shortcoming
from segmentation.strings import CutString, choose, propose
from training.model_card import CLASSES, DIGITS, OTHER, STRUCK
from worker.decoding import NOTHING, Decoded, decode
from worker.readings import (
    BLANK_BEHIND,
    BLANK_INSIDE,
    FOR_A_TICK,
    LOW_CONFIDENCE,
    MAY_BE_LINE,
    NOT_A_DIGIT,
    PART_OF_FIELD,
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

LONGEST_NUMBER = 12  # digits in one box; what is longer are words
# The mean probability of the best digits in what is written and not struck, that digits have at least:
LEAST_LEGIBLE = 0.6  # words have less
LEAST_AT_LINES = 0.9  # where all of it touches its box: rings, ticks and rests of lines do
LEAST_IN_PIECES = 0.98  # where it is in pieces: rings with numbers in them, and dirt
NEVER_LEGIBLE = 1.1  # where all of it touches boxes as for ticks or is ringed, or most of it may be lines
IN_PIECES = 2.0  # pieces of ink in a box, on average; of 1,143 drawn fields of digits none has over 1.75
RINGED = 1.75  # likewise, where all of it touches its boxes: a ring in each, and what is printed in it
NO_DIGIT = [*[0.0] * len(DIGITS), 1.0]  # odds of a cell that is a part of no number
ENOUGH_BLANK = 10  # boxes without ink that make a blank form; fewer may be what a page shows on its side
LYING = 1.05  # width over height of a box on a page that may lie on its side
HABIT = 3  # numbers of a page with blank boxes behind them, from which on its writer leaves them blank
NO_BOXES = "no digit boxes found"
AT_LINES_CONFIDENCE = 0.97  # from which on a value is accepted where all of it touches its boxes, as rings do
STRUCK_CONFIDENCE = 0.9  # from which on a field in which nothing counts needs no person's look

_STRUCK, _OTHER = CLASSES.index(STRUCK), CLASSES.index(OTHER)


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """When a field may go without a person's look. Other rules make another reader."""

    accept_confidence: float = 0.9  # of the whole field
    blank_confidence: float = 0.998  # of a box without ink; a calibrated model's card knows better


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """What stands in a field: its cells, what they may be, and how sure it is that they are cut right."""

    cells: tuple[Cell, ...]
    probabilities: tuple[Probabilities, ...]
    confidence: float = 1.0
    no_number: bool = False  # it is words or a scribble, as a whole


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What is found on a page that is turned by so many quarters."""

    layout: PageLayout
    rows: tuple[_Row, ...]  # of the layout's fields

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        return np.array([each for row in self.rows for each in row.probabilities if each], np.float32)

    @property
    def glyphs(self) -> list[npt.NDArray[np.uint8]]:
        """The glyphs of each field that has several boxes or holds a whole number."""
        fields = zip(self.layout.fields, self.rows, strict=True)
        rows = [row for field, row in fields if len(field.cells) > 1 or field.holds_number]
        return [_stacked([cell.glyph for cell in row.cells if cell.glyph is not None]) for row in rows]

    @property
    def boxes(self) -> int:
        return sum(len(row.cells) for row in self.rows)

    @property
    def is_blank(self) -> bool:
        """Whether there are fields, and nobody wrote into any of them."""
        return bool(self.glyphs) and not any(map(len, self.glyphs))


def read_page(
    page: Page, classify: Classify, rules: ReadingRules | None = None, *, stage: Stage = nullcontext
) -> PageReading:
    """Find the fields of a page, whichever way up it lies, and read every digit in them.

    Light ink on dark paper is read as dark ink on light paper.
    A page on which no boxes are found gives a reading without fields, not an error.
    """
    rules = rules or ReadingRules()
    page = dark_on_light(page)
    look = _look_upright(page, classify, stage)
    with stage("read"):
        fields = _as_the_page_is_written(
            [_read_field(field, row, rules) for field, row in zip(look.layout.fields, look.rows, strict=True)]
        )
    return PageReading(fields, look.layout.skew_degrees, "" if fields else _why_nothing(page))


def _as_the_page_is_written(fields: Sequence[FieldReading]) -> tuple[FieldReading, ...]:
    """Return the fields, for review where boxes behind a number are blank or struck as few of the page are.

    Such a number may lack a digit, or be none: names and what stands in tables begin at the left.
    """
    behind = [_ends_before_its_boxes(field.readings) for field in fields]
    before = sum(_ends_before_its_boxes(field.readings[::-1]) for field in fields)
    if sum(behind) >= HABIT and sum(behind) > before:
        return tuple(fields)
    return tuple(
        replace(field, status=FieldStatus.REVIEW, reasons=(BLANK_BEHIND, *field.reasons))
        if is_behind
        else field
        for field, is_behind in zip(fields, behind, strict=True)
    )


def _ends_before_its_boxes(readings: Sequence[Reading]) -> bool:
    """Tell whether there is a digit in the first box and none in the last one."""
    return bool(readings[0].label) and not readings[-1].label


def _why_nothing(page: Page) -> str:
    """Return why a person has to look at a page on which no boxes are found."""
    found = shortcoming(page)
    return f"{NO_BOXES}: {found}" if found else NO_BOXES


def _look_upright(page: Page, classify: Classify, stage: Stage) -> _Look:
    """Look at a page as it lies and, where that reads badly, at how its digits and combs stand upright."""
    look = _look_at(page, 0, classify, stage)
    probabilities = look.probabilities
    well = reads_well(probabilities)
    if well and len(probabilities) >= ENOUGH_GLYPHS:
        return look
    as_it_lies, pale = standing(look.glyphs, classify), False
    if as_it_lies.is_doubtful and (standing_up := _look_as_combs_stand(page, as_it_lies, classify, stage)):
        return standing_up
    if well or (look.is_blank and look.boxes >= ENOUGH_BLANK):
        return look
    if as_it_lies.legible_pairs < ENOUGH_PAIRS or _boxes_lie(look.layout):
        sideways = _look_at(page, 1, classify, stage)
        turned = standing(sideways.glyphs, classify)
        seems_blank = look.is_blank and turned.legible_pairs < MANY_PAIRS
        if lies_sideways(as_it_lies, turned) and not seems_blank:
            return _upright_one(sideways, _look_at(page, 3, classify, stage), classify)
    if as_it_lies.legible_pairs < FEW_PAIRS and may_show_paler(working_copy(page.grey).grey):
        closer = _look_at(page, 0, classify, stage, pale=True)
        shown = standing(closer.glyphs, classify)
        if shown.legible_pairs >= MANY_PAIRS:
            look, as_it_lies, pale = closer, shown, True
    if as_it_lies.upright or not look.glyphs:
        return look
    turned_over = _look_at(page, 2, classify, stage, pale=pale)
    return turned_over if lies_over(as_it_lies, standing(turned_over.glyphs, classify)) else look


def _look_as_combs_stand(page: Page, as_it_lies: Standing, classify: Classify, stage: Stage) -> _Look | None:
    """Return a look at a page turned so that ticks stand on their lines, if it shows more digits."""
    with stage("find"):
        quarter_turns = turns_to_stand(page)
    if not quarter_turns:
        return None
    turned = _look_at(page, quarter_turns, classify, stage)
    stands = standing(turned.glyphs, classify)
    if stands.legible_pairs <= as_it_lies.legible_pairs:
        return None
    if not stands.upside_down:
        return turned
    # Combs with a closed top may hang from it as well as stand.
    return _upright_one(turned, _look_at(page, (quarter_turns + 2) % 4, classify, stage), classify)


def _upright_one(look: _Look, turned_over: _Look, classify: Classify) -> _Look:
    """Return which look has more of the digits on their feet."""
    one, other = (standing(each.glyphs, classify) for each in (look, turned_over))
    if one.votes == other.votes:
        return turned_over if other.legible_pairs > one.legible_pairs else look
    return turned_over if other.votes > one.votes else look


def _boxes_lie(layout: PageLayout) -> bool:
    """Tell whether most boxes in rows are wider than high, as digit boxes seldom are that stand upright."""
    cells = [cell for field in layout.fields if len(field.cells) > 1 for cell in field.cells]
    return bool(cells) and median(cell.width / cell.height for cell in cells) > LYING


def _look_at(
    page: Page, quarter_turns: int, classify: Classify, stage: Stage, *, pale: bool = False
) -> _Look:
    with stage("find"):
        layout = find_fields(page, quarter_turns, pale=pale)
    with stage("cut"):
        numbers = [field for field in layout.fields if field.holds_number]
        proposals = propose(page, [field.cells[0] for field in numbers])
        combs = [field for field in layout.fields if not field.holds_number]
        cells = cut_cells(page, combs)
        glyphs = [cell.glyph for row in cells for cell in row if cell.glyph is not None]
    with stage("read"):
        everything = np.concatenate([_stacked(glyphs), *(proposal.glyphs for proposal in proposals)])
        probabilities = classify(everything) if len(everything) else np.empty((0, len(DIGITS)), np.float32)
        of_cells = iter(probabilities[: len(glyphs)].tolist())
        rows = {field.name: _row_of(field, row, of_cells) for field, row in zip(combs, cells, strict=True)}
        done = len(glyphs)
        for field, proposal in zip(numbers, proposals, strict=True):
            end = done + len(proposal.cells)
            rows[field.name] = _number_row(field, choose(proposal, probabilities[done:end]))
            done = end
    return _Look(layout, tuple(rows[field.name] for field in layout.fields))


def _row_of(field: Field, cells: tuple[Cell, ...], probabilities: Iterator[Probabilities]) -> _Row:
    rows = tuple(next(probabilities) if cell.glyph is not None else () for cell in cells)
    written = [max(row[: len(DIGITS)]) for row in rows if row and row.index(max(row)) != _STRUCK]
    if written and fmean(written) < _least_legible(field, cells):
        return _Row(cells, rows, 1 - fmean(written), no_number=True)
    return _Row(cells, rows)


def _least_legible(field: Field, cells: Sequence[Cell]) -> float:
    """Return how legible digits must be, the more so the less all else about them looks like a field."""
    inked = [cell for cell in cells if cell.glyph is not None]
    if sum(cell.may_be_line for cell in inked) > max(1, len(inked) / 2):
        return NEVER_LEGIBLE
    pieces, all_touch = fmean(cell.pieces for cell in inked), all(cell.doubts for cell in cells)
    if all_touch and (field.for_ticks or pieces >= RINGED):
        return NEVER_LEGIBLE
    if pieces >= IN_PIECES:
        return LEAST_IN_PIECES
    return LEAST_AT_LINES if all_touch else LEAST_LEGIBLE


def _number_row(field: Field, cut: CutString) -> _Row:
    if not cut.cells:
        return _Row((Cell(None, enclosing_box(field.cells)),), ((),))
    rows = tuple(cut.probabilities.tolist())
    written = [max(row[: len(DIGITS)]) for row in rows if row.index(max(row)) != _STRUCK]
    illegible = bool(written) and fmean(written) < LEAST_LEGIBLE
    return _Row(cut.cells, rows, cut.confidence, illegible or len(rows) > LONGEST_NUMBER)


def _stacked(glyphs: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    return np.stack(glyphs) if glyphs else np.empty((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8)


def _read_field(field: Field, row: _Row, rules: ReadingRules) -> FieldReading:
    odds = [NO_DIGIT if row.no_number else _cell_odds(each, rules) for each in row.probabilities]
    if all(each.index(max(each)) == NOTHING for each in odds):
        # Where a digit may stand in each of several struck boxes, these chances would add up.
        odds = [[*[0.0] * len(DIGITS), each[NOTHING]] for each in odds]
    decoded = decode(odds)
    decoded = replace(decoded, probability=decoded.probability * row.confidence)
    readings = tuple(map(_read_cell, row.cells, row.probabilities, decoded.cells, odds))
    status, reasons = _judge(field, row, readings, decoded, rules)
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
    field: Field, row: _Row, readings: Sequence[Reading], decoded: Decoded, rules: ReadingRules
) -> tuple[FieldStatus, tuple[str, ...]]:
    """Return what becomes of a field and, where a person has to look at it, why."""
    written = [reading for reading in readings if reading.probabilities]
    digits = [place for place, reading in enumerate(readings) if reading.label]
    gaps = [reading for reading in readings[digits[0] : digits[-1]] if not reading.label] if digits else []
    ones_only = len(digits) > 1 and set(decoded.value) == {"1"}  # may be a frame, or rules to write on
    least = rules.accept_confidence
    if not decoded.value:  # a model's error curve, which may allow less, counts numbers only
        least = max(least, STRUCK_CONFIDENCE)
    if all(cell.doubts for cell in row.cells):
        least = max(least, AT_LINES_CONFIDENCE)
    in_pieces = len(row.cells) == 1 and not field.holds_number and row.cells[0].pieces > 1
    found = {
        LOW_CONFIDENCE: bool(written) and decoded.probability < least,
        NOT_A_DIGIT: row.no_number or any(_shows_no_digit(reading) for reading in written),
        BLANK_INSIDE: any(not reading.probabilities for reading in gaps),
        STRUCK_INSIDE: any(reading.probabilities for reading in gaps),
        PART_OF_FIELD: field.goes_on,
        MAY_BE_LINE: any(
            reading.label == "1" and (cell.may_be_line or (ones_only and cell.doubts))
            for reading, cell in zip(readings, row.cells, strict=True)
        ),
        FOR_A_TICK: (field.for_ticks or in_pieces) and len({readings[place].label for place in digits}) == 1,
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    if reasons:
        # A digit that touches its box is everyday writing: doubts about the cut explain a review, no more.
        doubts = dict.fromkeys(doubt for cell in row.cells for doubt in cell.doubts)
        return FieldStatus.REVIEW, (*reasons, *doubts)
    if decoded.value:
        return FieldStatus.ACCEPTED, ()
    return FieldStatus.STRUCK if written else FieldStatus.BLANK, ()


def _shows_no_digit(reading: Reading) -> bool:
    other = reading.probabilities[_OTHER:]
    return bool(other) and other[0] == max(reading.probabilities)
