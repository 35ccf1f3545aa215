"""Forms at random: fields of every kind among headings, paragraphs, tables of words and signatures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.forms.press import Press
from training.forms.sheet import BLACK, BLANK, Colour, FieldKind, Rect, Ruling, Sheet

A4_WIDTH, A4_HEIGHT = 210.0, 297.0
MARGIN = 14.0
SMALL = 0.8  # of a box, in the header
FIELD_SPACING = 4.5  # white between two rows of fields

WORDS = """
station district total number of votes cast ballot papers received date issued officer reading meter
serial consumption previous current household members census area block student course section points
invoice amount sum carried forward signature witness please write one digit in each box with black pen
""".split()  # noqa: SIM905  forty quoted words read worse

COLOURS: dict[str, Colour] = {
    "black": BLACK,
    "grey": (140, 140, 140),
    "blue": (200, 120, 50),
    "green": (90, 150, 60),
    "red": (70, 70, 205),
    "orange": (60, 130, 225),
}

WATERMARK: Colour = (225, 220, 235)  # the real ones are about this pale


@dataclass(frozen=True, slots=True)
class LayoutSpec:
    """What a page shall hold: the fields' values, how their boxes are printed, what stands around them."""

    values: tuple[str, ...]
    kind: FieldKind = FieldKind.COMB
    box_width: float = 7.0  # mm
    box_height: float = 9.0  # mm
    gap: float = 2.0  # between separate boxes, mm
    large: float = 1.0  # every third field's boxes are this many times as large
    header: str = ""  # a comb of its own above everything, in boxes a fifth smaller
    ruling: Ruling = field(default_factory=Ruling)
    paragraphs: int = 1
    word_table: bool = True
    signatures: int = 2
    frame: bool = False
    watermark: bool = False


def lay_out(spec: LayoutSpec, rng: np.random.Generator) -> Sheet:
    """Return an A4 sheet of the spec, longer where the fields need it."""
    press = Press(A4_WIDTH, A4_HEIGHT, spec.ruling)
    if spec.watermark:
        _watermark(press)
    press.print(MARGIN, MARGIN + 5, random_words(rng, 4).upper(), 3.6, bold=True)
    y = _header(press, MARGIN + 12, spec) if spec.header else MARGIN + 12
    blocks = [paragraph] * spec.paragraphs + [word_table] * spec.word_table
    rng.shuffle(blocks)
    above = int(rng.integers(0, len(blocks) + 1))
    for block in blocks[:above]:
        y = block(press, y, rng)
    y = (_field_table if spec.kind is FieldKind.TABLE else _field_rows)(press, y, spec, rng)
    for block in blocks[above:]:
        y = block(press, y, rng)
    y = _signatures(press, y, spec.signatures, rng)
    press.height = max(A4_HEIGHT, y + MARGIN)
    if spec.frame:
        frame = Rect(MARGIN / 2, MARGIN / 2, A4_WIDTH - MARGIN, press.height - MARGIN)
        press.outline(frame, Ruling(0.6))
    return press.sheet()


# Each block is printed at `y` and returns where the next one starts.


def _header(press: Press, y: float, spec: LayoutSpec) -> float:
    width, height = spec.box_width * SMALL, spec.box_height * SMALL
    press.print(MARGIN, y + height * 0.65, "Form number", 2.2)
    press.boxes("header", Rect(MARGIN + 30, y, width, height), spec.header)
    return y + height + FIELD_SPACING


def _field_rows(press: Press, y: float, spec: LayoutSpec, rng: np.random.Generator) -> float:
    """Print fields from left to right with a label before each; where one doesn't fit, start a new row."""
    gap = spec.gap if spec.kind is FieldKind.SEPARATE else 0.0
    row, column, x = 1, 1, MARGIN
    row_height = spec.box_height * max(spec.large, 1.0)
    y += FIELD_SPACING
    for index, value in enumerate(spec.values):
        scale = spec.large if index % 3 == 2 else 1.0
        box_width, box_height = spec.box_width * scale, spec.box_height * scale
        label = random_words(rng, int(rng.integers(1, 3)))
        label_width = 4.0 + 2.2 * len(label)
        width = len(value) * (box_width + gap)
        if column > 1 and x + label_width + width > A4_WIDTH - MARGIN:
            row, column, x = row + 1, 1, MARGIN
            y += row_height + FIELD_SPACING
        press.print(x, y + box_height * 0.65, label, 2.2)
        first = Rect(x + label_width, y, box_width, box_height)
        right = press.boxes(f"r{row:02d}c{column:02d}", first, value, kind=spec.kind, gap=gap)
        x = right + 2 * box_width
        column += 1
    return y + row_height + FIELD_SPACING


def _field_table(press: Press, y: float, spec: LayoutSpec, rng: np.random.Generator) -> float:
    """Print a table: a running number, a text, and the digit boxes as its last columns."""
    boxes = max(len(value) for value in spec.values)
    text_x = MARGIN + 9.0
    digits_x = A4_WIDTH - MARGIN - boxes * spec.box_width
    top = y + 7.0  # of the rows, below the table's head
    press.print(text_x + 3, y + 5, random_words(rng, 3).upper(), 2.2, bold=True)
    press.print(digits_x + 1, y + 5, random_words(rng, 1).upper(), 2.2, bold=True)
    for index, value in enumerate(spec.values):
        row = top + index * spec.box_height
        press.rule(MARGIN, row, digits_x, row)
        press.print(MARGIN + 3, row + spec.box_height * 0.65, str(index + 1))
        press.print(text_x + 3, row + spec.box_height * 0.65, random_words(rng, int(rng.integers(2, 6))))
        first = Rect(digits_x, row, spec.box_width, spec.box_height)
        press.boxes(f"r{index + 1:02d}c01", first, value.rjust(boxes, BLANK), kind=spec.kind)
    bottom = top + len(spec.values) * spec.box_height
    press.outline(Rect(MARGIN, y, A4_WIDTH - 2 * MARGIN, bottom - y))
    press.rule(text_x, y, text_x, bottom)
    press.rule(digits_x, y, digits_x, top)
    return bottom + FIELD_SPACING


def paragraph(press: Press, y: float, rng: np.random.Generator) -> float:
    """Print a few lines of text."""
    for _ in range(int(rng.integers(2, 6))):
        y += 4.4
        press.print(MARGIN, y, random_words(rng, int(rng.integers(7, 12))), 2.0)
    return y + FIELD_SPACING


def word_table(press: Press, y: float, rng: np.random.Generator) -> float:
    """Print a ruled table with words in it: boxes that are no digit boxes."""
    ruling = Ruling(float(rng.uniform(0.2, 0.5)))
    columns = (np.cumsum([0.0, 14.0, *rng.uniform(35, 55, 3)]) + MARGIN).tolist()
    height = 7.0
    bottom = y + int(rng.integers(3, 7)) * height
    for x in columns:
        press.rule(x, y, x, bottom, ruling)
    press.rule(columns[0], bottom, columns[-1], bottom, ruling)
    for row, top in enumerate(np.arange(y, bottom - 0.1, height).tolist(), start=1):
        press.rule(columns[0], top, columns[-1], top, ruling)
        press.print(columns[0] + 2, top + 4.8, str(row), 2.0)
        for x in columns[1:-1]:
            press.print(x + 2, top + 4.8, random_words(rng, 2), 2.0)
    return bottom + FIELD_SPACING


def _signatures(press: Press, y: float, count: int, rng: np.random.Generator) -> float:
    for index in range(count):
        x = MARGIN + index * 62
        press.rule(x, y + 16, x + 50, y + 16, Ruling(0.2))
        press.print(x, y + 20, random_words(rng, 1), 1.8)
        press.sign(x + 5, y + 14, rng)
    return y + 24 if count else y


def _watermark(press: Press) -> None:
    """Cover the page with a pale word, as security paper has it."""
    for row, y in enumerate(np.arange(0.0, press.height, 9.0).tolist()):
        for x in np.arange(-12.0 * (row % 2), press.width, 24.0).tolist():
            press.print(x, y, "OFFICIAL", 3.4, bold=True, colour=WATERMARK)


def random_words(rng: np.random.Generator, count: int) -> str:
    """Return so many words as forms have them."""
    return " ".join(rng.choice(WORDS, count))
