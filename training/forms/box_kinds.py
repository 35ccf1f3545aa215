"""The kinds of printed boxes that people write digits into, and how each is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.forms.press import Press
from training.forms.sheet import BLACK, Colour, Rect, Ruling

SHORTEST_TICK, LONGEST_TICK = 0.25, 0.5  # of a box's height
DROP_OUT_COLOURS: tuple[Colour, ...] = ((70, 150, 245), (250, 195, 130), (150, 210, 120))
"""Orange, blue and green that a scanner's lamp all but swallows: 165 to 195 of 255 in grey."""

PALE = Ruling(0.35, (205, 205, 205))

Side = tuple[float, float, float, float]
"""A side of a box, from (x, y) to (x, y)."""


class BoxKind(StrEnum):
    JOINED = "joined comb"
    SEPARATE = "separate boxes"
    TABLE = "table cells"
    OPEN_TICKS = "short ticks, open top"
    CLOSED_TICKS = "short ticks, closed top"
    THICK = "thick frame"
    DOTTED = "dotted lines"
    DASHED = "dashed lines"
    GREY = "grey lines"
    DROP_OUT = "drop-out colour"
    BROKEN = "broken side"
    MISSING = "missing side"
    GUIDES = "guide digits"
    WHOLE = "whole number"


@dataclass(frozen=True, slots=True)
class BoxStyle:
    """How a page's boxes are printed, in millimetres."""

    kind: BoxKind
    width: float
    height: float
    gap: float  # of white between two boxes; 0: they share a line
    ruling: Ruling
    tick: float = 0.0  # of a box's height, how far the dividers of short ticks reach
    has_posts: bool = True  # the two ends of a comb with an open top are as high as its boxes
    guide: Ruling = PALE
    guide_is_eight: bool = False  # an eight of seven straight segments, rather than a printed figure

    @property
    def pitch(self) -> float:
        """From one box to the next."""
        return self.width + (self.gap + self.ruling.width_mm if self.gap else 0.0)


def random_style(kind: BoxKind, rng: np.random.Generator, *, darkest_only: bool = False) -> BoxStyle:
    """Return boxes of 5.2 to 8.5 mm, or a whole number's of 8 to 12 mm height.

    `darkest_only` keeps pale lines dark enough for a 1-bit scan to show them.
    """
    width = float(rng.uniform(5.2, 8.5))
    height = width * float(rng.uniform(1.05, 1.5))
    is_apart = kind is BoxKind.SEPARATE or (kind in MAY_BE_APART and rng.random() < 0.4)
    gap = width * float(rng.uniform(0.12, 0.45)) if is_apart else 0.0
    line = float(rng.uniform(0.2, 0.5))
    colour = BLACK
    grey = int(rng.integers(110, 140) if darkest_only else rng.integers(130, 186))
    if kind is BoxKind.THICK:
        line = float(rng.uniform(1.0, 1.5))
        width, height = width + line, height + line
    elif kind is BoxKind.DOTTED:
        line = float(rng.uniform(0.3, 0.5))
    elif kind is BoxKind.GREY:
        colour = (grey,) * 3
    elif kind is BoxKind.DROP_OUT:
        blue, green, red = DROP_OUT_COLOURS[rng.integers(len(DROP_OUT_COLOURS))]
        shade = 0.65 if darkest_only else float(rng.uniform(0.88, 1.03))
        colour = (min(round(blue * shade), 255), min(round(green * shade), 255), min(round(red * shade), 255))
        line = float(rng.uniform(0.3, 0.6))
    elif kind is BoxKind.WHOLE:
        height = float(rng.uniform(8.0, 12.0))
    elif kind is BoxKind.OPEN_TICKS:
        height = min(height, 1.3 * width)  # where no line shows how high a box is, it is nearly square
    pale = int(rng.integers(185, 221))
    return BoxStyle(
        kind,
        width,
        height,
        gap,
        Ruling(line, colour),
        tick=float(rng.uniform(SHORTEST_TICK, LONGEST_TICK)),
        has_posts=bool(rng.random() < 0.5),
        guide=Ruling(float(rng.uniform(0.25, 0.5)), (pale,) * 3),
        guide_is_eight=bool(rng.random() < 0.5),
    )


def cells_of(style: BoxStyle, x: float, y: float, boxes: int) -> tuple[Rect, ...]:
    """Return the middle lines of so many boxes' edges, from left to right."""
    return tuple(Rect(x + i * style.pitch, y, style.width, style.height) for i in range(boxes))


def print_boxes(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
    """Print a field's boxes as its kind has them."""
    _PRINT.get(style.kind, _plain)(press, cells, style, rng)


def _plain(press: Press, cells: Sequence[Rect], style: BoxStyle, _rng: np.random.Generator) -> None:
    for cell in cells:
        press.outline(cell, style.ruling)


def _ticked(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
    """A base line with ticks between the digits; with a closed top they may hang from there too."""
    left, right, top, bottom = cells[0].x, cells[-1].right, cells[0].y, cells[0].bottom
    is_closed = style.kind is BoxKind.CLOSED_TICKS
    press.rule(left, bottom, right, bottom, style.ruling)
    if is_closed:
        press.rule(left, top, right, top, style.ruling)
    hanging = is_closed and rng.random() < 0.3
    for index, x in enumerate([*(cell.x for cell in cells), right]):
        is_post = index in (0, len(cells)) and (is_closed or style.has_posts)
        reach = 1.0 if is_post else style.tick
        press.rule(x, bottom - reach * style.height, x, bottom, style.ruling)
        if hanging and not is_post:
            press.rule(x, top, x, top + 0.25 * style.height, style.ruling)


def _thick(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
    """A heavy frame round each box, or round the field with thin lines between its boxes."""
    if style.gap or rng.random() < 0.3:
        _plain(press, cells, style, rng)
        return
    first, last = cells[0], cells[-1]
    press.outline(Rect(first.x, first.y, last.right - first.x, first.height), style.ruling)
    for cell in cells[1:]:
        press.rule(cell.x, cell.y, cell.x, cell.bottom, Ruling(0.4, style.ruling.colour))


def _patterned(dash: tuple[float, float], space: tuple[float, float]) -> _Print:
    """Return how lines are printed whose dashes and spaces are so long, in line widths."""

    def draw(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
        width = style.ruling.width_mm
        on, off = float(rng.uniform(*dash)) * width, float(rng.uniform(*space)) * width
        for side in _sides(cells):
            for start, end in _dashes(_length(side), on, off):
                press.rule(*_part(side, start, end), style.ruling)

    return draw


def _dashes(length: float, on: float, off: float) -> list[tuple[float, float]]:
    """Return where along a line of that length its dashes lie, as shares of it; both ends have one."""
    steps = max(1, round((length - on) / (on + off)))
    starts = np.linspace(0, max(length - on, 0.0), steps + 1)
    return [(start / length, min(start + on, length) / length) for start in starts.tolist()]


def _broken(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
    """One to three sides have a gap of a fifth to more than half of them, as worn print has."""
    sides = _sides(cells)
    worn = set(rng.choice(len(sides), int(rng.integers(1, 4)), replace=False).tolist())
    for index, side in enumerate(sides):
        if index in worn:
            gone = float(rng.uniform(0.2, 0.55))
            start = float(rng.uniform(0, 1 - gone))
            press.rule(*_part(side, 0, start), style.ruling)
            press.rule(*_part(side, start + gone, 1), style.ruling)
        else:
            press.rule(*side, style.ruling)


def _missing(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
    """One side of one box was not printed; now and then no box of the field lacks one."""
    sides = _sides(cells)
    gone = int(rng.integers(len(sides))) if rng.random() < 0.75 else None
    for index, side in enumerate(sides):
        if index != gone:
            press.rule(*side, style.ruling)


def _guided(press: Press, cells: Sequence[Rect], style: BoxStyle, rng: np.random.Generator) -> None:
    """A pale figure stands in each box to show how digits are to be written."""
    _plain(press, cells, style, rng)
    height, width = 0.62 * style.height, min(0.4 * style.height, 0.62 * style.width)
    for index, cell in enumerate(cells):
        x, y = cell.x + (cell.width - width) / 2, cell.y + (cell.height - height) / 2
        if style.guide_is_eight:
            press.outline(Rect(x, y, width, height), style.guide)
            press.rule(x, y + height / 2, x + width, y + height / 2, style.guide)
        else:
            figure = "0" if len(cells) < 4 else str(index % 10)
            press.print(x, y + height, figure, height, colour=style.guide.colour)


def _whole(press: Press, cells: Sequence[Rect], style: BoxStyle, _rng: np.random.Generator) -> None:
    press.outline(cells[0], style.ruling)


def _sides(cells: Sequence[Rect]) -> list[Side]:
    """Return the sides of all boxes, one that two boxes share once."""
    sides: list[Side] = []
    for cell in cells:
        sides += [
            (cell.x, cell.y, cell.right, cell.y),
            (cell.x, cell.bottom, cell.right, cell.bottom),
            (cell.x, cell.y, cell.x, cell.bottom),
        ]
        sides.append((cell.right, cell.y, cell.right, cell.bottom))
    rounded = {tuple(round(edge, 6) for edge in side): side for side in sides}
    return list(rounded.values())


def _length(side: Side) -> float:
    return abs(side[2] - side[0]) + abs(side[3] - side[1])


def _part(side: Side, start: float, end: float) -> Side:
    x1, y1, x2, y2 = side
    return (
        x1 + start * (x2 - x1),
        y1 + start * (y2 - y1),
        x1 + end * (x2 - x1),
        y1 + end * (y2 - y1),
    )


_Print = Callable[[Press, Sequence[Rect], BoxStyle, np.random.Generator], None]

MAY_BE_APART = frozenset(
    {BoxKind.THICK, BoxKind.DOTTED, BoxKind.DASHED, BoxKind.GREY, BoxKind.DROP_OUT, BoxKind.BROKEN}
    | {BoxKind.MISSING, BoxKind.GUIDES}
)
"""Kinds of lines that joined and separate boxes have alike."""

_PRINT: dict[BoxKind, _Print] = {
    BoxKind.OPEN_TICKS: _ticked,
    BoxKind.CLOSED_TICKS: _ticked,
    BoxKind.THICK: _thick,
    BoxKind.DOTTED: _patterned((0.1, 0.4), (1.6, 2.2)),
    BoxKind.DASHED: _patterned((3.0, 5.0), (1.6, 2.8)),
    BoxKind.BROKEN: _broken,
    BoxKind.MISSING: _missing,
    BoxKind.GUIDES: _guided,
    BoxKind.WHOLE: _whole,
}
