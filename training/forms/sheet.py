"""A form as plain values in millimetres: what is printed on it and what somebody wrote into its boxes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BLANK = "_"  # in a value: a box in which nobody wrote

Colour = tuple[int, int, int]
"""Blue, green, red as OpenCV has them, 0 to 255."""

BLACK: Colour = (20, 20, 20)


class FieldKind(StrEnum):
    COMB = "comb"  # boxes that share their dividing lines
    SEPARATE = "separate boxes"
    TABLE = "table cells"  # the last columns of a ruled table


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Ruling:
    """How lines are printed."""

    width_mm: float = 0.3
    colour: Colour = BLACK


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    ruling: Ruling


@dataclass(frozen=True, slots=True)
class Print:
    """A line of printed text; `x`, `y` is the left end of its base line, `height` that of a capital."""

    x: float
    y: float
    text: str
    height: float = 2.4
    bold: bool = False
    colour: Colour = BLACK


@dataclass(frozen=True, slots=True)
class Scribble:
    """A signature, a tick, a stroke of the pen that is no digit: points of a polyline."""

    points: tuple[tuple[float, float], ...]
    width_mm: float = 0.4


@dataclass(frozen=True, slots=True)
class Circle:
    """A printed ring, or a disc that somebody filled in."""

    x: float  # of the centre
    y: float
    radius: float
    ruling: Ruling
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Shade:
    """A tinted area."""

    rect: Rect
    colour: Colour = (225, 225, 225)


@dataclass(frozen=True, slots=True)
class BoxedField:
    """Printed boxes, from left to right, and what somebody wrote: one character of `value` a box."""

    name: str
    kind: FieldKind
    cells: tuple[Rect, ...]
    value: str
    ruling: Ruling

    def __post_init__(self) -> None:
        if len(self.value) != len(self.cells):
            raise ValueError(f"field {self.name}: {len(self.cells)} boxes cannot hold {self.value!r}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page before it is scanned, in millimetres. Its marks are laid down in the order given here."""

    width: float
    height: float
    shades: tuple[Shade, ...] = ()
    prints: tuple[Print, ...] = ()
    lines: tuple[Line, ...] = ()
    scribbles: tuple[Scribble, ...] = ()
    fields: tuple[BoxedField, ...] = ()
    circles: tuple[Circle, ...] = ()
