"""docs/accuracy.md: what was read, of which data, how well, and why not better."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.accuracy_runs import Floor, ReadPage, boxed_fields, in_groups
from segmentation.version import SEGMENTATION_VERSION
from training.provenance import commit
from worker.measures import FieldScore, Miss, Tally, tally, wilson
from worker.recogniser import Recogniser

MEASURES = """\
*Found*: a reading lies on the true field with an intersection over union of at least 0.5. *Exact*:
the field's digits are read as they stand; blanks and crosses are no digits. *Digit error*: edit
distance over true digits, a missed field costing all of its digits. *Spurious*: readings that are
not blank and lie on no true field. *Blanks right*: blank boxes read as blank, of fields found with
the right number of boxes. Intervals are 95 % (Wilson)."""

SYNTHETIC = """\
Forms drawn by `training/forms`: synthetic, and no promise for anybody's own. MNIST's test images
are never used here. A page may suffer several damages and then counts in each of their rows."""

DEVELOPMENT = """\
Development data, read by eye: never quoted as held out, and a few of the true values may be wrong.
Photos are not yet measured: finding the paper in them is a later issue. Fields whose place nobody
measured are scored by value: each takes the page's nearest reading, once."""

REMARKS = {
    "kawalc1-c1": """\
Election result forms 2014 to 2024, 479x788 to 1275x2100 pixels. Most misses have one of two causes,
each a later issue: terbalik.jpg lies upside down; the boxes of salah.jpg, about 15 pixels wide, stand so
close that neighbouring fields run together.""",
    "omrchecker": """\
Small boxes over bubble columns, and two sheets without any digit box, on which nothing may be read.
The roll numbers begin with letters and don't count, so what is read there shows as matching
nothing.""",
    "markus-exams": "A comb of 10 boxes, once filled, twice blank; the 24 boxes for the name hold no digits.",
    "nist-sd19-hsf": "One box around each whole number: cutting such strings is a later issue.",
}


def accuracy_page(
    recogniser: Recogniser,
    floors: Sequence[Floor],
    drawn: Sequence[ReadPage],
    beyond: Mapping[str, Sequence[ReadPage]],
    real: Mapping[str, Sequence[ReadPage]],
) -> str:
    card = recogniser.card
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    sections = [
        "# Accuracy",
        f"Written by `make accuracy` on {today} at commit `{commit()}`, with the model {card.architecture} "
        f"(`{recogniser.sha256[:19]}`, glyph recipe {card.glyph_recipe}, "
        f"segmentation {SEGMENTATION_VERSION}). Do not edit: run it again.",
        MEASURES,
        "## Floors",
        _table(("measure", "reached", "floor", ""), (_floor_row(floor) for floor in floors)),
        *_drawn_sections(drawn),
        *_beyond_sections(beyond),
        *_real_sections(real),
    ]
    return "\n\n".join(sections) + "\n"


def _drawn_sections(pages: Sequence[ReadPage]) -> Iterator[str]:
    counts = tally(page.score for page in pages)
    yield "## Drawn pages (synthetic)"
    yield f"{len(pages)} pages, seeds 0 to {len(pages) - 1}. {SYNTHETIC}"
    if len(in_groups(pages)["Digits"]) == 1:
        yield "**MNIST was not there: all digits are our own pen strokes.**"
    yield _tally_table({"all": counts})
    yield (
        f"Blank boxes taken for a digit: {counts.blanks_read} of {counts.blank_cells}. "
        f"Digits taken for blank: {counts.digits_overlooked} of {counts.digit_cells}."
    )
    for heading, names in in_groups(pages).items():
        yield f"### {heading}"
        yield _tally_table(names)
    yield "### Misses"
    yield from _misses(pages)


def _beyond_sections(beyond: Mapping[str, Sequence[ReadPage]]) -> Iterator[str]:
    if beyond:
        yield "## Drawn pages (synthetic) beyond the floors"
        yield "The same forms at resolutions that are read too, but for which no floor is promised."
        yield _tally_table({name: tally(page.score for page in pages) for name, pages in beyond.items()})


def _real_sections(real: Mapping[str, Sequence[ReadPage]]) -> Iterator[str]:
    yield "## Real scans"
    if not real:
        yield "Not measured: the real forms were not there."
        return
    yield DEVELOPMENT
    for name, pages in real.items():
        counts, boxed = tally(page.score for page in pages), boxed_fields(pages)
        yield f"### {name}"
        yield REMARKS[name]
        rows = [
            ("fields of known place found", *_counted(boxed.found, boxed.fields)),
            ("fields exact", *_counted(counts.exact, counts.fields)),
            ("pages", str(counts.pages), ""),
            ("readings that match nothing", str(counts.spurious), ""),
        ]
        yield _table(("", "count", "95 %"), rows)
        yield from _misses(pages)
        if notes := [f"- {page.name}: {page.note}" for page in pages if page.note]:
            yield "What was noted of the pages:\n\n" + "\n".join(notes)


def _misses(pages: Sequence[ReadPage]) -> Iterator[str]:
    misses = [(page, score) for page in pages for score in page.score.fields if score.miss]
    if not misses:
        yield "None."
        return
    causes = Counter(score.miss for _, score in misses)
    yield ", ".join(f"{cause.value}: {causes[cause]}" for cause in Miss if causes[cause]) + "."
    rows = (
        (page.name, score.truth.name, f"`{score.truth.value}`", _read(score), _cause(page, score))
        for page, score in misses
    )
    yield _table(("page", "field", "true", "read", "cause"), rows)


def _read(score: FieldScore) -> str:
    return f"`{''.join(cell or '_' for cell in score.read.cells)}`" if score.read else ""


def _cause(page: ReadPage, score: FieldScore) -> str:
    tags = [
        tag for heading in ("Kind of boxes", "Damage", "Resolution") for tag in page.groups.get(heading, ())
    ]
    return f"{score.miss} ({', '.join(tags)})" if tags else str(score.miss)


def _tally_table(tallies: Mapping[str, Tally]) -> str:
    head = (
        "",
        "pages",
        "fields",
        "found",
        "exact",
        "(95 %)",
        "digits",
        "digit error",
        "(95 %)",
        "spurious a page",
        "blanks right",
    )
    rows = (
        (
            name,
            str(counts.pages),
            str(counts.fields),
            f"{counts.fields_found:.2%}",
            *_rate(counts.exact, counts.fields),
            str(counts.digits),
            *_rate(min(counts.digit_errors, counts.digits), counts.digits),
            f"{counts.spurious_per_page:.2f}",
            f"{counts.blanks_right:.2%}",
        )
        for name, counts in tallies.items()
    )
    return _table(head, rows)


def _counted(part: int, whole: int) -> tuple[str, str]:
    if not whole:
        return "none", ""
    return f"{part} of {whole}", _rate(part, whole)[1]


def _rate(part: int, whole: int) -> tuple[str, str]:
    interval = wilson(part, whole)
    return f"{part / whole:.2%}" if whole else "", f"{interval.low:.1%} to {interval.high:.1%}"


def _floor_row(floor: Floor) -> tuple[str, ...]:
    return floor.measure, f"{floor.value:.4f}", floor.demand, "met" if floor.met else "**not met**"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
