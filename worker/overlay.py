"""What was read, drawn onto the scan: boxes by status, digits and confidence beside them, a legend below.

Each status has its own colour, of those that colour-blind people can tell apart (Okabe and Ito 2008), and its
own line, for print in black and white.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from segmentation.geometry import Box
from worker.readings import FieldStatus

Grey = npt.NDArray[np.uint8]
Record = Mapping[str, Any]
"""A line of `digitmill results --format jsonl`: one field of a page."""

MIN_TEXT_PX = 11  # below it digits run together
TEXT_PER_BOX = (
    0.55  # text height in a field's shorter side, which is its height unless the page lies on its side
)
DARK = 128
LINES_PER_PAGE_WIDTH = 700  # an A4 page is drawn on with lines of 0.3 mm


@dataclass(frozen=True, slots=True)
class Mark:
    """How a status looks."""

    colour: str
    dashes: tuple[int, ...] = ()  # stroke, gap, stroke, gap ... in line widths; () is a solid line
    text: str = "black"


MARKS = {
    FieldStatus.ACCEPTED: Mark("#009E73"),
    FieldStatus.REVIEW: Mark("#E69F00", (6, 3)),
    FieldStatus.INVALID: Mark("#D55E00", (6, 3, 1, 3)),
    FieldStatus.CORRECTED: Mark("#0072B2", (14, 3), "white"),
    FieldStatus.BLANK: Mark("#999999", (1, 3)),
    FieldStatus.STRUCK: Mark("#CC79A7", (3, 6)),
    FieldStatus.UNREADABLE: Mark("#000000", (2, 2), "white"),
}


def draw_overlay(grey: Grey, records: Sequence[Record], caption: str) -> Image.Image:
    """Return a colour picture of the page as wide as the scan, and taller by a strip with caption and legend.

    `grey` is (height, width) uint8, `records` are the page's fields in reading order.
    """
    page = Image.fromarray(grey).convert("RGB")
    brush = _Brush(ImageDraw.Draw(page), grey, line=max(2, round(page.width / LINES_PER_PAGE_WIDTH)))
    taken = [Box(*record["box"]) for record in records]
    for record in records:
        mark = MARKS[FieldStatus(record["status"])]
        box = Box(*record["box"])
        brush.outline(box, mark)
        if record["status"] == FieldStatus.REVIEW and record["digits"]:
            doubtful = min(record["digits"], key=lambda digit: digit["confidence"])
            brush.outline(Box(*doubtful["box"]), Mark(mark.colour), inside=True)
        if label := _label(record):
            taken.append(brush.label(label, box, mark, taken))
    return _with_legend(page, records, caption, brush.line)


def _label(record: Record) -> tuple[str, str] | None:
    """Return what stands beside a field, in large and in small letters; a blank one has nothing."""
    if record["status"] == FieldStatus.BLANK:
        return None
    percent = f"{math.floor(100 * record['confidence'])} %"  # never 100 % for what is less
    return record["value"] or record["status"], percent


@dataclass(frozen=True, slots=True)
class _Brush:
    draw: ImageDraw.ImageDraw
    grey: Grey  # what is drawn on
    line: int  # pixels

    def outline(self, box: Box, mark: Mark, *, inside: bool = False) -> None:
        """Draw around a box, so that its content stays free."""
        far = 0 if inside else self.line / 2
        left, top, right, bottom = box.x - far, box.y - far, box.right + far, box.bottom + far
        width = max(1, self.line // 2) if inside else self.line
        for start, end in (
            ((left, top), (right, top)),
            ((right, top), (right, bottom)),
            ((right, bottom), (left, bottom)),
            ((left, bottom), (left, top)),
        ):
            _stroke(self.draw, start, end, mark, width)

    def label(self, texts: tuple[str, str], box: Box, mark: Mark, taken: Iterable[Box]) -> Box:
        """Write beside a box on a coloured plate; return the plate."""
        size = max(MIN_TEXT_PX, min(box.width, box.height) * TEXT_PER_BOX)
        fonts = ImageFont.load_default(size), ImageFont.load_default(max(MIN_TEXT_PX * 0.8, size * 0.6))
        lengths = [font.getlength(text) for font, text in zip(fonts, texts, strict=True)]
        gap = size / 4
        width, height = math.ceil(sum(lengths) + 3 * gap), math.ceil(size * 1.1)
        plate = self._free_place(box, width, height, taken)
        self.draw.rectangle((plate.x, plate.y, plate.right, plate.bottom), mark.colour)
        baseline = plate.y + height * 0.86
        self.draw.text((plate.x + gap, baseline), texts[0], mark.text, fonts[0], anchor="ls")
        self.draw.text((plate.x + 2 * gap + lengths[0], baseline), texts[1], mark.text, fonts[1], anchor="ls")
        return plate

    def _free_place(self, box: Box, width: int, height: int, taken: Iterable[Box]) -> Box:
        """Return a plate above, below, right or left of a box: where it hides the least."""
        page_height, page_width = self.grey.shape
        off = 2 * self.line
        corners = (
            (box.x, box.y - height - off),
            (box.x, box.bottom + off),
            (box.right + off, box.y + (box.height - height) // 2),
            (box.x - width - off, box.y + (box.height - height) // 2),
        )
        plates = [
            Box(
                min(max(x, 0), max(page_width - width, 0)),
                min(max(y, 0), max(page_height - height, 0)),
                width,
                height,
            )
            for x, y in corners
        ]
        return min(
            plates,
            key=lambda plate: self._print_under(plate) + sum(_overlap(plate, other) for other in taken),
        )

    def _print_under(self, plate: Box) -> int:
        """Return how many dark pixels of the page a plate would hide."""
        return int(np.count_nonzero(self.grey[plate.y : plate.bottom, plate.x : plate.right] < DARK))


def _stroke(
    draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], mark: Mark, width: int
) -> None:
    length = math.dist(start, end)
    for begin, stop in _strokes(length, [dash * width for dash in mark.dashes]):
        ends = [
            tuple(a + (b - a) * part / length for a, b in zip(start, end, strict=True))
            for part in (begin, stop)
        ]
        draw.line(ends, mark.colour, width)


def _strokes(length: float, dashes: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yield where each stroke of a dashed line begins and ends."""
    if not dashes:
        yield 0, length
        return
    position, number = 0.0, 0
    while position < length:
        stop = min(position + dashes[number % len(dashes)], length)
        if number % 2 == 0:
            yield position, stop
        position, number = stop, number + 1


def _overlap(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(width, 0) * max(height, 0)


def _with_legend(page: Image.Image, records: Sequence[Record], caption: str, line: int) -> Image.Image:
    """Return the page over a white strip: the caption, and each status that occurs with its count."""
    size = max(MIN_TEXT_PX, page.width // 70)
    font = ImageFont.load_default(size)
    counts = Counter(FieldStatus(record["status"]) for record in records)
    entries: list[tuple[str, Mark | None]] = [(caption, None)]
    entries += [(f"{status} {counts[status]}", mark) for status, mark in MARKS.items() if counts[status]]

    sample, row_height = 3 * size, 2 * size
    x, y, places = size, page.height, []
    for text, mark in entries:
        width = math.ceil(font.getlength(text)) + (sample + size // 2 if mark else 0)
        if x > size and x + width > page.width:
            x, y = size, y + row_height
        places.append((x, y))
        x += width + 2 * size

    sheet = Image.new("RGB", (page.width, y + row_height), "white")
    sheet.paste(page)
    draw = ImageDraw.Draw(sheet)
    draw.line((0, page.height, page.width, page.height), "#999999", line)
    for (text, mark), (left, top) in zip(entries, places, strict=True):
        middle = top + row_height / 2
        if mark:
            _stroke(draw, (left, middle), (left + sample, middle), mark, line)
        text_left = left + (sample + size // 2 if mark else 0)
        draw.text((text_left, middle), text, "black", font, anchor="lm")
    return sheet
