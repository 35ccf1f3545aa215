"""A sheet becomes a scanned page with known truth: printed, filled in by hand, laid askew, scanned badly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import Box, Point, Quad, enclosing_box
from segmentation.page import Page
from training.forms.damage import Affine, Damage, Image, inflict, skew
from training.forms.ink import DigitSource, Ink, zoom
from training.forms.layout import LayoutSpec, lay_out
from training.forms.pen import PenDigits, random_hand
from training.forms.sheet import (
    BLANK,
    BoxedField,
    Circle,
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
STRAYING = 0.06  # share of digits written out of place; half of those touch or cross a line
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
    print_sheet(image, sheet, scale)
    for field in sheet.fields:
        fill_in(image, field, scale, digits=digits, pen=pen, rng=rng)
    for stroke in sheet.scribbles:
        scribble(image, stroke, scale, pen)

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


def print_sheet(image: Image, sheet: Sheet, scale: float) -> None:
    """Print all of a sheet that comes from the printer; `scale` is pixels a millimetre."""
    for shade in sheet.shades:
        _shade(image, shade.rect, shade.colour, scale)
    for text in sheet.prints:
        _print(image, text, scale)
    for line in sheet.lines:
        _rule(image, line, scale)
    for circle in sheet.circles:
        _ring(image, circle, scale)


def _shade(image: Image, rect: Rect, colour: Colour, scale: float) -> None:
    edges = (rect.x * scale, rect.y * scale, rect.right * scale, rect.bottom * scale)
    tint(image, edges, colour)


def _ring(image: Image, circle: Circle, scale: float) -> None:
    centre = (round(circle.x * scale * (1 << SHIFT)), round(circle.y * scale * (1 << SHIFT)))
    thickness = -1 if circle.filled else max(1, round(circle.ruling.width_mm * scale))
    tone = _tone(image, circle.ruling.colour)
    radius = round(circle.radius * scale * (1 << SHIFT))
    cv2.circle(image, centre, radius, tone, thickness, cv2.LINE_AA, SHIFT)


def _rule(image: Image, line: Line, scale: float) -> None:
    """Print an upright line as a rectangle, so that its width may be any fraction of a pixel."""
    half = line.ruling.width_mm * scale / 2
    left, right = sorted((line.x1 * scale, line.x2 * scale))
    top, bottom = sorted((line.y1 * scale, line.y2 * scale))
    tint(image, (left - half, top - half, right + half, bottom + half), line.ruling.colour)


def tint(image: Image, edges: tuple[float, float, float, float], colour: Colour) -> None:
    """Darken an upright rectangle; a pixel it covers in part gets its part of the colour."""
    left, top, right, bottom = edges
    x, y = max(int(left), 0), max(int(top), 0)
    part = image[y : int(np.ceil(bottom)), x : int(np.ceil(right))]
    columns = _coverage(x, part.shape[1], left, right)
    rows = _coverage(y, part.shape[0], top, bottom)
    blend(part, np.outer(rows, columns), colour)


def _coverage(start: int, count: int, low: float, high: float) -> npt.NDArray[np.float64]:
    pixel = np.arange(start, start + count)
    return np.asarray(np.clip(np.minimum(pixel + 1, high) - np.maximum(pixel, low), 0, 1), np.float64)


def blend(part: Image, cover: npt.NDArray[np.floating], colour: Colour) -> None:
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


def fill_in(
    image: Image,
    field: BoxedField,
    scale: float,
    *,
    digits: DigitSource,
    pen: Colour,
    rng: np.random.Generator,
) -> None:
    """Write a field's digits into the white of its boxes, in a line of the writer's own, some astray."""
    size = rng.uniform(0.42, 0.85)  # real writers fill two fifths of a high box, or nearly all of a low one
    place = rng.normal(0.5, 0.13, 2)  # of the slack to the left and above
    line = field.ruling.width_mm
    for cell, character in zip(field.cells, field.value, strict=True):
        if character == BLANK:
            continue
        corner = np.array((cell.x + line / 2, cell.y + line / 2)) * scale
        white = np.array((cell.width - line, cell.height - line)) * scale
        ink = digits(int(character), white[1] * size, rng)
        too_wide = ink.shape[1] / (0.92 * white[0])
        if too_wide > 1:
            ink = zoom(ink, 1 / too_wide)
        slack = np.maximum(white - (ink.shape[1], ink.shape[0]), 0)
        at = corner + slack * np.clip(rng.normal(place, 0.1), 0, 1)
        if rng.random() < STRAYING:
            at += rng.uniform(-0.15, 0.15, 2) * white
        write_ink(image, ink, round(at[0]), round(at[1]), pen)


def write_ink(image: Image, ink: Ink, x: int, y: int, pen: Colour) -> None:
    """Lay ink on an image with its upper left corner at (x, y)."""
    x, y = max(x, 0), max(y, 0)
    part = image[y : y + ink.shape[0], x : x + ink.shape[1]]
    blend(part, ink[: part.shape[0], : part.shape[1]] / np.float32(255), pen)


def scribble(image: Image, stroke: Scribble, scale: float, pen: Colour) -> None:
    """Draw a stroke of the pen."""
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


def _tone(image: Image, colour: Colour) -> tuple[int, ...]:
    """Return a colour as the image has it: itself, or its luminance (ITU-R BT.601) on a grey one."""
    if image.ndim == 3:
        return colour
    blue, green, red = colour
    return (round(0.114 * blue + 0.587 * green + 0.299 * red),)


def _uint8(image: npt.NDArray[np.generic] | cv2.typing.MatLike) -> npt.NDArray[np.uint8]:
    return np.asarray(image, np.uint8)
