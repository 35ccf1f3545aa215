"""A page of one kind of boxes among much that is no digit field, in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.forms.box_kinds import BoxKind, BoxStyle, cells_of, print_boxes
from training.forms.distractors import HEIGHTS, Block, Distractor, print_block, print_margins
from training.forms.layout import A4_HEIGHT, A4_WIDTH, MARGIN, random_words
from training.forms.press import Press
from training.forms.sheet import BLANK, Rect, Sheet

ROW_SPACING = 5.0  # white between two rows of fields
MOST_ABOVE = 85.0  # mm from the top, where fields start at the latest
LEAST_FIELDS, MOST_FIELDS = 6, 13
FIELDS_END = 200.0  # mm from the top at the latest, so that something else fits below
MOST_DIGITS = 10  # of a whole number
ALL_BLANK, SOME_BLANK = 0.08, 0.3  # shares of fields


@dataclass(frozen=True, slots=True)
class Entry:
    """Where somebody writes, and what: one character of `value` a box, or a whole number in one box."""

    name: str
    cells: tuple[Rect, ...]  # the middle lines of the boxes' edges
    value: str
    line: float  # width of these edges


@dataclass(frozen=True, slots=True)
class HardSheet:
    """A page before anybody wrote on it."""

    sheet: Sheet
    kind: BoxKind
    entries: tuple[Entry, ...]
    blocks: tuple[Block, ...]


def lay_out_hard(style: BoxStyle, rng: np.random.Generator) -> HardSheet:
    """Return an A4 sheet with fields of one kind, and distractors above and below them."""
    press = Press(A4_WIDTH, A4_HEIGHT)
    fields_rng, blocks_rng = rng.spawn(2)
    print_margins(press, blocks_rng)
    press.print(MARGIN, MARGIN + 5, random_words(blocks_rng, 4).upper(), 3.6, bold=True)
    waiting = [Distractor(str(name)) for name in blocks_rng.permutation(list(Distractor))]
    above = int(blocks_rng.integers(0, 3))
    y, first = _blocks(press, waiting[:above], MARGIN + 14, MOST_ABOVE, blocks_rng)
    y, entries = lay_fields(press, y, style, fields_rng)
    _, last = _blocks(press, waiting[above:], y + ROW_SPACING, A4_HEIGHT - MARGIN, blocks_rng)
    return HardSheet(press.sheet(), style.kind, entries, (*first, *last))


def _blocks(
    press: Press, kinds: Sequence[Distractor], y: float, end: float, rng: np.random.Generator
) -> tuple[float, list[Block]]:
    """Print those distractors that fit between `y` and `end`; return where they end, and them."""
    blocks = []
    for kind in kinds:
        if y + HEIGHTS[kind] <= end:
            blocks.append(print_block(press, kind, y, rng))
            y = blocks[-1].rect.bottom
    return y, blocks


def lay_fields(
    press: Press, y: float, style: BoxStyle, rng: np.random.Generator
) -> tuple[float, tuple[Entry, ...]]:
    """Print fields from `y` on; return where they end, and the fields."""
    count = int(rng.integers(LEAST_FIELDS, MOST_FIELDS + 1))
    if style.kind is BoxKind.TABLE:
        return _table(press, y, style, count, rng)
    return _rows(press, y, style, count, rng)


def _rows(
    press: Press, y: float, style: BoxStyle, count: int, rng: np.random.Generator
) -> tuple[float, tuple[Entry, ...]]:
    """Print a label and a field, from left to right; where one doesn't fit, start a new row."""
    has_prompts = style.kind is BoxKind.WHOLE and rng.random() < 0.5
    spacing = ROW_SPACING + (3.0 if has_prompts else 0.0)
    row, column, x = 1, 1, MARGIN
    entries: list[Entry] = []
    y += spacing - ROW_SPACING
    for _ in range(count):
        value, cells = _field(style, rng)
        label = random_words(rng, int(rng.integers(1, 3)))
        label_width = 0.0 if has_prompts else 4.0 + 2.2 * len(label)
        width = cells[-1].right
        if column > 1 and x + label_width + width > A4_WIDTH - MARGIN:
            row, column, x = row + 1, 1, MARGIN
            y += style.height + spacing
            if y + style.height > FIELDS_END:
                return y, tuple(entries)
        if has_prompts:
            press.print(x + 1, y - 1.5, value.replace(BLANK, ""), 2.2)
        else:
            press.print(x, y + style.height * 0.65, label, 2.2)
        placed = tuple(Rect(cell.x + x + label_width, y, cell.width, cell.height) for cell in cells)
        print_boxes(press, placed, style, rng)
        entries.append(Entry(f"r{row:02d}c{column:02d}", placed, value, style.ruling.width_mm))
        x = placed[-1].right + float(rng.uniform(9.0, 16.0))
        column += 1
    return y + style.height + ROW_SPACING, tuple(entries)


def _field(style: BoxStyle, rng: np.random.Generator) -> tuple[str, tuple[Rect, ...]]:
    """Return a value and the boxes it goes into, at the origin."""
    if style.kind is BoxKind.WHOLE:
        digits = int(rng.integers(2, MOST_DIGITS + 1))
        width = style.height * (digits * float(rng.uniform(0.5, 0.75)) + 0.4)
        value = BLANK if rng.random() < ALL_BLANK else _digits(digits, rng)
        return value, (Rect(0.0, 0.0, width, style.height),)
    boxes = int(rng.integers(2, 9))
    return _value(boxes, rng), cells_of(style, 0.0, 0.0, boxes)


def _value(boxes: int, rng: np.random.Generator) -> str:
    blanks = boxes if rng.random() < ALL_BLANK else 0
    if not blanks and rng.random() < SOME_BLANK:
        blanks = int(rng.integers(0, boxes))
    return BLANK * blanks + _digits(boxes - blanks, rng)


def _digits(count: int, rng: np.random.Generator) -> str:
    return "".join(map(str, rng.integers(0, 10, count)))


def _table(
    press: Press, y: float, style: BoxStyle, count: int, rng: np.random.Generator
) -> tuple[float, tuple[Entry, ...]]:
    """Print a table: a running number, words, and the digit boxes as its last columns."""
    boxes, ruling = int(rng.integers(2, 5)), style.ruling
    text_x, digits_x = MARGIN + 9.0, A4_WIDTH - MARGIN - boxes * style.width
    top = y + 7.0  # of the rows, below the table's head
    press.print(text_x + 3, y + 5, random_words(rng, 3).upper(), 2.2, bold=True)
    press.print(digits_x + 1, y + 5, random_words(rng, 1).upper()[: 2 * boxes], 2.2, bold=True)
    entries = []
    for index in range(count):
        row = top + index * style.height
        if row + style.height > FIELDS_END:
            break
        press.rule(MARGIN, row, digits_x, row, ruling)
        press.print(MARGIN + 3, row + style.height * 0.65, str(index + 1))
        press.print(text_x + 3, row + style.height * 0.65, random_words(rng, int(rng.integers(2, 6))))
        cells = cells_of(style, digits_x, row, boxes)
        print_boxes(press, cells, style, rng)
        entries.append(Entry(f"r{index + 1:02d}c01", cells, _value(boxes, rng), ruling.width_mm))
    bottom = top + len(entries) * style.height
    press.outline(Rect(MARGIN, y, A4_WIDTH - 2 * MARGIN, bottom - y), ruling)
    press.rule(text_x, y, text_x, bottom, ruling)
    press.rule(digits_x, y, digits_x, top, ruling)
    return bottom + ROW_SPACING, tuple(entries)
