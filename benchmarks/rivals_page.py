"""benchmarks/rivals.md: who read what, how well and how fast, and what the figures do not say."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from benchmarks.rival_readers import rapidocr_version, tesseract_version
from training.provenance import commit, machine
from worker.measures import FieldScore, PageScore, Tally, tally, wilson
from worker.recogniser import Recogniser

PAGE = Path(__file__).with_name("rivals.md")
NAIVE, NAIVE_THRESHOLDED = "naive recipe", "naive recipe, thresholded"
TESSERACT, DIGITMILL = "Tesseract", "**Digitmill**"
RAPIDOCR, RAPIDOCR_DIGITS = "RapidOCR", "RapidOCR, digits only"
HEAD = (
    "",
    "fields found",
    "fields exact",
    "",
    "(95 %)",
    "exact of those that Digitmill finds",
    "digit error",
    "(95 %)",
    "CPU s a page",
)
GIVEN = (TESSERACT, RAPIDOCR, RAPIDOCR_DIGITS)  # the places of the fields

READERS = """\
- *naive recipe*: the boxes that Digitmill finds, each inverted and squeezed to 28 x 28 pixels, nothing
  cleaned, read by {naive}.
  It knows no blank boxes, so Digitmill tells it which are. *Thresholded*: made black and white before
  (Otsu), as some tutorials do.
- *Tesseract*: Debian's, a line of text (`--psm 7`), digits allowed only. The crop of each field's **true
  place** is a gift: finding it is half of the work.
- *RapidOCR*: its recognition with the models inside its package, given the same crops. Of the text
  it answers with, the digits count. *Digits only*: its network may answer with nothing else, which
  it has no setting for.
- *Digitmill*: the bare page. It finds the fields itself, and one that it misses costs all of its digits."""

CAVEATS = """\
*Exact*: the digits of a field are read as they stand; crosses and blanks are no digits. *Digit error*: edit
distance over true digits. Intervals are 95 % (Wilson). *CPU*: of reading a page on one thread, drawing and
decoding it not counted, and of the programs given the places without the time to find them. What is read
beside the true fields costs nobody anything here. The crops lie upright, cut a tenth of a field's height
within its edges: of the margins tried the best for both programs. Tesseract was made for print and is asked
for what it does not promise."""

SETS = {
    "drawn": """\
## Drawn pages (synthetic)

Forms drawn by this project, 150 to 300 dpi, with the damages of scanners, written half with MNIST's
validation digits, half with pen strokes of hands unseen in training. No promise for anybody's own forms.""",
    "kawalc1-c1": """\
## Real election scans

Development data, and read by eye: Digitmill's finder was built with these scans at hand, RapidOCR was
not. Where the truth has no places, this project marked them. Crosses fill unused boxes, one page lies
upside down (its fields are handed over upright), and on another the boxes of three fields stand in one
row without a gap.""",
    "omrchecker": """\
## Answer sheets

Small boxes in very pale lines, over columns of bubbles; development data.""",
    "markus-exams": """\
## Exam covers

Combs of 10 and 24 boxes, one of them filled; development data.""",
    "nist-sd19-hsf": """\
## One box round a whole number

A handwriting sample form without a line between the digits. Digitmill takes such a box for one digit:
cutting strings is a later issue.""",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one reader did on a set of pages."""

    pages: tuple[PageScore, ...] = ()
    cpu_seconds: float = 0.0

    def __add__(self, other: Standing) -> Standing:
        return Standing(self.pages + other.pages, self.cpu_seconds + other.cpu_seconds)

    @property
    def tally(self) -> Tally:
        return tally(self.pages)

    @property
    def fields(self) -> list[FieldScore]:
        return [score for page in self.pages for score in page.fields]


Standings = Mapping[str, Standing]
"""How each reader did, by its name."""


def rivals_page(sets: Mapping[str, Standings], recogniser: Recogniser, plain: Recogniser) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    naive = (
        f"the network {plain.card.architecture} (`{plain.sha256[:19]}`), which reads\n"
        f"  {plain.card.validation_accuracy:.1%} of MNIST's validation digits right"
    )
    sections = [
        "# Beside what else reads digits",
        f"Written by `make rivals` on {today} at commit `{commit()}`, on {machine()}, with "
        f"{tesseract_version()}, {rapidocr_version()} and the model {recogniser.card.architecture} "
        f"(`{recogniser.sha256[:19]}`). Do not edit: run it again.",
        READERS.format(naive=naive),
        CAVEATS,
    ]
    for name, standings in sets.items():
        sections += [SETS[name], _counted(standings), _table(standings)]
    return "\n\n".join(sections) + "\n"


def _counted(standings: Standings) -> str:
    counts = standings[DIGITMILL].tally
    return f"{counts.pages} pages, {counts.fields:,} fields, {counts.digits:,} digits."


def _table(standings: Standings) -> str:
    lines = [f"| {' | '.join(HEAD)} |", "| --- " * len(HEAD) + "|"]
    found = [score.found for score in standings[DIGITMILL].fields]
    for name, standing in standings.items():
        counts = standing.tally
        wrong = min(counts.digit_errors, counts.digits)  # more digits may be read than there are
        cells = (
            name,
            "given" if name in GIVEN else f"{counts.found} of {counts.fields}",
            f"{counts.exact} of {counts.fields}",
            f"{counts.field_exact:.1%}",
            _interval(counts.exact, counts.fields),
            f"{sum(score.exact for score in compress(standing.fields, found))} of {sum(found)}",
            f"{counts.digit_error:.1%}" if counts.digits else "",
            _interval(wrong, counts.digits),
            f"{standing.cpu_seconds / counts.pages:.2f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(part: int, whole: int) -> str:
    interval = wilson(part, whole)
    return f"{interval.low:.1%} to {interval.high:.1%}" if whole else ""
