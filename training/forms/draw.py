"""A sheet becomes a scanned page with known truth: printed, filled in by hand, laid askew, scanned badly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box, Point, Quad, enclosing_box
from segmentation.page import Page
from training.forms.damage import Affine, Damage, Image, inflict, skew
from training.forms.layout import COLOURS, LayoutSpec, lay_out
from training.forms.pen import DigitSource, Ink, PenDigits, crop, random_hand
from training.forms.sheet import (
    BLANK,
    BoxedField,
    Colour,
    FieldKind,
    Line,
    Print,
    Rect,
    Ruling,
    Scribble,
    Sheet,
)

MM_PER_INCH = 25.4
SHIFT = 4  # OpenCV takes coordinates as whole numbers; these many bits of them are fractions of a pixel
BLUE_BLACK: Colour = (70, 40, 30)


@dataclass(frozen=True, slots=True)
class TrueField:
    """A field as it lies on the drawn page, after skew. `value`: one character a box, "_" for a blank one."""

    name: str
    value: str
    box: Box  # encloses the outer edges of the printed boxes, in page pixels
    cells: tuple[Quad, ...]  # the same edges, box by box
    kind: FieldKind


@dataclass(frozen=True, slots=True, eq=False)
class DrawnForm:
    page: Page
    fields: tuple[TrueField, ...]
    image: Image  # what `page` shows, in colour if that was asked for


@dataclass(frozen=True, slots=True)
class Capture:
    """How a filled sheet got into the computer."""

    dpi: int = 200
    skew_degrees: float = 0.0  # clockwise is positive
    damages: tuple[Damage, ...] = ()
    colour: bool = False


@dataclass(frozen=True, slots=True)
class FormSpec:
    """A drawn page, down to its last pixel: the same spec and digits give the same page."""

    layout: LayoutSpec
    capture: Capture = Capture()
    seed: int = 0


def draw_form(
    values: str,
    *,
    kind: FieldKind = FieldKind.COMB,
    ruling: Ruling = Ruling(),  # noqa: B008  frozen
    dpi: int = 200,
    skew_degrees: float = 0.0,
    damages: Iterable[Damage] = (),
    colour: bool = False,
    seed: int = 0,
    digits: DigitSource | None = None,
) -> DrawnForm:
    """Draw a page with one field per word of `values` ("_" is a blank box) among printed text and tables."""
    layout = LayoutSpec(tuple(values.split()), kind, ruling=ruling)
    return draw_spec(FormSpec(layout, Capture(dpi, skew_degrees, tuple(damages), colour), seed), digits)


def draw_spec(spec: FormSpec, digits: DigitSource | None = None) -> DrawnForm:
    """Draw the page of a spec. Without `digits` a pen-stroke hand, chosen by the seed, writes them."""
    rng = np.random.default_rng(spec.seed)
    sheet = lay_out(spec.layout, rng)
    digits = digits or PenDigits(random_hand(rng))
    return draw_sheet(sheet, spec.capture, digits, rng)


def draw_sheet(
    sheet: Sheet, capture: Capture, digits: DigitSource, rng: np.random.Generator, pen: Colour = BLUE_BLACK
) -> DrawnForm:
    """Print a sheet, fill it in, and scan it."""
    scale = capture.dpi / MM_PER_INCH
    size = (round(sheet.height * scale), round(sheet.width * scale))
    image = np.full((*size, 3) if capture.colour else size, 255, np.uint8)
    for shade in sheet.shades:
        _fill(image, shade.rect, shade.colour, scale)
    for text in sheet.prints:
        _print(image, text, scale)
    for line in sheet.lines:
        _rule(image, line, scale)
    for field in sheet.fields:
        _fill_in(image, field, scale, digits=digits, pen=pen, rng=rng)
    for stroke in sheet.scribbles:
        _scribble(image, stroke, scale, pen)

    turn, page_size = skew(image.shape, capture.skew_degrees)
    if capture.skew_degrees:
        lid = 45 if Damage.BORDER in capture.damages else 255  # what the scanner sees beside the paper
        border = (lid,) * 3
        image = _uint8(cv2.warpAffine(image, turn, page_size, flags=cv2.INTER_LINEAR, borderValue=border))
    for damage in Damage:  # in the order in which they befall a page
        if damage in capture.damages:
            image = inflict(image, damage, capture.dpi, rng)
    fields = tuple(_truth(field, scale, turn) for field in sheet.fields)
    grey = image if image.ndim == 2 else _uint8(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    return DrawnForm(Page(grey, float(capture.dpi)), fields, image)


@dataclass(frozen=True, slots=True, eq=False)
class PastedDigits:
    """Labelled digit images, such as MNIST, as a digit source: pasted with their ink scaled smoothly."""

    images: npt.NDArray[np.uint8]  # (n, height, width), ink light on black
    labels: npt.NDArray[np.integer]

    def __call__(self, digit: int, height_px: float, rng: np.random.Generator) -> Ink:
        ink = crop(self.images[rng.choice(np.flatnonzero(self.labels == digit))])
        factor = height_px / ink.shape[0]
        shrinking = factor < 1
        return _uint8(
            cv2.resize(
                ink,
                None,
                fx=factor,
                fy=factor,
                interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC,
            )
        )


def random_spec(
    seed: int, *, dpis: Sequence[int] = (150, 200, 300), kinds: Sequence[FieldKind] = tuple(FieldKind)
) -> FormSpec:
    """Return a spec by chance: every kind, line, skew and damage comes up, up to three damages a page.

    Boxes are at least 24 pixels wide (19 in a header): smaller ones nobody would scan so.
    """
    rng = np.random.default_rng((seed, 1))
    kind = kinds[seed % len(kinds)]
    dpi = int(rng.choice(dpis))
    count = int(rng.choice(4, p=(0.34, 0.33, 0.22, 0.11)))
    damages = tuple(Damage(str(name)) for name in rng.choice(list(Damage), count, replace=False))
    box_width = float(rng.uniform(max(5.0, 24 * MM_PER_INCH / dpi), 10.0))
    # Pale lines that one threshold wipes out leave no boxes to find: nobody scans such a form to 1 bit.
    colours = [name for name in COLOURS if name == "black" or Damage.ONE_BIT not in damages]
    colour = COLOURS["black" if rng.random() < 0.5 else str(rng.choice(colours))]
    layout = LayoutSpec(
        values=tuple(_random_values(kind, rng)),
        kind=kind,
        box_width=box_width,
        box_height=box_width * float(rng.uniform(0.9, 1.9 if kind is FieldKind.TABLE else 1.5)),
        gap=box_width * float(rng.uniform(0.12, 0.45)),
        large=float(rng.uniform(1.1, 1.4)) if rng.random() < 0.3 else 1.0,
        header="".join(map(str, rng.integers(0, 10, 6))) if rng.random() < 0.3 else "",
        ruling=Ruling(float(rng.uniform(0.15, 0.7)), colour),
        paragraphs=int(rng.integers(0, 3)),
        word_table=bool(rng.random() < 0.5),
        signatures=int(rng.integers(0, 4)),
        frame=bool(rng.random() < 0.2),
        watermark=bool(rng.random() < 0.15 and Damage.ONE_BIT not in damages),
    )
    degrees = float(rng.choice((0.0, rng.uniform(-2, 2), rng.uniform(-5, 5)), p=(0.3, 0.4, 0.3)))
    return FormSpec(layout, Capture(dpi, degrees, damages), seed)


def _random_values(kind: FieldKind, rng: np.random.Generator) -> list[str]:
    """Return what a page's fields hold: some left blank altogether, some with blank boxes in front."""
    count = int(rng.integers(5, 16))
    table_boxes = int(rng.integers(2, 5))
    values = []
    for _ in range(count):
        boxes = table_boxes if kind is FieldKind.TABLE else int(rng.integers(2, 9))
        blanks = boxes if rng.random() < 0.1 else int(rng.integers(0, boxes)) if rng.random() < 0.3 else 0
        values.append(BLANK * blanks + "".join(map(str, rng.integers(0, 10, boxes - blanks))))
    return values


def _fill(image: Image, rect: Rect, colour: Colour, scale: float) -> None:
    corners = (
        (round(rect.x * scale), round(rect.y * scale)),
        (round(rect.right * scale), round(rect.bottom * scale)),
    )
    cv2.rectangle(image, *corners, _tone(image, colour), -1)


def _rule(image: Image, line: Line, scale: float) -> None:
    """Print an upright line as a rectangle, so that its width may be any fraction of a pixel."""
    half = line.ruling.width_mm * scale / 2
    left, right = sorted((line.x1 * scale, line.x2 * scale))
    top, bottom = sorted((line.y1 * scale, line.y2 * scale))
    _tint(image, (left - half, top - half, right + half, bottom + half), line.ruling.colour)


def _tint(image: Image, edges: tuple[float, float, float, float], colour: Colour) -> None:
    """Darken an upright rectangle; a pixel it covers in part gets its part of the colour."""
    left, top, right, bottom = edges
    x, y = max(int(left), 0), max(int(top), 0)
    part = image[y : int(np.ceil(bottom)), x : int(np.ceil(right))]
    columns = _coverage(x, part.shape[1], left, right)
    rows = _coverage(y, part.shape[0], top, bottom)
    _blend(part, np.outer(rows, columns), colour)


def _coverage(start: int, count: int, low: float, high: float) -> npt.NDArray[np.float64]:
    pixel = np.arange(start, start + count)
    return np.asarray(np.clip(np.minimum(pixel + 1, high) - np.maximum(pixel, low), 0, 1), np.float64)


def _blend(part: Image, cover: npt.NDArray[np.floating], colour: Colour) -> None:
    """Lay a colour over a part of an image in place, never making it lighter: ink on paper."""
    tone = np.array(_tone(part, colour), np.float32)
    if part.ndim == 3:
        cover, tone = cover[:, :, None], tone[:3]
    mixed = part * (1 - cover) + tone * cover
    np.minimum(part, np.rint(mixed).astype(np.uint8), out=part)


def _print(image: Image, text: Print, scale: float) -> None:
    font = cv2.FONT_HERSHEY_DUPLEX if text.bold else cv2.FONT_HERSHEY_SIMPLEX
    height = max(text.height * scale, 6.0)
    thickness = max(1, round(height / 14))
    size = height / cv2.getTextSize("H", font, 1.0, 1)[0][1]
    origin = (round(text.x * scale), round(text.y * scale))
    cv2.putText(image, text.text, origin, font, size, _tone(image, text.colour), thickness, cv2.LINE_AA)


def _fill_in(
    image: Image,
    field: BoxedField,
    scale: float,
    *,
    digits: DigitSource,
    pen: Colour,
    rng: np.random.Generator,
) -> None:
    """Write a field's digits into its boxes: in a line of the writer's own, at times over a printed one."""
    size = rng.uniform(0.42, 0.82)  # real writers fill two fifths of a high box, or all of a low one
    place = rng.normal(0.5, 0.13, 2)  # of the slack to the left and above
    for cell, character in zip(field.cells, field.value, strict=True):
        if character == BLANK:
            continue
        width, height = cell.width * scale, cell.height * scale
        ink = digits(int(character), height * size, rng)
        too_wide = ink.shape[1] / (0.86 * width)
        if too_wide > 1:
            ink = _zoom(ink, 1 / too_wide)
        slack = np.maximum((width - ink.shape[1], height - ink.shape[0]), 0)
        x, y = np.array((cell.x, cell.y)) * scale + slack * np.clip(rng.normal(place, 0.1), -0.03, 1.03)
        _write(image, ink, round(x), round(y), pen)


def _write(image: Image, ink: Ink, x: int, y: int, pen: Colour) -> None:
    x, y = max(x, 0), max(y, 0)
    part = image[y : y + ink.shape[0], x : x + ink.shape[1]]
    _blend(part, ink[: part.shape[0], : part.shape[1]] / np.float32(255), pen)


def _scribble(image: Image, stroke: Scribble, scale: float, pen: Colour) -> None:
    points = np.rint(np.array(stroke.points) * scale * (1 << SHIFT)).astype(np.int32)
    thickness = max(1, round(stroke.width_mm * scale))
    cv2.polylines(image, [points], False, _tone(image, pen), thickness, cv2.LINE_AA, SHIFT)


def _truth(field: BoxedField, scale: float, turn: Affine) -> TrueField:
    half = field.ruling.width_mm / 2
    cells = tuple(_outer_quad(cell, half, scale, turn) for cell in field.cells)
    return TrueField(field.name, field.value, enclosing_box(cells), cells, field.kind)


def _outer_quad(cell: Rect, half_line: float, scale: float, turn: Affine) -> Quad:
    left, right = cell.x - half_line, cell.right + half_line
    top, bottom = cell.y - half_line, cell.bottom + half_line
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) * scale
    return Quad(*(Point(float(x), float(y)) for x, y in corners @ turn[:, :2].T + turn[:, 2]))


def _zoom(ink: Ink, factor: float) -> Ink:
    smooth = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return _uint8(cv2.resize(ink, None, fx=factor, fy=factor, interpolation=smooth))


def _tone(image: Image, colour: Colour) -> tuple[int, ...]:
    """Return a colour as the image has it: itself, or its luminance (ITU-R BT.601) on a grey one."""
    if image.ndim == 3:
        return colour
    blue, green, red = colour
    return (round(0.114 * blue + 0.587 * green + 0.299 * red),)


def _uint8(image: npt.NDArray[np.generic] | cv2.typing.MatLike) -> npt.NDArray[np.uint8]:
    return np.asarray(image, np.uint8)
