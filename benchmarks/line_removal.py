"""Before and after: boxes as they are cut, what is taken out of them, and the glyphs that are left.

`python -m benchmarks.line_removal` draws docs/pictures/line-removal.png, from pen strokes of our own.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segmentation.cells import patch_around
from segmentation.geometry import Point, Quad
from segmentation.glyph import normalise
from segmentation.ink import find_ink
from segmentation.strips import Grey, Strip
from training.forms import BoxKind, PenDigits, Press, random_hand
from training.forms.box_kinds import cells_of, print_boxes, random_style
from training.forms.draw import MM_PER_INCH, print_sheet, write_ink

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "line-removal.png"
SCALE = 200 / MM_PER_INCH  # pixels a millimetre
WIDTH, HEIGHT, MARGIN = 7.0, 9.0, 4.0  # mm of a box, and of the paper round the row
SIDE, GAP, CAPTION, COLUMNS = 112, 8, 22, 3
TAKEN_OUT = (213, 94, 0)  # vermilion, told from black by colour-blind people too (Okabe and Ito 2008)
PEN = (45,) * 3


@dataclass(frozen=True, slots=True)
class Case:
    """What stands in the middle one of three boxes, and beside it. Offsets are shares of a box."""

    caption: str
    kind: BoxKind
    digits: str
    size: float = 0.65  # of the box's height
    off: tuple[float, float] = (0.0, 0.0)  # of the digit in the middle
    beside: float = 0.0  # by which the digit on the left stands further to the right
    seed: int = 3


CASES = (
    Case("joined comb", BoxKind.JOINED, "352"),
    Case("on the lower line", BoxKind.JOINED, "746", off=(0, 0.22)),
    Case("across the upper line", BoxKind.JOINED, "187", off=(0, -0.24)),
    Case("a neighbour's stroke", BoxKind.JOINED, "239", beside=0.3),
    Case("thick frame", BoxKind.THICK, "281"),
    Case("guide digits", BoxKind.GUIDES, "274"),
    Case("drop-out colour", BoxKind.DROP_OUT, "965", off=(0.2, 0)),
    Case("grey lines", BoxKind.GREY, "628"),
    Case("dashed lines", BoxKind.DASHED, "473"),
    Case("dotted lines", BoxKind.DOTTED, "509"),
    Case("short ticks", BoxKind.CLOSED_TICKS, "817"),
    Case("table cells", BoxKind.TABLE, "190"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.line_removal", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=PICTURE, help="default: %(default)s")
    draw_cases().save(parser.parse_args().output)


def draw_cases() -> Image.Image:
    """Return the picture: each case as it is cut, with what is taken out in colour, and as a glyph."""
    width, height = 3 * (SIDE + GAP) + 3 * GAP, SIDE + CAPTION + 2 * GAP
    rows = -(-len(CASES) // COLUMNS)
    picture = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(15)
    for number, case in enumerate(CASES):
        x, y = number % COLUMNS * width + GAP, number // COLUMNS * height + GAP
        draw.text((x, y), case.caption, "black", font)
        patch, ink = _cut(case)
        glyph = np.zeros((28, 28), np.uint8) if ink is None else normalise(ink)
        for tile in (Image.fromarray(patch), _taken_apart(patch, ink), Image.fromarray(255 - glyph)):
            scale = SIDE / max(tile.size)
            size = round(tile.width * scale), round(tile.height * scale)
            picture.paste(tile.resize(size), (x + (SIDE - size[0]) // 2, y + CAPTION))
            x += SIDE + GAP
    return picture


def _cut(case: Case) -> tuple[Grey, Grey | None]:
    """Draw the three boxes of a case and return the middle one as it is cut, and the ink found in it.

    The ink is light on black and as large as the patch.
    """
    rng = np.random.default_rng(case.seed)
    style = replace(random_style(case.kind, rng), width=WIDTH, height=HEIGHT, gap=0.0)
    cells = cells_of(style, MARGIN, MARGIN, 3)
    press = Press(2 * MARGIN + 3 * WIDTH, 2 * MARGIN + HEIGHT)
    print_boxes(press, cells, style, rng)
    sheet = press.sheet()
    page = np.full((round(sheet.height * SCALE), round(sheet.width * SCALE)), 255, np.uint8)
    print_sheet(page, sheet, SCALE)
    pen = PenDigits(random_hand(rng))
    places = ((case.beside, 0.0), case.off, (0.0, 0.0))
    for cell, digit, (right, below) in zip(cells, case.digits, places, strict=True):
        ink = pen(int(digit), case.size * HEIGHT * SCALE, rng)
        x = (cell.x + (0.5 + right) * WIDTH) * SCALE - ink.shape[1] / 2
        y = (cell.y + (0.5 + below) * HEIGHT) * SCALE - ink.shape[0] / 2
        write_ink(page, ink, round(x), round(y), PEN)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 0.6), np.uint8)
    line = style.ruling.width_mm / 2
    patches = []
    for cell in cells:
        left, top, right, bottom = (
            edge * SCALE for edge in (cell.x + line, cell.y + line, cell.right - line, cell.bottom - line)
        )
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        patches.append(patch_around(Quad(*(Point(*corner) for corner in corners))))
    strip = Strip(np.stack([patch.cut_from(page) for patch in patches], axis=1), patches[1].margin)
    (digits,) = find_ink([strip])
    patch = strip.patch(1)
    if 1 not in digits.box:
        return patch, None
    place = digits.box.tolist().index(1)
    drawn, around = digits.inks[place], digits.around
    top, left = (
        around.top[place] - (drawn.shape[0] - around.height[place]) // 2,
        around.left[place] - (drawn.shape[1] - around.width[place]) // 2,
    )
    ink = np.zeros_like(patch)
    ink[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return patch, ink


def _taken_apart(patch: Grey, ink: Grey | None) -> Image.Image:
    """Return the patch with the digit's ink in black, and what else is dark in it in colour."""
    dark = (255.0 - patch)[..., None] / 255
    picture = 255 - dark * (255 - np.array(TAKEN_OUT, float))
    if ink is not None:
        picture = np.where(ink[..., None] > 0, 255.0 - ink[..., None], picture)
    return Image.fromarray(picture.astype(np.uint8))


if __name__ == "__main__":
    main()
