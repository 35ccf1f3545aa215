"""Forms at random: fields of every kind among headings, paragraphs, tables of words and signatures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.forms.sheet import (
    BLACK,
    BoxedField,
    Colour,
    FieldKind,
    Line,
    Print,
    Rect,
    Ruling,
    Scribble,
    Sheet,
    box_lines,
    box_row,
    outline,
)

A4_WIDTH, A4_HEIGHT = 210.0, 297.0
MARGIN = 14.0
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


@dataclass(frozen=True, slots=True)
class LayoutSpec:
    """What a page shall hold: the fields' values, how their boxes are printed, what stands around them."""

    values: tuple[str, ...]
    kind: FieldKind = FieldKind.COMB
    box_width: float = 7.0  # mm
    box_height: float = 9.0  # mm
    gap: float = 2.0  # between separate boxes, mm
    ruling: Ruling = field(default_factory=Ruling)
    paragraphs: int = 1
    word_table: bool = True
    signatures: int = 2
    frame: bool = False


@dataclass(slots=True)
class _Press:
    """What has been laid out so far, and how far down the page that is."""

    rng: np.random.Generator
    y: float = MARGIN
    lines: list[Line] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)
    scribbles: list[Scribble] = field(default_factory=list)
    fields: list[BoxedField] = field(default_factory=list)

    def words(self, count: int) -> str:
        return " ".join(self.rng.choice(WORDS, count))


def lay_out(spec: LayoutSpec, rng: np.random.Generator) -> Sheet:
    """Return an A4 sheet of the spec, longer where the fields need it."""
    press = _Press(rng)
    press.prints.append(Print(MARGIN, press.y + 5, press.words(4).upper(), 3.6, bold=True))
    press.y += 12
    surroundings = [_paragraph] * spec.paragraphs + [_word_table] * spec.word_table
    rng.shuffle(surroundings)
    above = int(rng.integers(0, len(surroundings) + 1))
    for print_block in surroundings[:above]:
        print_block(press)
    if spec.kind is FieldKind.TABLE:
        _field_table(press, spec)
    else:
        _field_rows(press, spec)
    for print_block in surroundings[above:]:
        print_block(press)
    _signatures(press, spec.signatures)
    height = max(A4_HEIGHT, press.y + MARGIN)
    if spec.frame:
        frame = Rect(MARGIN / 2, MARGIN / 2, A4_WIDTH - MARGIN, height - MARGIN)
        press.lines += outline(frame, Ruling(0.6))
    return Sheet(
        A4_WIDTH,
        height,
        lines=tuple(press.lines),
        prints=tuple(press.prints),
        scribbles=tuple(press.scribbles),
        fields=tuple(press.fields),
    )


def _field_rows(press: _Press, spec: LayoutSpec) -> None:
    """Print fields from left to right with a label before each; where one doesn't fit, start a new row."""
    gap = spec.gap if spec.kind is FieldKind.SEPARATE else 0.0
    row, column, x = 1, 1, MARGIN
    press.y += FIELD_SPACING
    for value in spec.values:
        label = press.words(int(press.rng.integers(1, 3)))
        label_width = 4.0 + 2.2 * len(label)
        width = len(value) * (spec.box_width + gap)
        if column > 1 and x + label_width + width > A4_WIDTH - MARGIN:
            row, column, x = row + 1, 1, MARGIN
            press.y += spec.box_height + FIELD_SPACING
        press.prints.append(Print(x, press.y + spec.box_height * 0.65, label, 2.2))
        x += label_width
        first = Rect(x, press.y, spec.box_width, spec.box_height)
        _add_field(press, spec, f"r{row:02d}c{column:02d}", box_row(first, len(value), gap), value)
        x += width + 2 * spec.box_width
        column += 1
    press.y += spec.box_height + FIELD_SPACING


def _field_table(press: _Press, spec: LayoutSpec) -> None:
    """Print a table: a running number, a text, and the digit boxes as its last columns."""
    boxes = max(len(value) for value in spec.values)
    number_width = 9.0
    digits_x = A4_WIDTH - MARGIN - boxes * spec.box_width
    head = 7.0
    top = press.y
    press.prints.append(Print(MARGIN + number_width + 3, top + 5, press.words(3).upper(), 2.2, bold=True))
    press.prints.append(Print(digits_x + 1, top + 5, press.words(1).upper(), 2.2, bold=True))
    for index, value in enumerate(spec.values):
        y = top + head + index * spec.box_height
        press.lines.append(Line(MARGIN, y, digits_x, y, spec.ruling))
        press.prints.append(Print(MARGIN + 3, y + spec.box_height * 0.65, str(index + 1), 2.4))
        text = press.words(int(press.rng.integers(2, 6)))
        press.prints.append(Print(MARGIN + number_width + 3, y + spec.box_height * 0.65, text, 2.4))
        cells = box_row(Rect(digits_x, y, spec.box_width, spec.box_height), boxes)
        _add_field(press, spec, f"r{index + 1:02d}c01", cells, value.rjust(boxes, "_"))
    bottom = top + head + len(spec.values) * spec.box_height
    frame = Rect(MARGIN, top, A4_WIDTH - 2 * MARGIN, bottom - top)
    press.lines += outline(frame, spec.ruling)
    press.lines.append(Line(MARGIN + number_width, top, MARGIN + number_width, bottom, spec.ruling))
    press.lines.append(Line(digits_x, top, digits_x, top + head, spec.ruling))
    press.y = bottom + FIELD_SPACING


def _add_field(press: _Press, spec: LayoutSpec, name: str, cells: tuple[Rect, ...], value: str) -> None:
    press.fields.append(BoxedField(name, spec.kind, cells, value, spec.ruling))
    press.lines += box_lines(cells, spec.ruling)


def _paragraph(press: _Press) -> None:
    for _ in range(int(press.rng.integers(2, 6))):
        press.y += 4.4
        press.prints.append(Print(MARGIN, press.y, press.words(int(press.rng.integers(7, 12))), 2.0))
    press.y += FIELD_SPACING


def _word_table(press: _Press) -> None:
    """Print a ruled table with words in it: boxes that are no digit boxes."""
    ruling = Ruling(float(press.rng.uniform(0.2, 0.5)))
    columns = np.cumsum([0.0, 14.0, *press.rng.uniform(35, 60, 3)]) + MARGIN
    rows = int(press.rng.integers(3, 7))
    height = 7.0
    top, bottom = press.y, press.y + rows * height
    for x in columns:
        press.lines.append(Line(float(x), top, float(x), bottom, ruling))
    for row in range(rows + 1):
        y = top + row * height
        press.lines.append(Line(float(columns[0]), y, float(columns[-1]), y, ruling))
        for column, x in enumerate(columns[:-1]):
            text = str(row + 1) if column == 0 else press.words(2)
            if row < rows:
                press.prints.append(Print(float(x) + 2, y + 4.8, text, 2.0))
    press.y = bottom + FIELD_SPACING


def _signatures(press: _Press, count: int) -> None:
    press.y += 8
    for index in range(count):
        x = MARGIN + index * 62
        press.lines.append(Line(x, press.y + 8, x + 50, press.y + 8, Ruling(0.2)))
        press.prints.append(Print(x, press.y + 12, press.words(1), 1.8))
        press.scribbles.append(scribble(x + 5, press.y + 6, press.rng))
    press.y += 16 if count else 0


def scribble(x: float, y: float, rng: np.random.Generator) -> Scribble:
    """Return a signature of about 30 x 8 mm whose base line starts at (x, y)."""
    along = np.linspace(0, rng.uniform(20, 36), 60)
    waves = rng.uniform(0.4, 1.4, (3, 1))
    height = np.sin(along * waves + rng.uniform(0, 6, (3, 1))).sum(axis=0) * rng.uniform(0.8, 1.5)
    back = np.sin(along * waves[0] * 1.3) * 1.8
    return Scribble(tuple(zip((x + along + back).tolist(), (y - height).tolist(), strict=True)))
