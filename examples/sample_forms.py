"""The sample scans' forms: an election record, a meter card, an exam cover, a census sheet, a payment slip.

Each takes what somebody wrote into its boxes and returns the filled sheet; the seed is for the signatures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.forms import FieldKind, Press, Rect, Ruling, Sheet

DROP_OUT_ORANGE = (70, 150, 240)
LEAF_GREEN = (110, 150, 80)


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
    _date(press, Rect(116, 37, 7.5, 10), date, gap=7)

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
    _date(press, Rect(124, 31, 7, 9.5), date, gap=6)
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


def _date(press: Press, first: Rect, date: str, gap: float) -> None:
    """Print boxes for day, month and year (ddmmyyyy), with some white between them."""
    x = first.x
    for name, digits in (("day", date[:2]), ("month", date[2:4]), ("year", date[4:])):
        x = gap + press.boxes(name, Rect(x, first.y, first.width, first.height), digits)
