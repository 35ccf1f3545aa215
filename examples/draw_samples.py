"""Draws examples/scans and examples/truth.jsonl: forms of five kinds, filled in by pens of our own.

Deterministic: drawn again with the same OpenCV and Pillow, every pixel is the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from examples.sample_forms import census_sheet, exam_cover, meter_card, payment_slip, tally
from training.forms import Capture, Damage, DrawnForm, Hand, PenDigits, Sheet, draw_sheet

EXAMPLES = Path(__file__).resolve().parent
BALLPOINT_BLUE = (150, 60, 20)
FELT_BLACK = (25, 20, 20)
PENCIL_GREY = (90, 85, 85)

# One writer a line: the shape of each digit from 0 to 9, then how the pen is held.
CLERK = Hand(
    ("oval", "european", "plain", "round", "open", "single", "curved", "barred", "crossing", "curved"),
    slant=0.12, pen_width=0.075, jitter=0.016, grain=0.05,
)  # fmt: skip
TELLER = Hand(
    ("overrun", "stroke", "loop", "round", "closed", "capped", "straight", "plain", "crossing", "straight"),
    slant=0.3, pen_width=0.06, jitter=0.024, aspect=0.9, grain=0.08,
)  # fmt: skip
READER = Hand(
    ("oval", "flag", "plain", "flat", "open", "capped", "curved", "plain", "two rounds", "straight"),
    slant=0.02, pen_width=0.12, jitter=0.014, aspect=1.08,
)  # fmt: skip
STUDENT = Hand(
    ("narrow", "flag", "swan", "soft", "round", "single", "straight", "hooked", "crossing", "leaning"),
    slant=-0.08, pen_width=0.07, jitter=0.026, darkness=0.8, grain=0.12,
)  # fmt: skip
ENUMERATOR = Hand(
    ("gap", "foot", "plain", "soft", "closed", "late cap", "curved", "barred", "crossing", "curved"),
    slant=0.18, pen_width=0.085, jitter=0.02, aspect=1.12,
)  # fmt: skip
HURRIED = replace(STUDENT, jitter=0.045, turn_degrees=8.0, size_spread=0.15, pen_width=0.09)  # leaves doubts


@dataclass(frozen=True, slots=True)
class Scan:
    """One page to draw: the filled sheet, who filled it in with which pen, and how it was scanned."""

    sheet: Sheet
    hand: Hand
    pen: tuple[int, int, int]
    capture: Capture
    seed: int

    def draw(self) -> DrawnForm:
        rng = np.random.default_rng(self.seed)
        return draw_sheet(self.sheet, self.capture, PenDigits(self.hand), rng, self.pen)


OFFICE = Capture(200)
FLATBED = Capture(150, skew_degrees=-1.4, damages=(Damage.NOISE, Damage.UNEVEN))
FEEDER = Capture(200, skew_degrees=0.8, damages=(Damage.ONE_BIT, Damage.SPECKLE))
COPY = Capture(150, skew_degrees=2.3, damages=(Damage.BLUR, Damage.FAINT))

EMPTY_LINE = ("____", "___")

SAMPLES: dict[str, Sequence[Scan]] = {
    "tallies/station-0412.png": [Scan(
        tally("0412", "08112026", ("_275", "__88", "1041", "_309", "__17"), ("1730", "__21", "1751"), 1),
        CLERK, FELT_BLACK, OFFICE, 11,
    )],
    "tallies/station-0413.jpg": [Scan(
        tally("0413", "08112026", ("_196", "_142", "_877", "_450", "___9"), ("1674", "__36", "1710"), 2),
        TELLER, BALLPOINT_BLUE, FLATBED, 12,
    )],
    "tallies/station-0414.jpg": [Scan(
        tally("0414", "08112026", ("_301", "__74", "_923", "_288", "__25"), ("1611", "___8", "1619"), 3),
        ENUMERATOR, FELT_BLACK, COPY, 13,
    )],
    "tallies/station-0415.png": [Scan(
        tally("0415", "08112026", ("_163", "__95", "_742", "_517", "__40"), ("1557", "__13", "1570"), 4),
        READER, FELT_BLACK, FEEDER, 14,
    )],
    "exams/cover-001.jpg": [Scan(
        exam_cover("10473926", "214", ("17", "_9", "20", "14", "_6", "12"), "_78", 5),
        STUDENT, PENCIL_GREY, Capture(150, 1.1, (Damage.NOISE,)), 15,
    )],
    "exams/cover-002.png": [Scan(
        exam_cover("10468150", "214", ("20", "18", "19", "15", "20", "11"), "103", 6),
        TELLER, FELT_BLACK, Capture(200, -0.6, (Damage.ONE_BIT,)), 16,
    )],
    "slips/payment-7001.png": [Scan(
        payment_slip("00418273650945", "2026110831", "__1247", "50", 7),
        CLERK, BALLPOINT_BLUE, Capture(150, colour=True), 17,
    )],
    "slips/payment-7002.jpg": [Scan(
        payment_slip("00418273650945", "2026110907", "___386", "09", 8),
        HURRIED, BALLPOINT_BLUE, Capture(200, 1.7, (Damage.JPEG,), colour=True), 18,
    )],
    "meters/cards.tif": [
        Scan(meter_card("4810367", "03112026", "_28419", "_28677", 9), READER, FELT_BLACK, FEEDER, 19),
        Scan(meter_card("4810391", "03112026", "__7305", "__7452", 10), CLERK, BALLPOINT_BLUE, FEEDER, 20),
        Scan(meter_card("4811024", "04112026", "103980", "104216", 11), HURRIED, BALLPOINT_BLUE, FEEDER, 21),
        Scan(meter_card("4811126", "04112026", "_56073", "______", 12), ENUMERATOR, FELT_BLACK, FEEDER, 22),
    ],
    "census/block-20617.pdf": [
        Scan(
            census_sheet("20617", "0038", [("1971", "412"), ("1974", "233"), ("2003", "101"), ("2009", "000"),
                                           EMPTY_LINE, EMPTY_LINE], 13),
            ENUMERATOR, BALLPOINT_BLUE, Capture(150, 0.4, colour=True), 23,
        ),
        Scan(
            census_sheet("20617", "0039", [("1938", "900"), *[EMPTY_LINE] * 5], 14),
            ENUMERATOR, BALLPOINT_BLUE, Capture(150, -1.9, colour=True), 24,
        ),
        Scan(
            census_sheet("20617", "0040", [("1985", "517"), ("1986", "346"), ("2014", "000"), ("2017", "000"),
                                           ("2021", "000"), ("1952", "900")], 15),
            TELLER, BALLPOINT_BLUE, Capture(150, colour=True), 25,
        ),
    ],
}  # fmt: skip


def picture(form: DrawnForm) -> Image.Image:
    """Return the page as Pillow has it: 1 bit where it has only black and white."""
    if form.image.ndim == 3:
        return Image.fromarray(form.image[:, :, ::-1])
    grey = Image.fromarray(form.image)
    return grey.convert("1") if set(np.unique(form.image)) <= {0, 255} else grey


def truth_line(file: str, page: int, form: DrawnForm) -> str:
    height, width = form.page.grey.shape
    fields = [
        {
            "name": field.name,
            "value": field.value,
            "boxes": len(field.value),
            "box": [field.box.x, field.box.y, field.box.width, field.box.height],
        }
        for field in form.fields
    ]
    return json.dumps(
        {"file": file, "page": page, "capture": "scan", "size": [width, height], "fields": fields}
    )


def draw_samples(folder: Path) -> int:
    """Draw all scans into folder/scans and the truth into folder/truth.jsonl; return the number of pages."""
    truth = []
    for file, scans in SAMPLES.items():
        path = folder / "scans" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        forms = [scan.draw() for scan in scans]
        save_pages(path, [picture(form) for form in forms], scans[0].capture.dpi)
        truth += [truth_line(file, number, form) for number, form in enumerate(forms, start=1)]
    (folder / "truth.jsonl").write_text("\n".join(truth) + "\n", encoding="utf-8")
    return len(truth)


def save_pages(path: Path, pages: Sequence[Image.Image], dpi: int) -> None:
    first, *others = pages
    match path.suffix:
        case ".pdf":
            day = time.struct_time((2026, 11, 9, 0, 0, 0, 0, 313, 0))  # else the clock's goes into the file
            first.save(path, save_all=True, append_images=others, resolution=dpi, quality=72,
                       creationDate=day, modDate=day)  # fmt: skip
        case ".tif":
            first.save(path, save_all=True, append_images=others, dpi=(dpi, dpi), compression="group4")
        case _:
            first.save(path, dpi=(dpi, dpi), quality=72, optimize=True)


if __name__ == "__main__":
    print(f"{draw_samples(EXAMPLES)} pages drawn into {EXAMPLES / 'scans'}, their truth beside it")
