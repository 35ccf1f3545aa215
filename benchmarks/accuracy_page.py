"""docs/accuracy.md: what was read, of which data, how well, and why not better."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from benchmarks.accuracy_hard import Cause, HardRead, hard_goals
from benchmarks.accuracy_runs import Floor, ReadPage, boxed_fields, in_groups, real_goals
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
Fields whose place nobody measured are scored by value: each takes the page's nearest reading, once."""

HARD = """\
Each page has one kind of boxes and one damage on top of a scanner's or a phone's everyday ones, among
checkboxes, bubble columns, name combs, signature tables, frames and printed words. Synthetic too, and
the photos as well: a flat sheet in perspective on a desk, under uneven light. *Spurious* leaves out
what is read in the boxes of a name, unless it was accepted. Nothing is in more than one row of a
table; whole numbers (one box around 2 to 10 digits) have rows of their own."""

CAUSES = """\
*Not found*: no reading lies on the field. *Split wrong*: another number of boxes, or of digits in one
box. *Wrong place*: read right if the boxes are cut where they truly are, so they were cut beside their
lines, or turned. *Line rest*: the same ink is read right where nothing is printed round it. *Misread*:
not even then."""

NOWHERE = """\
Values that were accepted without a person's look where no digit field is, at the confidence that the
default target error asks for."""

REMARKS = {
    "kawalc1-c1": """\
Election result forms 2014 to 2024, 479x788 to 1275x2100 pixels: one of them lies upside down, one is askew,
and one has boxes of about 15 pixels so close that neighbouring fields nearly touch.""",
    "omrchecker": """\
Small boxes over bubble columns, and two sheets without any digit box, on which nothing may be read.
The roll numbers begin with letters and don't count, so what is read there shows as matching
nothing.""",
    "markus-exams": "A comb of 10 boxes, once filled, twice blank; the 24 boxes for the name hold no digits.",
    "nist-sd19-hsf": "One box around each whole number of 2 to 10 digits.",
    "kawalc1-c1 photos": "Taken by phone, one of them off a screen.",
    "idea-c.digital photos": "Tally forms with three boxes a field, some with a printed guide in each box.",
}


def accuracy_page(
    recogniser: Recogniser,
    floors: Sequence[Floor],
    drawn: Sequence[ReadPage],
    beyond: Mapping[str, Sequence[ReadPage]],
    real: Mapping[str, Sequence[ReadPage]],
    *,
    hard: Sequence[HardRead] = (),
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
        *_hard_sections(hard, real),
        *_drawn_sections(drawn),
        *_beyond_sections(beyond),
        *_real_sections(real),
    ]
    return "\n\n".join(sections) + "\n"


def _hard_sections(reads: Sequence[HardRead], real: Mapping[str, Sequence[ReadPage]]) -> Iterator[str]:
    if not reads:
        return
    yield "## Goals on hard pages and real ones"
    yield _table(
        ("measure", "reached", "goal", ""),
        (_floor_row(floor) for floor in (*hard_goals(reads), *real_goals(real))),
    )
    yield "## Hard pages (synthetic)"
    yield f"{len(reads)} pages, seeds {reads[0].seed} to {reads[-1].seed}. {HARD}"
    yield _hard_table(reads, _capture)
    for is_photo, capture in ((False, "scans"), (True, "photos")):
        yield f"### Kind of boxes, {capture}"
        yield _hard_table([read for read in reads if read.is_photo == is_photo], lambda read: read.kind.value)
    yield "### Damage"
    yield _hard_table([read for read in reads if not read.is_whole], lambda read: read.damage.value)
    yield "### Damage, whole numbers"
    yield _hard_table([read for read in reads if read.is_whole], lambda read: read.damage.value)
    yield "### Causes"
    yield CAUSES
    yield _cause_table(reads)
    yield "### Accepted where no field is"
    yield NOWHERE
    places = Counter(place for read in reads for place in read.accepted)
    yield _table(
        ("", "values"), [(place, str(count)) for place, count in places.most_common()] or [("none", "0")]
    )


def _capture(read: HardRead) -> str:
    return f"{'whole numbers, ' if read.is_whole else ''}{'photos' if read.is_photo else 'scans'}"


def _hard_table(reads: Sequence[HardRead], name: Callable[[HardRead], str]) -> str:
    return _tally_table({key: tally(read.score for read in group) for key, group in _grouped(reads, name)})


def _cause_table(reads: Sequence[HardRead]) -> str:
    """Return how many fields each cause cost, by capture, by kind and by damage."""
    groups = [
        group
        for name in (_capture, lambda read: read.kind.value, lambda read: read.damage.value)
        for group in _grouped(reads, name)
    ]
    rows = []
    for name, group in groups:
        counts = Counter(cause for read in group for cause in read.causes)
        fields = sum(len(read.score.fields) for read in group)
        rows.append((name, str(fields), *(str(counts[cause]) for cause in Cause)))
    return _table(("", "fields", *(cause.value for cause in Cause)), rows)


def _grouped(reads: Sequence[HardRead], name: Callable[[HardRead], str]) -> list[tuple[str, list[HardRead]]]:
    groups: dict[str, list[HardRead]] = {}
    for read in reads:
        groups.setdefault(name(read), []).append(read)
    return list(groups.items())


def _drawn_sections(pages: Sequence[ReadPage]) -> Iterator[str]:
    counts = tally(page.score for page in pages)
    yield "## Drawn pages (synthetic)"
    yield f"{len(pages)} pages, seeds 0 to {len(pages) - 1}. {SYNTHETIC}"
    if len(in_groups(pages).get("Digits", ())) == 1:
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
            _rate(counts.found, counts.fields)[0],
            *_rate(counts.exact, counts.fields),
            str(counts.digits),
            *_rate(min(counts.digit_errors, counts.digits), counts.digits),
            f"{counts.spurious_per_page:.2f}",
            _rate(counts.blank_cells - counts.blanks_read, counts.blank_cells)[0],
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
