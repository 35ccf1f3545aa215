"""Lays marks on a sheet one after the other. What a form's designer works with; millimetres throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.forms.sheet import (
    BLACK,
    BoxedField,
    Circle,
    Colour,
    FieldKind,
    Line,
    Print,
    Rect,
    Ruling,
    Scribble,
    Shade,
    Sheet,
)


@dataclass(slots=True)
class Press:
    width: float
    height: float
    ruling: Ruling = field(default_factory=Ruling)  # of all lines that are given none
    _shades: list[Shade] = field(default_factory=list)
    _lines: list[Line] = field(default_factory=list)
    _prints: list[Print] = field(default_factory=list)
    _scribbles: list[Scribble] = field(default_factory=list)
    _fields: list[BoxedField] = field(default_factory=list)
    _circles: list[Circle] = field(default_factory=list)

    def print(
        self,
        x: float,
        y: float,
        text: str,
        height: float = 2.4,
        *,
        bold: bool = False,
        colour: Colour = BLACK,
    ) -> None:
        """Print a line of text; (x, y) is the left end of its base line, `height` that of a capital."""
        self._prints.append(Print(x, y, text, height, bold, colour))

    def rule(self, x1: float, y1: float, x2: float, y2: float, ruling: Ruling | None = None) -> None:
        """Print an upright or level line."""
        self._lines.append(Line(x1, y1, x2, y2, ruling or self.ruling))

    def outline(self, rect: Rect, ruling: Ruling | None = None) -> None:
        self.rule(rect.x, rect.y, rect.right, rect.y, ruling)
        self.rule(rect.x, rect.bottom, rect.right, rect.bottom, ruling)
        self.rule(rect.x, rect.y, rect.x, rect.bottom, ruling)
        self.rule(rect.right, rect.y, rect.right, rect.bottom, ruling)

    def circle(
        self, x: float, y: float, radius: float, ruling: Ruling | None = None, *, filled: bool = False
    ) -> None:
        """Print a ring, or fill it as who marks a bubble does."""
        self._circles.append(Circle(x, y, radius, ruling or self.ruling, filled))

    def scribble(self, points: Sequence[tuple[float, float]], width_mm: float = 0.4) -> None:
        """Draw a stroke of the pen."""
        self._scribbles.append(Scribble(tuple(points), width_mm))

    def shade(self, rect: Rect, colour: Colour = (225, 225, 225)) -> None:
        self._shades.append(Shade(rect, colour))

    def boxes(
        self,
        name: str,
        first: Rect,
        value: str,
        *,
        kind: FieldKind = FieldKind.COMB,
        gap: float = 0.0,
        ruling: Ruling | None = None,
    ) -> float:
        """Print a field: one box a character of `value`, from `first` to the right. Return its right end."""
        step = first.width + gap
        cells = tuple(Rect(first.x + i * step, first.y, first.width, first.height) for i in range(len(value)))
        for cell in cells:
            self.outline(cell, ruling)
        self._fields.append(BoxedField(name, kind, cells, value, ruling or self.ruling))
        return cells[-1].right

    def sign(self, x: float, y: float, rng: np.random.Generator) -> None:
        """Let somebody sign on the line that starts at (x, y): about 30 x 8 mm."""
        along = np.linspace(0, rng.uniform(20, 36), 60)
        waves = rng.uniform(0.4, 1.4, (3, 1))
        height = np.sin(along * waves + rng.uniform(0, 6, (3, 1))).sum(axis=0) * rng.uniform(0.8, 1.5)
        back = np.sin(along * waves[0] * 1.3) * 1.8
        points = zip((x + along + back).tolist(), (y - height).tolist(), strict=True)
        self._scribbles.append(Scribble(tuple(points)))

    def sheet(self) -> Sheet:
        """Return what has been laid out; a line that two boxes share is printed once."""
        return Sheet(
            self.width,
            self.height,
            tuple(self._shades),
            tuple(self._prints),
            tuple(dict.fromkeys(self._lines)),
            tuple(self._scribbles),
            tuple(self._fields),
            tuple(self._circles),
        )
