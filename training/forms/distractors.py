"""What stands on forms beside digit fields and looks like them: no digit may be read there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.forms.layout import A4_WIDTH, MARGIN, paragraph, random_words, word_table
from training.forms.marks import LOOKALIKE_LETTERS, PLAIN_LETTERS
from training.forms.press import Press
from training.forms.sheet import BLANK, Rect, Ruling

SPACING = 4.0  # below a block, mm
CAPITALS = sorted(letter for letter in PLAIN_LETTERS | LOOKALIKE_LETTERS if letter.isupper())
FILLED_IN = Ruling(0.3, (60, 60, 60))


class Distractor(StrEnum):
    CHECKBOXES = "checkboxes"
    SCALE = "rating scale"
    BUBBLES = "bubble columns"
    NAME_COMB = "name comb"
    SIGNATURES = "signature table"
    PARAGRAPH = "paragraph"
    RULINGS = "rulings"
    WORD_TABLE = "table of words"


@dataclass(frozen=True, slots=True)
class LetterComb:
    """Boxes into which somebody wrote a name: a capital a box, "_" for a blank one."""

    cells: tuple[Rect, ...]
    value: str
    line: float


@dataclass(frozen=True, slots=True)
class Block:
    """A distractor on its sheet, in millimetres."""

    kind: Distractor
    rect: Rect
    combs: tuple[LetterComb, ...] = ()


HEIGHTS: dict[Distractor, float] = {
    Distractor.CHECKBOXES: 26.0,
    Distractor.SCALE: 40.0,
    Distractor.BUBBLES: 60.0,
    Distractor.NAME_COMB: 32.0,
    Distractor.SIGNATURES: 62.0,
    Distractor.PARAGRAPH: 27.0,
    Distractor.RULINGS: 50.0,
    Distractor.WORD_TABLE: 47.0,
}
"""What each needs at most, the white below it included."""


def print_block(press: Press, kind: Distractor, y: float, rng: np.random.Generator) -> Block:
    """Print a distractor from `y` on; the next block may start at the lower end of its rectangle."""
    if kind is Distractor.NAME_COMB:
        bottom, combs = _name_combs(press, y, rng)
    else:
        bottom, combs = _PRINT[kind](press, y, rng), ()
    return Block(kind, Rect(MARGIN, y, A4_WIDTH - 2 * MARGIN, bottom - y), combs)


def print_margins(press: Press, rng: np.random.Generator) -> None:
    """Print what stands round a page's text: now and then a frame, now and then marks in its corners."""
    chance = rng.random()
    inset = float(rng.uniform(4, 8))
    page = Rect(inset, inset, press.width - 2 * inset, press.height - 2 * inset)
    if chance < 0.3:
        press.outline(page, Ruling(float(rng.uniform(0.3, 1.2))))
    elif chance < 0.6:
        _corner_marks(press, page, rng)


def _corner_marks(press: Press, page: Rect, rng: np.random.Generator) -> None:
    """Black squares, angles or crosses, by which other programs find the page."""
    kind, size = int(rng.integers(3)), float(rng.uniform(3, 6))
    for x, inwards in ((page.x, 1), (page.right, -1)):
        for y, downwards in ((page.y, 1), (page.bottom, -1)):
            far_x, far_y = x + inwards * size, y + downwards * size
            if kind == 0:
                press.shade(Rect(min(x, far_x), min(y, far_y), size, size), (25, 25, 25))
            elif kind == 1:
                press.rule(x, y, far_x, y, Ruling(0.4))
                press.rule(x, y, x, far_y, Ruling(0.4))
            else:
                press.rule(x, (y + far_y) / 2, far_x, (y + far_y) / 2, Ruling(0.3))
                press.rule((x + far_x) / 2, y, (x + far_x) / 2, far_y, Ruling(0.3))
                press.circle((x + far_x) / 2, (y + far_y) / 2, size / 3, Ruling(0.3))


def _checkboxes(press: Press, y: float, rng: np.random.Generator) -> float:
    size, ruling = float(rng.uniform(3.0, 4.8)), Ruling(float(rng.uniform(0.2, 0.5)))
    columns, step = int(rng.integers(2, 5)), 7.0
    rows = int(rng.integers(1, 4))
    for row in range(rows):
        for column in range(columns):
            box = Rect(MARGIN + column * 44, y + row * step, size, size)
            press.outline(box, ruling)
            press.print(box.right + 2, box.bottom - 0.5, random_words(rng, int(rng.integers(1, 3))), 2.0)
            if rng.random() < 0.4:
                _tick(press, box, rng)
    return y + rows * step + SPACING


def _scale(press: Press, y: float, rng: np.random.Generator) -> float:
    """Questions with a box for each of a few answers, numbered above: as near to one another as digits'."""
    size, ruling = float(rng.uniform(3.5, 5.0)), Ruling(float(rng.uniform(0.2, 0.4)))
    answers, pitch = int(rng.integers(3, 8)), size * float(rng.uniform(1.3, 2.0))
    rows, left = int(rng.integers(2, 5)), MARGIN + 80
    for answer in range(answers):
        press.print(left + answer * pitch + size / 3, y + 3, str(answer + 1), 2.0)
    for row in range(rows):
        top = y + 5 + row * 7.5
        press.print(MARGIN, top + size - 0.5, random_words(rng, 5), 2.0)
        ticked = int(rng.integers(answers + 1))
        for answer in range(answers):
            box = Rect(left + answer * pitch, top, size, size)
            press.outline(box, ruling)
            if answer == ticked:
                _tick(press, box, rng)
    return y + 5 + rows * 7.5 + SPACING


def _tick(press: Press, box: Rect, rng: np.random.Generator) -> None:
    astray = rng.normal(0, 0.08, (4, 2)) * box.width
    ends = np.array([(0.1, 0.1), (0.9, 0.9), (0.1, 0.9), (0.9, 0.1)]) * box.width + (box.x, box.y) + astray
    corners: list[tuple[float, float]] = [(x, y) for x, y in ends.tolist()]
    if rng.random() < 0.6:
        press.scribble(corners[:2])
        press.scribble(corners[2:])
    else:
        middle = (box.x + 0.4 * box.width, box.bottom)
        press.scribble([(box.x + 0.1 * box.width, box.y + 0.5 * box.height), middle, corners[3]])


def _bubbles(press: Press, y: float, rng: np.random.Generator) -> float:
    """Columns of ten numbered rings, one of each blackened."""
    columns, radius = int(rng.integers(3, 11)), float(rng.uniform(1.5, 1.9))
    across, down = float(rng.uniform(4.6, 6.5)), float(rng.uniform(4.2, 5.0))
    ruling = Ruling(0.2, (90, 90, 90))
    for column in range(columns):
        marked = int(rng.integers(10)) if rng.random() < 0.8 else None
        for digit in range(10):
            x, middle = MARGIN + 4 + column * across, y + 3 + digit * down
            press.circle(x, middle, radius, ruling)
            press.print(x - 0.5, middle + 0.7, str(digit), 1.4, colour=ruling.colour)
            if digit == marked:
                press.circle(x, middle, radius * float(rng.uniform(0.8, 1.05)), FILLED_IN, filled=True)
    return y + 3 + 10 * down + SPACING


def _name_combs(press: Press, y: float, rng: np.random.Generator) -> tuple[float, tuple[LetterComb, ...]]:
    """One or two rows of boxes for a name, with capitals in most of the first ones."""
    width, line = float(rng.uniform(5.0, 7.0)), float(rng.uniform(0.2, 0.45))
    height = width * float(rng.uniform(1.0, 1.4))
    pitch = width * (1.25 if rng.random() < 0.3 else 1.0)
    combs = []
    for _ in range(int(rng.integers(1, 3))):
        boxes = int(rng.integers(8, int((A4_WIDTH - 2 * MARGIN - 24) / pitch)))
        letters = int(rng.integers(4, boxes + 1))
        value = "".join(rng.choice(CAPITALS, letters)) + BLANK * (boxes - letters)
        press.print(MARGIN, y + 0.65 * height, random_words(rng, 1), 2.2)
        cells = tuple(Rect(MARGIN + 24 + i * pitch, y, width, height) for i in range(boxes))
        for cell in cells:
            press.outline(cell, Ruling(line))
        combs.append(LetterComb(cells, value, line))
        y += height + SPACING
    return y, tuple(combs)


def _signatures(press: Press, y: float, rng: np.random.Generator) -> float:
    """A table of names and places to sign, most of them signed."""
    columns = [MARGIN, MARGIN + 10, MARGIN + 10 + float(rng.uniform(45, 60)), MARGIN + 130]
    height, ruling = float(rng.uniform(9, 12)), Ruling(float(rng.uniform(0.2, 0.5)))
    rows = int(rng.integers(2, 5))
    bottom = y + 6 + rows * height
    for x in columns:
        press.rule(x, y, x, bottom, ruling)
    for edge in (y, *(y + 6 + row * height for row in range(rows + 1))):
        press.rule(columns[0], edge, columns[-1], edge, ruling)
    for row in range(rows):
        base = y + 6 + (row + 0.7) * height
        press.print(columns[0] + 3, base, str(row + 1), 2.2)
        press.print(columns[1] + 2, base, random_words(rng, 2), 2.2)
        if rng.random() < 0.75:
            press.sign(columns[2] + 4, base, rng)
    return bottom + SPACING


def _rulings(press: Press, y: float, rng: np.random.Generator) -> float:
    """Lines to write on, some with a stroke of handwriting."""
    for _ in range(int(rng.integers(2, 5))):
        y += float(rng.uniform(8, 11))
        label = random_words(rng, 1)
        press.print(MARGIN, y, label, 2.2)
        press.rule(MARGIN + 4 + 2.2 * len(label), y, A4_WIDTH - MARGIN, y, Ruling(0.2))
        if rng.random() < 0.4:
            press.sign(MARGIN + 45, y - 1, rng)
    return y + SPACING


_PRINT: dict[Distractor, Callable[[Press, float, np.random.Generator], float]] = {
    Distractor.CHECKBOXES: _checkboxes,
    Distractor.SCALE: _scale,
    Distractor.BUBBLES: _bubbles,
    Distractor.SIGNATURES: _signatures,
    Distractor.PARAGRAPH: paragraph,
    Distractor.RULINGS: _rulings,
    Distractor.WORD_TABLE: word_table,
}
