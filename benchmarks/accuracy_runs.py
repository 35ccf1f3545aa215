"""Pages drawn or scanned, read, and scored against what stands on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segmentation.page import Page
from training.dataset import load_dataset
from training.forms import DigitSource, FormSpec, PastedDigits, draw_spec, random_spec
from worker.measures import PageScore, Read, Tally, Truth, score_page, tally
from worker.pipeline import Classify, ReadingRules, read_page
from worker.readings import FieldStatus
from worker.scans import ScanLimits, load_page
from worker.truth import read_truth

SCAN_LIMITS = ScanLimits(max_bytes=200_000_000, max_pixels=100_000_000, max_pages=100)
FLOOR_DPIS = (150, 200, 300)
PHOTOS = " photos"  # ends the name of a real set's photos
MNIST, PEN = "MNIST validation digits", "own pen strokes"


@dataclass(frozen=True, slots=True, eq=False)
class ReadPage:
    """A page that was read, what it scored, and the groups it counts in: heading -> names."""

    name: str
    page: Page
    score: PageScore
    groups: Mapping[str, tuple[str, ...]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """What a measure must reach; `limit` is the least or, for errors, the most."""

    measure: str
    limit: float
    value: float
    at_most: bool = False

    @property
    def demand(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.limit:g}"

    @property
    def met(self) -> bool:
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def validation_digits(data: Path) -> PastedDigits | None:
    """Return the last 10,000 of MNIST's 60,000, never a test image; None where MNIST is not there."""
    if not (data / "mnist").is_dir():
        return None
    validation = load_dataset(data / "mnist").validation
    return PastedDigits(validation.glyphs, validation.labels)


def read_drawn(
    classify: Classify,
    digits: DigitSource | None,
    seeds: Iterable[int],
    dpis: Sequence[int] = FLOOR_DPIS,
) -> Iterator[ReadPage]:
    """Draw and read a page for each seed; odd seeds are written with `digits`, if there are any."""
    for seed in seeds:
        spec = random_spec(seed, dpis=dpis)
        source = digits if seed % 2 else None
        form = draw_spec(spec, source)
        truths = [Truth(field.name, field.value, field.box) for field in form.fields]
        score = score_page(truths, read_fields(form.page, classify))
        yield ReadPage(f"seed {seed}", form.page, score, _groups(spec, MNIST if source else PEN))


def drawn_floors(pages: Sequence[ReadPage]) -> list[Floor]:
    counts = tally(page.score for page in pages)
    return [
        Floor("fields found", 0.98, counts.fields_found),
        Floor("spurious fields a page", 0.1, counts.spurious_per_page, at_most=True),
        Floor("fields exact", 0.93, counts.field_exact),
        Floor("digit error", 0.015, counts.digit_error, at_most=True),
        Floor("blank cells right", 0.995, counts.blanks_right),
    ]


def read_real(
    classify: Classify, folder: Path, *, photos: bool = False, rules: ReadingRules | None = None
) -> Iterator[ReadPage]:
    """Read the scans, or else the photos, of a folder with a truth.jsonl, in its order.

    Fields that hold letters are left out of the truth; what is read there counts as matching nothing.
    """
    for true in read_truth(folder / "truth.jsonl"):
        if true.is_photo == photos:
            page = load_page((folder / true.file).read_bytes(), true.page, SCAN_LIMITS)
            score = score_page(true.fields, read_fields(page, classify, rules))
            yield ReadPage(true.file, page, score, {}, true.note)


def real_goals(real: Mapping[str, Sequence[ReadPage]]) -> list[Floor]:
    """Return what the real pages shall reach, of those sets that are there."""
    goals = []
    if "kawalc1-c1" in real:
        goals.append(_boxed_goal("kawalc1-c1: boxed fields found", 0.95, real["kawalc1-c1"]))
        goals.append(Floor("kawalc1-c1: fields exact", 0.90, _exact(real["kawalc1-c1"])))
    for name, pages in real.items():
        if name.endswith(PHOTOS):
            goals.append(Floor(f"{name}: fields exact", 0.80, _exact(pages)))
    if "nist-sd19-hsf" in real:
        counts = tally(page.score for page in real["nist-sd19-hsf"])
        goals.append(Floor("nist-sd19-hsf: fields found of 28", 26, counts.found))
        goals.append(Floor("nist-sd19-hsf: fields exact of 28", 20, counts.exact))
    if "markus-exams" in real:
        scores = [score for page in real["markus-exams"] for score in page.score.fields]
        filled = [score.exact for score in scores if score.truth.digits]
        blank = [bool(score.read and score.read.digits) for score in scores if not score.truth.digits]
        goals.append(Floor("markus-exams: filled comb exact", len(filled), sum(filled)))
        goals.append(Floor("markus-exams: numbers in blank combs", 0, sum(blank), at_most=True))
    nowhere = [page for pages in real.values() for page in pages if not page.score.fields]
    accepted = sum(read.status is FieldStatus.ACCEPTED for page in nowhere for read in page.score.spurious)
    if nowhere:
        goals.append(Floor("pages without digit boxes: accepted", 0, accepted, at_most=True))
    return goals


def _boxed_goal(measure: str, limit: float, pages: Iterable[ReadPage]) -> Floor:
    return Floor(measure, limit, boxed_fields(pages).fields_found)


def _exact(pages: Iterable[ReadPage]) -> float:
    return tally(page.score for page in pages).field_exact


def boxed_fields(pages: Iterable[ReadPage]) -> Tally:
    """Count only the true fields whose place is known."""
    return tally(
        PageScore(tuple(score for score in page.score.fields if score.truth.box), ()) for page in pages
    )


def read_fields(page: Page, classify: Classify, rules: ReadingRules | None = None) -> list[Read]:
    return [
        Read(field.name, field.cells, field.box, field.status, field.confidence)
        for field in read_page(page, classify, rules).fields
    ]


def in_groups(pages: Iterable[ReadPage]) -> dict[str, dict[str, Tally]]:
    """Return heading -> name -> counts, headings and names in the order in which they came up."""
    grouped: dict[str, dict[str, Tally]] = {}
    for page in pages:
        for heading, names in page.groups.items():
            for name in names:
                counts = grouped.setdefault(heading, {}).get(name, Tally())
                grouped[heading][name] = counts + tally([page.score])
    return grouped


def _groups(spec: FormSpec, source: str) -> dict[str, tuple[str, ...]]:
    capture, ruling = spec.capture, spec.layout.ruling
    degrees = abs(capture.skew_degrees)
    return {
        "Kind of boxes": (spec.layout.kind.value,),
        "Digits": (source,),
        "Damage": tuple(damage.value for damage in capture.damages) or ("none",),
        "Resolution": (f"{capture.dpi} dpi",),
        "Skew": ("under 0.5°" if degrees < 0.5 else "0.5° to 2°" if degrees <= 2 else "2° to 5°",),
        "Lines": ("thin, under 0.3 mm" if ruling.width_mm < 0.3 else "0.3 mm to 0.7 mm",),
        "Line colour": ("dark" if max(ruling.colour) < 60 else "grey or coloured",),
    }
