"""What became of a page stage by stage, a picture each, for people who wonder why it was read as it was."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, product

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segmentation.boxes import PrintedBoxes
from segmentation.cells import cut_cells, patch_around
from segmentation.fields import find_fields, look
from segmentation.geometry import Quad
from segmentation.lines import Lines
from segmentation.page import Cell, Field, Page, PageLayout
from segmentation.page_frame import PageFrame, find_frame, working_copy
from worker.overlay import LINES_PER_PAGE_WIDTH, MIN_TEXT_PX, Grey, Record, draw_overlay

# Of those that colour-blind people can tell apart (Okabe and Ito 2008).
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PALE = 170  # grey of what a stage takes no notice of

SHEET_WIDTH = 1600
CELL_SIDE = 84  # pixels that a cut box or a glyph takes on the sheet, three for each of a glyph
GAP = 8
NAME_HEIGHT = 0.35  # of a field's, in which its name is written: boxes of a table leave no room beside them
NO_INK = "blank"


def draw_stages(page: Page, records: Sequence[Record], caption: str) -> Iterator[tuple[str, Image.Image]]:
    """Yield the name of each stage and its picture, in the order a page goes through them.

    Everything is found anew, as this version finds it; `records` are the fields as they were read and stored.
    """
    turns, pale, layout = _as_it_was_read(page, records)
    frame, *found = look(find_frame(working_copy(page.grey, turns), pale=pale))
    boxes = _on_page(PrintedBoxes.joined(found), frame)
    cells = cut_cells(page, layout.fields)
    of_fields = sum(map(len, cells))
    yield "decoded", _captioned(Image.fromarray(page.grey), f"{caption}: {_size(page)}")
    yield (
        "lines",
        _captioned(
            _draw_lines(frame.print_, frame.lines),
            f"{caption}: straight print, level lines blue, upright ones red",
        ),
    )
    what = f"{len(boxes)} boxes red, {of_fields} of digit fields blue"
    yield "boxes", _captioned(_draw_boxes(page, boxes, layout.fields), f"{caption}: {what}")
    turned = f"askew by {layout.skew_degrees:.1f} degrees"
    if turns:
        turned = f"upright after {turns} quarter turns clockwise, {turned}"
    yield "fields", _captioned(_draw_fields(page, layout.fields), f"{caption}: {turned}, fields by name")
    what = "each box as it is cut, and below it the glyph that is read"
    yield "cells", _captioned(_draw_cells(page, layout.fields, cells), f"{caption}: {what}")
    yield "reading", draw_overlay(page.grey, records, caption)


def _size(page: Page) -> str:
    height, width = page.grey.shape
    return f"{width} x {height} pixels" + (f", {page.dpi:.0f} dpi as the file says" if page.dpi else "")


def _as_it_was_read(page: Page, records: Sequence[Record]) -> tuple[int, bool, PageLayout]:
    """Return how the page was looked at to be read, by how many quarters turned and whether for pale lines.

    And its layout then. Nobody noted it, but only one look gives the fields the names of the records.
    """
    stored = {(record["field"], *record["box"]) for record in records}
    looks = []
    for pale, turns in product((False, True), range(4)):
        layout = find_fields(page, turns, pale=pale)
        boxes = {(f.name, f.box.x, f.box.y, f.box.width, f.box.height) for f in layout.fields}
        looks.append((len(stored & boxes), turns, pale, layout))
        if stored <= boxes:
            break
    _, turns, pale, layout = max(looks, key=lambda each: each[0])
    return turns, pale, layout


def _on_page(boxes: PrintedBoxes, frame: PageFrame) -> list[list[tuple[float, float]]]:
    """Return the outline of each box on the page."""
    across = np.stack([boxes.left, boxes.right, boxes.right, boxes.left, boxes.left], axis=1)
    down = np.stack([boxes.top, boxes.top, boxes.bottom, boxes.bottom, boxes.top], axis=1)
    corners = frame.points(across.ravel(), down.ravel()).reshape(-1, 5, 2)
    return [[(x, y) for x, y in outline] for outline in corners.tolist()]


def _draw_lines(print_: Grey, lines: Lines) -> Image.Image:
    """Return the small copy that boxes are looked for on: what counts as print, and the lines in it."""
    picture = Image.new("RGB", (print_.shape[1], print_.shape[0]), "white")
    for mask, colour in ((print_, (PALE,) * 3), (lines.level, BLUE), (lines.upright, VERMILION)):
        picture.paste(colour, mask=Image.fromarray(mask))
    return picture


def _draw_boxes(
    page: Page, boxes: Iterable[list[tuple[float, float]]], fields: Iterable[Field]
) -> Image.Image:
    picture = _pale(page.grey)
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        draw.line(box, VERMILION, _line(picture))
    for field in fields:
        for quad in field.cells:
            draw.line(_outline(quad), BLUE, _line(picture))
    return picture


def _draw_fields(page: Page, fields: Iterable[Field]) -> Image.Image:
    picture = _pale(page.grey)
    draw = ImageDraw.Draw(picture)
    for field in fields:
        box = field.box
        draw.rectangle((box.x, box.y, box.right, box.bottom), outline=GREEN, width=_line(picture))
        for quad in field.cells:
            draw.line(_outline(quad), BLUE, max(1, _line(picture) // 2))
        font = ImageFont.load_default(max(MIN_TEXT_PX, min(box.width, box.height) * NAME_HEIGHT))
        place = (box.x + _line(picture), box.y + _line(picture))
        draw.rectangle(draw.textbbox(place, field.name, font, anchor="lt"), "white")
        draw.text(place, field.name, "black", font, anchor="lt")
    return picture


def _draw_cells(page: Page, fields: Sequence[Field], cells: Sequence[Sequence[Cell]]) -> Image.Image:
    """Return a contact sheet: the boxes of each field side by side, above before and below after cleaning."""
    font = ImageFont.load_default(16)
    columns = SHEET_WIDTH // (CELL_SIDE + GAP)
    row_height = 2 * CELL_SIDE + 4 * GAP + 16
    tiles = [(field, number) for field in fields for number in range(len(field.cells))]
    rows = max(1, math.ceil(len(tiles) / columns))
    sheet = Image.new("RGB", (SHEET_WIDTH, rows * row_height), "white")
    draw = ImageDraw.Draw(sheet)
    found = (cell for row in cells for cell in row)
    for place, (field, number), cell in zip(count(), tiles, found, strict=False):
        x, y = GAP + place % columns * (CELL_SIDE + GAP), GAP + place // columns * row_height
        if number == 0 or place % columns == 0:
            draw.text((x, y), field.name, "black", font)
        top = y + 16 + GAP
        _paste(sheet, patch_around(field.cells[number]).cut_from(page.grey), x, top)
        below = top + CELL_SIDE + GAP // 2
        if cell.glyph is None:
            draw.text((x + CELL_SIDE / 2, below + CELL_SIDE / 2), NO_INK, "black", font, anchor="mm")
        else:
            _paste(sheet, cell.glyph, x, below)
    return sheet


def _paste(sheet: Image.Image, cut: Grey, x: int, y: int) -> None:
    """Put a cut box or a glyph into its square, as large as fits."""
    part = Image.fromarray(cut)
    scale = CELL_SIDE / max(part.size)
    part = part.resize((max(1, round(part.width * scale)), max(1, round(part.height * scale))))
    sheet.paste(part, (x + (CELL_SIDE - part.width) // 2, y + (CELL_SIDE - part.height) // 2))


def _pale(grey: Grey) -> Image.Image:
    """Return the page so pale that what is drawn on it stands out."""
    return Image.fromarray((PALE + grey * ((255 - PALE) / 255)).astype(np.uint8)).convert("RGB")


def _outline(quad: Quad) -> list[tuple[float, float]]:
    return [(corner.x, corner.y) for corner in (*quad.corners, quad.top_left)]


def _line(picture: Image.Image) -> int:
    return max(2, round(picture.width / LINES_PER_PAGE_WIDTH))


def _captioned(picture: Image.Image, caption: str) -> Image.Image:
    """Return the picture over a white strip with its caption."""
    size = max(MIN_TEXT_PX, picture.width // 70)
    while ImageFont.load_default(size).getlength(caption) > picture.width - 2 * size and size > MIN_TEXT_PX:
        size -= 1
    font, strip = ImageFont.load_default(size), 2 * size
    sheet = Image.new("RGB", (picture.width, picture.height + strip), "white")
    sheet.paste(picture)
    middle = picture.height + strip / 2
    ImageDraw.Draw(sheet).text((size, middle), caption, "black", font, anchor="lm")
    return sheet
