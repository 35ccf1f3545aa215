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

from training.forms import (
    Capture,
    Damage,
    DrawnForm,
    FieldKind,
    Hand,
    PenDigits,
    Press,
    Rect,
    Ruling,
    Sheet,
    draw_sheet,
)

EXAMPLES = Path(__file__).resolve().parent
DROP_OUT_ORANGE = (70, 150, 240)
LEAF_GREEN = (110, 150, 80)
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


def tally(station: str, date: str, votes: Sequence[str], counts: Sequence[str], seed: int) -> Sheet:
    """An election record: a table of candidates, one of ballot papers, the officers' signatures."""
    rng = np.random.default_rng(seed)
    press = Press(210, 297, Ruling(0.35))
    press.print(15, 22, "RECORD OF VOTES CAST", 5.0, bold=True)
    press.print(15, 29, "Municipal council election - to be returned with the sealed ballot box", 2.2)
    press.outline(Rect(163, 13, 32, 12))
    press.print(168, 18, "Form 7", 2.2)
    press.print(168, 22.5, "one per station", 1.6)
    press.print(15, 43.5, "Polling station")
    press.boxes("station", Rect(48, 37, 7.5, 10), station)
    press.print(102, 43.5, "Date")
    right = press.boxes("day", Rect(116, 37, 7.5, 10), date[:2])
    right = press.boxes("month", Rect(right + 7, 37, 7.5, 10), date[2:4])
    press.boxes("year", Rect(right + 7, 37, 7.5, 10), date[4:])

    names = ("Adeyemi, Ruth", "Bergstrom, Olaf", "Castillo, Maria", "Dubois, Henri", "Eriksen, Signe")
    press.print(15, 60, "A   Valid votes for each candidate", 2.6, bold=True)
    _digit_table(press, 64, "candidate", names, votes)
    papers = ("Total of valid votes", "Votes declared invalid", "Ballot papers found in the box")
    press.print(15, 152, "B   Ballot papers", 2.6, bold=True)
    _digit_table(press, 156, "papers", papers, counts)
    press.print(15, 212, "We certify that these are the numbers counted in our presence.", 2.2)
    for index, role in enumerate(("Presiding officer", "First witness", "Second witness")):
        x = 15 + index * 62
        press.rule(x, 236, x + 52, 236, Ruling(0.2))
        press.print(x, 240, role, 1.9)
        press.sign(x + 4, 233, rng)
    press.print(15, 284, "Write one digit in each box. Leave boxes in front of a number empty.", 1.9)
    return press.sheet()


def _digit_table(press: Press, y: float, name: str, labels: Sequence[str], values: Sequence[str]) -> None:
    """Rows of a number, a text and as many digit boxes as the values have."""
    box, row, left, right = 9.5, 12.0, 15.0, 195.0
    digits_x = right - box * len(values[0])
    press.shade(Rect(left, y, right - left, 7))
    press.print(left + 3, y + 5, "No.", 2.2)
    press.print(left + 16, y + 5, "Name" if name == "candidate" else "Count", 2.2)
    press.print(digits_x + 3, y + 5, "Number", 2.2)
    top = y + 7
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        line = top + index * row
        press.rule(left, line, digits_x, line)
        press.print(left + 4, line + 7.8, str(index + 1))
        press.print(left + 16, line + 7.8, label, 2.6)
        press.boxes(f"{name}_{index + 1}", Rect(digits_x, line, box, row), value, kind=FieldKind.TABLE)
    bottom = top + row * len(values)
    press.outline(Rect(left, y, right - left, bottom - y))
    press.rule(left + 12, y, left + 12, bottom)
    press.rule(digits_x, y, digits_x, top)


def meter_card(meter: str, date: str, previous: str, reading: str, seed: int) -> Sheet:
    """A card that the customer sends back: A5 on its side, separate boxes for the reading."""
    rng = np.random.default_rng(seed)
    press = Press(210, 148, Ruling(0.3))
    press.outline(Rect(8, 8, 194, 132), Ruling(0.7))
    press.shade(Rect(8, 8, 194, 15), (215, 215, 215))
    press.print(14, 18, "WATER METER READING", 4.2, bold=True)
    press.print(142, 18, "Northvale Waterworks", 2.6)
    press.print(14, 37.5, "Meter number")
    press.boxes("meter", Rect(48, 31, 7, 9.5), meter)
    press.print(112, 37.5, "Date")
    right = press.boxes("day", Rect(124, 31, 7, 9.5), date[:2])
    right = press.boxes("month", Rect(right + 6, 31, 7, 9.5), date[2:4])
    press.boxes("year", Rect(right + 6, 31, 7, 9.5), date[4:])
    press.print(14, 59.5, "Last reading")
    press.boxes("previous", Rect(48, 53, 8, 10.5), previous, kind=FieldKind.SEPARATE, gap=2.2)
    press.print(14, 79.5, "Reading today")
    press.boxes(
        "reading", Rect(48, 72, 9.5, 12), reading, kind=FieldKind.SEPARATE, gap=2.2, ruling=Ruling(0.5)
    )
    press.print(124, 80, "cubic metres, no decimals", 2.2)
    press.print(14, 98, "Please copy the black figures on the dial, one in each box, with a dark pen.", 2.1)
    press.print(14, 103, "The red figures are parts of a cubic metre and are not needed.", 2.1)
    press.rule(124, 126, 190, 126, Ruling(0.2))
    press.print(124, 130, "Signature", 1.9)
    press.sign(130, 123, rng)
    return press.sheet()


def exam_cover(student: str, room: str, points: Sequence[str], total: str, seed: int) -> Sheet:
    """The first page of an examination: the student's number, and a table of points for the marker."""
    rng = np.random.default_rng(seed)
    press = Press(210, 297, Ruling(0.3))
    press.print(15, 26, "INTRODUCTION TO STATISTICS", 5.0, bold=True)
    press.print(15, 34, "Final examination - 90 minutes - no calculators", 2.6)
    press.rule(15, 38, 195, 38, Ruling(0.6))
    press.print(15, 52.5, "Student number")
    press.boxes("student", Rect(55, 45, 8.5, 11), student)
    press.print(144, 52.5, "Room")
    press.boxes("room", Rect(160, 45, 8.5, 11), room)
    press.print(15, 71, "Name")
    press.rule(55, 72, 180, 72, Ruling(0.2))
    press.sign(62, 70, rng)
    rules = (
        "Write your number into the boxes above before you open this booklet.",
        "Answer every question in the space below it. Show how you came to your answer.",
        "Answers in pencil are accepted. A page without a number cannot be marked.",
    )
    for index, text in enumerate(rules):
        press.print(15, 88 + index * 6, f"{index + 1}.  {text}", 2.2)
    press.print(15, 120, "For the marker", 2.6, bold=True)
    top, row, box = 124.0, 11.0, 9.0
    for index, value in enumerate(points):
        y = top + index * row
        press.outline(Rect(15, y, 60, row))
        press.print(19, y + 7.2, f"Question {index + 1}")
        press.print(54, y + 7.2, "of 20", 2.2)
        press.boxes(f"question_{index + 1}", Rect(75, y, box, row), value, kind=FieldKind.TABLE)
    press.print(115, 131.5, "Total of points", 2.6, bold=True)
    press.boxes("total", Rect(150, 124, 11, 13), total, ruling=Ruling(0.6))
    press.print(15, 284, "Do not write below this line.", 1.9)
    press.rule(15, 279, 195, 279, Ruling(0.2))
    return press.sheet()


def census_sheet(block: str, dwelling: str, people: Sequence[tuple[str, str]], seed: int) -> Sheet:
    """One dwelling of a census: its codes, and for each person a year of birth and a code of occupation."""
    rng = np.random.default_rng(seed)
    press = Press(210, 297, Ruling(0.3, LEAF_GREEN))
    press.print(15, 24, "CENSUS OF POPULATION AND HOUSING", 4.2, bold=True, colour=LEAF_GREEN)
    press.print(15, 31, "Household sheet - confidential, for statistics only", 2.2, colour=LEAF_GREEN)
    press.print(15, 46.5, "Block")
    press.boxes("block", Rect(32, 40, 7, 9.5), block)
    press.print(90, 46.5, "Dwelling")
    press.boxes("dwelling", Rect(112, 40, 7, 9.5), dwelling)
    top, row = 62.0, 15.0
    for x, title in ((16, "No."), (30, "Name of person"), (106, "Year of birth"), (158, "Occupation code")):
        press.print(x, top - 3, title, 2.2, colour=LEAF_GREEN)
    for index, (birth, occupation) in enumerate(people):
        y = top + index * row
        press.rule(15, y, 195, y)
        press.print(18, y + 9.5, str(index + 1), colour=LEAF_GREEN)
        press.rule(30, y + 12, 95, y + 12, Ruling(0.15, LEAF_GREEN))
        if birth.strip("_"):
            press.sign(34, y + 10.5, rng)
        first = Rect(106, y + 2.5, 7.5, 10)
        press.boxes(f"birth_{index + 1}", first, birth, kind=FieldKind.SEPARATE, gap=1.6)
        press.boxes(f"occupation_{index + 1}", Rect(160, y + 2.5, 7.5, 10), occupation)
    press.rule(15, top + row * len(people), 195, top + row * len(people))
    press.print(15, 284, "Office use: scanned and read by machine.", 1.9, colour=LEAF_GREEN)
    return press.sheet()


def payment_slip(account: str, reference: str, amount: str, cents: str, seed: int) -> Sheet:
    """A bank's payment slip in drop-out orange; the amount has boxes before and after the point."""
    rng = np.random.default_rng(seed)
    press = Press(210, 106, Ruling(0.3, DROP_OUT_ORANGE))
    press.shade(Rect(0, 0, 210, 106), (225, 240, 252))
    press.print(12, 15, "PAYMENT ORDER", 3.8, bold=True, colour=DROP_OUT_ORANGE)
    press.print(130, 15, "Credit Union of the Coast", 2.4, colour=DROP_OUT_ORANGE)
    press.print(12, 26, "Account to be credited", 1.9, colour=DROP_OUT_ORANGE)
    press.boxes("account", Rect(12, 28, 7, 9.5), account)
    press.print(12, 46, "Reference", 1.9, colour=DROP_OUT_ORANGE)
    press.boxes("reference", Rect(12, 48, 7, 9.5), reference)
    press.print(12, 67, "Amount", 1.9, colour=DROP_OUT_ORANGE)
    right = press.boxes("amount", Rect(12, 69, 8, 11), amount, ruling=Ruling(0.5, DROP_OUT_ORANGE))
    press.print(right + 3, 79, ".", 4.0, bold=True, colour=DROP_OUT_ORANGE)
    press.boxes("cents", Rect(right + 8, 69, 8, 11), cents, ruling=Ruling(0.5, DROP_OUT_ORANGE))
    press.rule(130, 94, 195, 94)
    press.print(130, 98, "Date, signature", 1.9, colour=DROP_OUT_ORANGE)
    press.sign(136, 91, rng)
    return press.sheet()


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
