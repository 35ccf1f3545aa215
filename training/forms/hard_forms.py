"""Hard pages by chance: every kind of boxes under every damage, with true places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segmentation.geometry import Box, Point, Quad, enclosing_box
from segmentation.page import Page
from training.forms.box_kinds import BoxKind, random_style
from training.forms.camera import PHOTOS, photograph
from training.forms.damage import Image
from training.forms.distractors import Distractor, LetterComb
from training.forms.draw import MM_PER_INCH, fill_in, print_sheet, scribble, write_ink
from training.forms.hard_layout import Entry, HardSheet, lay_out_hard
from training.forms.ink import DigitSource, zoom
from training.forms.marks import LOOKALIKE_LETTERS, PLAIN_LETTERS
from training.forms.page_damage import Homography, PageDamage, moved, scan
from training.forms.pen import Hand, PenDigits, draw_strokes, random_hand
from training.forms.sheet import BLANK, BoxedField, Colour, FieldKind, Rect, Ruling

SEED_ROOM = 4  # keeps these pages' randomness apart from that of other drawn forms with the same seed
STRIDES = (
    9,
    5,
)  # through kinds and damages, so that few seeds show scans and photos, boxes and whole numbers
TOUCHING = 0.15  # share of neighbours in a whole number that come too near
DPIS, DPI_SHARES = (150, 200, 300), (0.35, 0.45, 0.2)
LETTERS = PLAIN_LETTERS | LOOKALIKE_LETTERS
DIGIT_OF_BOX = 0.62  # height of a usual digit as a share of its box's


@dataclass(frozen=True, slots=True)
class PlacedField:
    """A field as it lies on a page. `value`: a character a box, "_" blank; or a whole number in one box.

    Corners are those of the outer edges of the printed boxes, clockwise as one reads, the first at the top
    left for who holds the sheet upright.
    """

    name: str
    value: str
    quad: Quad
    cells: tuple[Quad, ...]
    whites: tuple[Quad, ...]  # the inner edges of the same boxes

    @property
    def box(self) -> Box:
        """The upright rectangle that encloses the field, in page pixels."""
        return enclosing_box([self.quad])


@dataclass(frozen=True, slots=True)
class PlacedDistractor:
    """Where on a page something stands that is no digit field."""

    kind: Distractor
    quad: Quad

    @property
    def box(self) -> Box:
        return enclosing_box([self.quad])


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPage:
    """A page with all that is true of it."""

    page: Page
    seed: int
    kind: BoxKind
    damage: PageDamage
    fields: tuple[PlacedField, ...]
    letters: tuple[PlacedField, ...]  # combs that hold a name: no digits
    distractors: tuple[PlacedDistractor, ...]

    @property
    def is_photo(self) -> bool:
        return self.damage in PHOTOS


def kind_and_damage(seed: int) -> tuple[BoxKind, PageDamage]:
    """Return what a seed draws unless told otherwise; so many seeds as there are pairs draw each once."""
    kinds, damages = list(BoxKind), list(PageDamage)
    rounds, index = divmod(seed, len(kinds) * len(damages))
    kind, column = STRIDES[0] * index, index // len(kinds) + STRIDES[1] * index + rounds
    return kinds[kind % len(kinds)], damages[column % len(damages)]


def random_hard_form(
    seed: int,
    kind: BoxKind | None = None,
    damage: PageDamage | None = None,
    *,
    digits: DigitSource | None = None,
    bare: bool = False,
) -> DrawnPage:
    """Draw a page of one kind of boxes with one damage; the same arguments give the same pixels.

    Without `digits` a pen-stroke hand, chosen by the seed, writes them. A `bare` page is the same, but that
    nothing is printed on it: what was written stands alone.
    """
    by_seed = kind_and_damage(seed)
    kind, damage = kind or by_seed[0], damage or by_seed[1]
    style_rng, layout_rng, pen_rng, taking_rng = np.random.default_rng((seed, SEED_ROOM)).spawn(4)
    style = random_style(kind, style_rng, darkest_only=damage is PageDamage.ONE_BIT)
    dpi = int(style_rng.choice(DPIS, p=DPI_SHARES))
    scale = dpi / MM_PER_INCH
    writer = _random_writer(pen_rng, digits)
    count = 2 if damage is PageDamage.SPREAD else 1
    sheets = [lay_out_hard(style, layout_rng) for _ in range(count)]
    images = [_drawn(sheet, scale, writer, pen_rng, bare=bare) for sheet in sheets]
    verso = None
    if damage is PageDamage.BLEED_THROUGH:
        verso = _drawn(lay_out_hard(style, layout_rng), scale, writer, pen_rng)
    digit_px = DIGIT_OF_BOX * style.height * scale
    if damage in PHOTOS:
        taken = photograph(images[0], damage, dpi, taking_rng)
    else:
        taken = scan(images, damage, dpi, taking_rng, verso=verso, digit_px=digit_px)
    places = [
        _Places(sheet, prefix, scale, view)
        for sheet, prefix, view in zip(sheets, ("", "right "), taken.views, strict=False)
    ]
    return DrawnPage(
        Page(taken.image),
        seed,
        kind,
        damage,
        tuple(field for place in places for field in place.fields()),
        tuple(comb for place in places for comb in place.letters()),
        tuple(distractor for place in places for distractor in place.distractors()),
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """A sheet as it lies on the page."""

    hard: HardSheet
    prefix: str
    scale: float
    view: Homography

    def fields(self) -> Iterator[PlacedField]:
        for entry in self.hard.entries:
            yield self._field(entry.name, entry)

    def letters(self) -> Iterator[PlacedField]:
        combs = [comb for block in self.hard.blocks for comb in block.combs]
        for number, comb in enumerate(combs, start=1):
            yield self._field(f"name {number}", comb)

    def distractors(self) -> Iterator[PlacedDistractor]:
        for block in self.hard.blocks:
            yield PlacedDistractor(block.kind, self._quad(block.rect, 0.0))

    def _field(self, name: str, printed: Entry | LetterComb) -> PlacedField:
        cells = tuple(self._quad(cell, printed.line / 2) for cell in printed.cells)
        first, last = cells[0], cells[-1]
        around = Quad(first.top_left, last.top_right, last.bottom_right, first.bottom_left)
        whites = tuple(self._quad(cell, -printed.line / 2) for cell in printed.cells)
        return PlacedField(self.prefix + name, printed.value, around, cells, whites)

    def _quad(self, rect: Rect, half_line: float) -> Quad:
        left, right = rect.x - half_line, rect.right + half_line
        top, bottom = rect.y - half_line, rect.bottom + half_line
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) * self.scale
        return Quad(*(Point(x, y) for x, y in moved(self.view, corners).tolist()))


@dataclass(frozen=True, slots=True)
class _Writer:
    digits: DigitSource
    hand: Hand
    pen: Colour
    size: float  # of a digit, as a share of the box's height
    spacing: float  # between the digits of a whole number, in digit heights


def _random_writer(rng: np.random.Generator, digits: DigitSource | None) -> _Writer:
    hand = random_hand(rng)
    tone = int(rng.integers(15, 85))
    return _Writer(
        digits or PenDigits(hand),
        hand,
        (tone,) * 3,
        size=float(rng.uniform(0.45, 0.8)),
        spacing=float(rng.uniform(0.06, 0.3)),
    )


def _drawn(
    hard: HardSheet, scale: float, writer: _Writer, rng: np.random.Generator, *, bare: bool = False
) -> Image:
    """Return the sheet, printed unless it is to be bare, and filled in, in grey."""
    sheet = hard.sheet
    image = np.full((round(sheet.height * scale), round(sheet.width * scale)), 255, np.uint8)
    if not bare:
        print_sheet(image, sheet, scale)
    for entry in hard.entries:
        if hard.kind is BoxKind.WHOLE:
            _write_number(image, entry, scale, writer, rng)
        else:
            boxed = BoxedField(entry.name, FieldKind.COMB, entry.cells, entry.value, Ruling(entry.line))
            fill_in(image, boxed, scale, digits=writer.digits, pen=writer.pen, rng=rng)
    for comb in (comb for block in hard.blocks for comb in block.combs):
        _write_name(image, comb, scale, writer, rng)
    for stroke in sheet.scribbles:
        scribble(image, stroke, scale, writer.pen)
    return image


def _write_number(
    image: Image, entry: Entry, scale: float, writer: _Writer, rng: np.random.Generator
) -> None:
    """Write a number into its one box, its digits at the writer's own distance, some too near or touching."""
    if entry.value == BLANK:
        return
    (box,) = entry.cells
    white = np.array((box.width - entry.line, box.height - entry.line)) * scale
    height = white[1] * writer.size
    inks = [writer.digits(int(digit), height, rng) for digit in entry.value]
    gaps = [_gap(writer, rng) * height for _ in inks[1:]]
    total = sum(ink.shape[1] for ink in inks) + sum(gaps)
    shrunk = min(1.0, 0.94 * white[0] / total)
    inks, gaps = [zoom(ink, shrunk) if shrunk < 1 else ink for ink in inks], [gap * shrunk for gap in gaps]
    left = (box.x + entry.line / 2) * scale + max(white[0] - total * shrunk, 0) * rng.beta(2, 3)
    middle = (box.y + box.height / 2) * scale + rng.normal(0, 0.05) * white[1]
    slope = rng.normal(0, 0.015)
    for ink, gap in zip(inks, [*gaps, 0.0], strict=True):
        top = middle - ink.shape[0] / 2 + rng.normal(0, 0.025) * height
        write_ink(image, ink, round(left), round(top), writer.pen)
        left += ink.shape[1] + gap
        middle += slope * ink.shape[1]


def _write_name(
    image: Image, comb: LetterComb, scale: float, writer: _Writer, rng: np.random.Generator
) -> None:
    for cell, letter in zip(comb.cells, comb.value, strict=True):
        if letter != BLANK:
            height = 0.9 * writer.size * cell.height * scale
            ink = draw_strokes(LETTERS[letter], height, writer.hand, rng)
            at = np.array((cell.x + cell.width / 2, cell.y + cell.height / 2)) * scale
            left, top = at - np.array((ink.shape[1], ink.shape[0])) / 2 + rng.normal(0, 0.04, 2) * height
            write_ink(image, ink, round(left), round(top), writer.pen)


def _gap(writer: _Writer, rng: np.random.Generator) -> float:
    if rng.random() < TOUCHING:
        return float(rng.uniform(-0.1, 0.03))
    return max(float(rng.normal(writer.spacing, 0.05)), 0.02)
