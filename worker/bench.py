"""Accuracy and speed on somebody's own scans: read as `digitmill run` does, scored against the truth."""

from __future__ import annotations

import math
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import compress, islice

from segmentation.geometry import Box
from worker.batches.progress import Failure, status
from worker.batches.submission import submit
from worker.database.engine import Database, open_database
from worker.database.queries import iterate_results, page_counts, read_pages
from worker.errors import NoUsableInput
from worker.intake import ScanFile
from worker.local_run import Progress, read_batch
from worker.measures import (
    BLANK,
    Miss,
    PageScore,
    Read,
    Tally,
    digit_outcomes,
    field_outcomes,
    numbers_read,
    score_page,
    tally,
)
from worker.originals import Originals
from worker.readings import FieldStatus
from worker.reliability import Outcome, expected_calibration_error, reliability
from worker.report import Grey, crop_uri
from worker.settings import Settings
from worker.truth import TruePage

BATCH = "bench"
NO_FIELD = "no field there"


@dataclass(frozen=True, slots=True)
class Speed:
    pages: int
    seconds: float
    processes: int
    peak_bytes: int  # of the process that needed most memory

    @property
    def pages_per_second(self) -> float:
        return self.pages / self.seconds

    @property
    def pages_per_second_and_core(self) -> float:
        return self.pages_per_second / self.processes


@dataclass(frozen=True, slots=True)
class WrongField:
    """A field that was not read exactly, or one that was read where none is (then `truth` is None)."""

    file: str
    page: int
    name: str
    truth: str | None
    value: str | None  # as it was read; None where it was not found
    cause: str
    status: str
    confidence: float | None
    crop: str | None  # of the scan, as a data URI; None where nobody knows where to look


@dataclass(frozen=True, slots=True)
class Bench:
    """What the scans with a known truth came to."""

    scores: tuple[PageScore, ...]
    speed: Speed
    failures: tuple[Failure, ...]
    without_scan: tuple[str, ...]  # pages of the truth that were not among the scans
    wrong: tuple[WrongField, ...]  # the first ones, in the order of the truth

    @property
    def tally(self) -> Tally:
        return tally(self.scores)

    @property
    def fields(self) -> tuple[Outcome, ...]:
        return tuple(field_outcomes(self.scores))

    @property
    def digits(self) -> tuple[Outcome, ...]:
        return tuple(digit_outcomes(self.scores))

    @property
    def causes(self) -> dict[str, int]:
        """How many fields each cause cost, those that cost none included."""
        counts = Counter(score.miss for page in self.scores for score in page.fields)
        return {cause.value: counts[cause] for cause in Miss} | {NO_FIELD: self.tally.spurious}

    @property
    def gated(self) -> dict[str, float]:
        """The measures that a gate may name; nan where there was nothing to measure."""
        counts, bins = self.tally, reliability(self.digits)
        accepted = self.accepted
        return {
            "found": counts.fields_found,
            "exact": counts.field_exact,
            "digit_error": counts.digit_error,
            "spurious": counts.spurious_per_page,
            "blanks_right": counts.blanks_right,
            "accepted_wrong": accepted.count(False) / len(accepted) if accepted else math.nan,
            "calibration_error": expected_calibration_error(bins) if bins else math.nan,
            "pages_per_second": self.speed.pages_per_second,
        }

    @property
    def accepted(self) -> tuple[bool, ...]:
        """Of each number that is accepted by the settings as they are, whether it is right."""
        return tuple(r for read, r in numbers_read(self.scores) if read.status is FieldStatus.ACCEPTED)


def bench(
    scans: Sequence[ScanFile],
    truth: Sequence[TruePage],
    settings: Settings,
    watch: Callable[[Progress], None],
    *,
    crops: int = 0,
) -> Bench:
    """Read those scans that the truth knows into a database of the moment, and score them.

    The first `crops` of the wrong fields are cut from their scans, so that they can be looked at. A page that
    cannot be read counts as one on which nothing was found. Raises NoUsableInput where the truth knows none
    of the scans, or two by one name.
    """
    known = _known(scans, {page.file for page in truth})
    if not known:
        raise NoUsableInput(
            f"the truth knows none of these {len(scans)} scans: it names {truth[0].file} and the first scan "
            f"is {scans[0].path}; name files relative to the folder of scans"
        )
    with tempfile.TemporaryDirectory(prefix="digitmill-bench-") as folder:
        own = settings.model_copy(update={"database_url": f"sqlite:///{folder}/bench.db"})
        with closing(open_database(own.database_url)) as db:
            submit(db, BATCH, list(known.values()))
            started = time.monotonic()
            for progress in read_batch(db, own, BATCH):
                watch(progress)
            seconds = time.monotonic() - started
            after = status(db, BATCH)
            reads: dict[tuple[str, int], list[Read]] = defaultdict(list)
            for record in iterate_results(db, BATCH):
                reads[record["document"], record["page"]].append(Read.from_record(record))
            counts = page_counts(db, BATCH)
            there = [page.file in known and _is_there(page, counts) for page in truth]
            scanned = list(compress(truth, there))
            scores = [score_page(page.fields, reads[page.file, page.page]) for page in scanned]
            wrong = tuple(islice(_wrong_fields(db, own, scanned, scores), crops))
    pages_read = after.pages["done"] + after.pages["review"]
    return Bench(
        tuple(scores),
        Speed(pages_read, seconds, own.processes, _peak_bytes()),
        after.failures,
        tuple(
            f"{page.file} page {page.page}"
            for page, is_there in zip(truth, there, strict=True)
            if not is_there
        ),
        wrong,
    )


def _known(scans: Sequence[ScanFile], files: Collection[str]) -> dict[str, ScanFile]:
    """Return the scans that a truth names, by these names."""
    known: dict[str, ScanFile] = {}
    for scan in scans:
        if scan.path in files and known.setdefault(scan.path, scan) is not scan:
            raise NoUsableInput(
                f"{known[scan.path].absolute} and {scan.absolute} are both {scan.path} to the truth; "
                "bench one folder after the other, or the one that holds both, with names relative to it"
            )
    return known


def _is_there(page: TruePage, counts: Mapping[str, int | None]) -> bool:
    """Tell whether its document has so many pages; one that could not be opened might."""
    count = counts[page.file]
    return count is None or page.page <= count


def _wrong_fields(
    db: Database, settings: Settings, pages: Sequence[TruePage], scores: Sequence[PageScore]
) -> Iterator[WrongField]:
    originals = Originals.of(settings)
    stored = {(page.document, page.number): page for page in read_pages(db, BATCH)}
    for page, score in zip(pages, scores, strict=True):
        missed = [field for field in score.fields if field.miss]
        if not missed and not score.spurious:
            continue
        scan = stored.get((page.file, page.page))
        grey = None
        if scan is not None:
            grey = originals.load_page(scan.root, scan.document, scan.sha256, scan.number).grey

        def crop(box: Box | None, grey: Grey | None = grey) -> str | None:
            return crop_uri(grey, box) if grey is not None and box is not None else None

        for field in missed:
            truth, read = field.truth, field.read
            yield WrongField(
                page.file,
                page.page,
                truth.name,
                truth.value,
                _shown(read) if read else None,
                str(field.miss),
                read.status if read else "",
                read.confidence if read else None,
                crop(truth.box or (read.box if read else None)),
            )
        for read in score.spurious:
            yield WrongField(
                page.file,
                page.page,
                read.name,
                None,
                _shown(read),
                NO_FIELD,
                read.status,
                read.confidence,
                crop(read.box),
            )


def _shown(read: Read) -> str:
    """Return what was read as a truth is written, a character a printed box."""
    return "".join(label or BLANK for label in read.cells)


def _peak_bytes() -> int:
    """Return the memory of the largest process of ours that has ended."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
