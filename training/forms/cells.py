"""Digits on the way they come to the reader: written into printed boxes, scanned, cut out by `segmentation`.

A row of boxes at a time, so that a neighbour's strokes reach in and lines leave their rests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.geometry import Box, Point, Quad
from segmentation.glyph import Glyph
from segmentation.page import Cell, Field, Page
from training.forms.damage import Affine, Damage, Image, inflict, skew
from training.forms.draw import MM_PER_INCH, blend, tint
from training.forms.ink import Ink, zoom

MARGIN = 0.45  # of a box's height, white around the row: what is cut reaches over the lines
LEAST_WITHIN = 0.85  # of a digit's ink in its box, lest its label be untrue
LEAST_OVERLAP = 0.5  # of what was cut with what was written, lest it be a neighbour's
SLACK = 2  # px that a rectangle of ink may be larger or smaller by blur alone
FAINT_INK = 40  # of 255, the edge of a stroke
TURN_DEGREES = 3.5  # standard deviation of a digit's rotation
LEAST_SOFTNESS, MOST_SOFTNESS = 0.3, 0.9  # px, standard deviation of a scanner's optics
FINEST_COARSENED = 44  # px of a box's height from which on a digit survives COARSE damage
STRAYING, WIDE, FROM_ABOVE = 0.16, 0.06, 0.15  # shares: digits out of place, digits too wide, rows overrun

DAMAGES = {
    Damage.UNEVEN: 0.15,
    Damage.FAINT: 0.08,
    Damage.BLUR: 0.12,
    Damage.NOISE: 0.15,
    Damage.LOW_RESOLUTION: 0.12,
    Damage.JPEG: 0.25,
    Damage.ONE_BIT: 0.12,
}
"""How often each befalls a row; the other kinds hardly show in so small a part of a page."""

COARSE = (Damage.LOW_RESOLUTION, Damage.BLUR)

Place = tuple[int, int, int, int]
"""Left, top, width and height of written ink, in pixels."""


@dataclass(frozen=True, slots=True)
class Row:
    """Printed boxes in pixels: the white within a box, its lines, and the tones of a grey page."""

    dpi: float
    width: float
    height: float
    line: float
    gap: float  # of white between two boxes; 0: they share a line
    is_table: bool  # its lines go on above and below
    line_tone: int
    paper_tone: int

    @property
    def margin(self) -> float:
        return MARGIN * self.height

    def left(self, index: int) -> float:
        """Where the white of a box starts."""
        step = self.width + self.line + (self.gap + self.line if self.gap else 0)
        return self.margin + self.line + index * step

    @property
    def top(self) -> float:
        return self.margin + self.line

    def size(self, boxes: int) -> tuple[int, int]:
        """Height and width of the image that holds so many boxes."""
        height = 2 * self.margin + 2 * self.line + self.height
        return int(height), int(self.left(boxes - 1) + self.width + self.line + self.margin)


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody fills boxes. Shares are of the white of a box."""

    height: float
    place: tuple[float, float]  # of the slack, from the left and from above
    stretch: float  # of the digits' width
    slant: float
    tone: int
    edge: float  # of the ink's darkness, where a stroke ends: a high one makes a thin pen of a broad one
    sharpness: float


def random_row(rng: np.random.Generator) -> Row:
    """Return boxes of 4.6 to 11 mm at 75 to 300 dpi, in combs, apart, or in a table."""
    dpi = float(rng.choice((75, 100, 120, 150, 200, 240, 300)))
    scale = dpi / MM_PER_INCH
    width = float(np.clip(rng.uniform(4.6, 11.0) * scale, 18, 110))
    paper = int(rng.integers(205, 256))
    dark = rng.random() < 0.6
    kind = rng.random()
    return Row(
        dpi,
        width,
        height=width * float(rng.uniform(0.85, 2.1)),
        line=max(0.6, float(np.exp(rng.uniform(np.log(0.1), np.log(0.8)))) * scale),
        gap=width * float(rng.uniform(0.12, 0.45)) if kind < 0.35 else 0.0,
        is_table=kind > 0.7,
        line_tone=int(rng.integers(10, 80) if dark else rng.integers(80, paper - 40)),
        paper_tone=paper,
    )


def random_manner(row: Row, rng: np.random.Generator) -> Manner:
    """Return a writer: ballpoint, felt pen or pencil, small or large, upright or slanting."""
    contrast = rng.uniform(0.65, 0.97) if rng.random() < 0.75 else rng.uniform(0.38, 0.65)
    return Manner(
        height=float(rng.uniform(0.38, 0.95)),
        place=(float(rng.normal(0.5, 0.22)), float(rng.normal(0.5, 0.25))),
        stretch=float(np.exp(rng.normal(0, 0.12) if rng.random() < 0.85 else rng.uniform(-0.5, 0.8))),
        slant=float(np.clip(rng.normal(0, 0.12), -0.3, 0.35)),
        tone=int(row.paper_tone * (1 - contrast)),
        edge=float(rng.uniform(0.25, 0.75) if rng.random() < 0.85 else rng.uniform(0.08, 0.25)),
        sharpness=float(np.exp(rng.uniform(0, np.log(6)))),
    )


def write_in_cells(inks: Sequence[Ink], rng: np.random.Generator) -> list[Glyph | None]:
    """Write each ink into a box of a row, scan the row, and return what `segmentation` cuts out.

    An ink is light on black, of any size; its image is as high as a digit of that writer, so what is lower
    has black above or below. None stands where a box came out blank and where its label would be untrue:
    where too little of the ink is in the box, or what was cut is something else.
    """
    row = random_row(rng)
    manner = random_manner(row, rng)
    image = _print_row(row, len(inks))
    written = [_write(image, ink, row, index, manner=manner, rng=rng) for index, ink in enumerate(inks)]
    if rng.random() < FROM_ABOVE:
        ink, index = (int(number) for number in rng.integers(len(inks), size=2))
        _overrun(image, inks[ink], row, index, manner=manner, rng=rng)
    scan, turn = _scan(image, row, rng)
    quads = _found(row, len(inks), turn, rng)
    (cells,) = cut_cells(Page(scan), [Field("row", quads, Box(0, 0, scan.shape[1], scan.shape[0]))])
    return [
        cell.glyph if place is not None and _shows(cell, place, turn) else None
        for cell, place in zip(cells, written, strict=True)
    ]


def _print_row(row: Row, boxes: int) -> Image:
    image = np.full(row.size(boxes), row.paper_tone, np.uint8)
    tone = (row.line_tone,) * 3
    above, below = row.top - row.line, row.top + row.height
    ends = (0.0, float(image.shape[0])) if row.is_table else (above, below + row.line)
    lefts = [row.left(index) for index in range(boxes)]
    for left in lefts:
        tint(image, (left - row.line, ends[0], left, ends[1]), tone)
        if row.gap or left is lefts[-1]:
            tint(image, (left + row.width, ends[0], left + row.width + row.line, ends[1]), tone)
    spans = [(left, left + row.width) for left in lefts] if row.gap else [(lefts[0], lefts[-1] + row.width)]
    for left, right in spans:
        for y in (above, below):
            tint(image, (left - row.line, y, right + row.line, y + row.line), tone)
    return image


def _write(
    image: Image, ink: Ink, row: Row, index: int, *, manner: Manner, rng: np.random.Generator
) -> Place | None:
    """Write into a box and return where; None where so much went astray that nobody would call it in it."""
    factor = row.height * manner.height * float(rng.normal(1, 0.06)) / ink.shape[0]
    stretch = manner.stretch
    too_wide = ink.shape[1] * factor * stretch / (row.width * float(rng.uniform(0.75, 1.02)))
    if too_wide > 1 and rng.random() >= WIDE:
        stretch /= min(too_wide, 1.25)  # digits grow narrow first, then small
        factor /= max(too_wide / 1.25, 1.0)
    size = np.array((ink.shape[1] * stretch, ink.shape[0])) * factor
    slack = np.maximum((row.width, row.height) - size, 0)
    corner = np.array((row.left(index), row.top))
    centre = corner + slack * np.clip(rng.normal(manner.place, 0.12), 0, 1) + size / 2
    if rng.random() < STRAYING:
        centre += rng.uniform(-0.18, 0.18, 2) * (row.width, row.height)
    drawn, at = _lay(image, _as_drawn(ink, factor, manner), centre, stretch, manner=manner, rng=rng)
    return _place_in_box(drawn, at, row, index)


def _as_drawn(ink: Ink, factor: float, manner: Manner) -> Ink:
    """Return the ink that many times as large, its strokes with a pen's edge where enlarging blurred them."""
    large = zoom(ink, factor)
    if factor < 1:
        return large
    level, darkest = np.arange(256), float(ink.max())
    room = min(manner.edge, 1 - manner.edge)  # a sharpness of 1 keeps paper and core as they are
    steepness = manner.sharpness / (2 * room)
    edged = (level - manner.edge * darkest) * steepness + darkest / 2
    return np.asarray(cv2.LUT(large, np.clip(edged, 0, darkest).astype(np.uint8)), np.uint8)


def _lay(
    image: Image,
    ink: Ink,
    centre: npt.NDArray[np.float64],
    stretch: float,
    *,
    manner: Manner,
    rng: np.random.Generator,
) -> tuple[Ink, tuple[int, int]]:
    """Stretch, slant and turn the ink and lay it on the image; return it and its first pixel there."""
    turn = np.radians(np.clip(rng.normal(0, TURN_DEGREES), -12, 12))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    bend = rotation @ np.array([[stretch, -manner.slant], [0.0, 1.0]])
    reach = np.abs(bend) @ (ink.shape[1] / 2, ink.shape[0] / 2) + 1
    left, top = np.floor(centre - reach).astype(int).tolist()
    width, height = (np.ceil(2 * reach).astype(int) + 1).tolist()
    offset = centre - (left, top) - bend @ (ink.shape[1] / 2, ink.shape[0] / 2)
    drawn = np.asarray(cv2.warpAffine(ink, np.column_stack([bend, offset]), (width, height)), np.uint8)
    skipped = max(-left, 0), max(-top, 0)
    part = image[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    seen = drawn[skipped[1] :, skipped[0] :][: part.shape[0], : part.shape[1]]
    blend(part, seen / np.float32(255), (manner.tone,) * 3)
    return drawn, (left, top)


def _place_in_box(drawn: Ink, at: tuple[int, int], row: Row, index: int) -> Place | None:
    """Return the rectangle of the part of the ink that is in the box, None where too little of it is."""
    left, top = round(row.left(index)) - at[0], round(row.top) - at[1]
    x, y = max(left, 0), max(top, 0)
    within = drawn[y : max(top + round(row.height), 0), x : max(left + round(row.width), 0)]
    if not within.size or float(within.sum()) < LEAST_WITHIN * float(drawn.sum()):
        return None
    inner_x, inner_y, width, height = cv2.boundingRect((within > FAINT_INK).astype(np.uint8))
    return at[0] + x + inner_x, at[1] + y + inner_y, width, height


def _overrun(
    image: Image, ink: Ink, row: Row, index: int, *, manner: Manner, rng: np.random.Generator
) -> None:
    """Let a digit of the row above or below reach into a box."""
    factor = row.height * manner.height / ink.shape[0]
    reach = float(rng.uniform(0.0, 0.12)) * row.height
    half = ink.shape[0] * factor / 2
    y = rng.choice((row.top + reach - half, row.top + row.height - reach + half))
    centre = np.array((row.left(index) + row.width * rng.uniform(0.2, 0.8), y))
    _lay(image, _as_drawn(ink, factor, manner), centre, manner.stretch, manner=manner, rng=rng)


def _scan(image: Image, row: Row, rng: np.random.Generator) -> tuple[Image, Affine]:
    """Return the row as it comes from a scanner, and how it was turned on the way."""
    degrees = float(np.clip(rng.normal(0, 1.5), -5, 5)) if rng.random() < 0.5 else 0.0
    turn, size = skew(image.shape, degrees)
    if degrees:
        turned = cv2.warpAffine(image, turn, size, borderValue=(row.paper_tone,) * 3)
        image = np.asarray(turned, np.uint8)
    optics = float(rng.uniform(0, MOST_SOFTNESS))
    if optics > LEAST_SOFTNESS:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), optics), np.uint8)
    for damage, share in DAMAGES.items():  # in the order in which they befall a page
        if rng.random() < share and (damage not in COARSE or row.height >= FINEST_COARSENED):
            image = inflict(image, damage, row.dpi, rng)
    return image, turn


def _found(row: Row, boxes: int, turn: Affine, rng: np.random.Generator) -> tuple[Quad, ...]:
    """Return the boxes as a finder sees them: a pixel off here and there."""
    finest = min(row.dpi / 200, 1.0)
    spread = float(rng.uniform(0.1, 0.8)) * finest
    shift = rng.normal(0, spread, 2)
    quads = []
    for index in range(boxes):
        left, top = row.left(index), row.top
        right, bottom = left + row.width, top + row.height
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        corners = corners @ turn[:, :2].T + turn[:, 2] + np.clip(shift + rng.normal(0, spread, (4, 2)), -2, 2)
        quads.append(Quad(*(Point(x, y) for x, y in corners.tolist())))
    return tuple(quads)


def _shows(cell: Cell, place: Place, turn: Affine) -> bool:
    """Return whether what was cut is what was written, going by where on the page the two stand."""
    x, y, width, height = place
    middle = turn[:, :2] @ (x + width / 2, y + height / 2) + turn[:, 2]
    slack = 2 * SLACK
    written = Box(
        round(middle[0] - width / 2) - SLACK,
        round(middle[1] - height / 2) - SLACK,
        width + slack,
        height + slack,
    )
    cut = cell.ink_box
    grown = Box(cut.x - SLACK, cut.y - SLACK, cut.width + slack, cut.height + slack)
    return written.intersection_over_union(grown) >= LEAST_OVERLAP
