"""Accuracy and speed on somebody's own scans: read as `digitmill run` does, scored against the truth."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from worker.batches.progress import Failure, status
from worker.batches.submission import submit
from worker.database.engine import open_database
from worker.database.queries import iterate_results
from worker.errors import NoUsableInput
from worker.intake import ScanFile
from worker.local_run import Progress, read_batch
from worker.measures import (
    PageScore,
    Read,
    Tally,
    digit_outcomes,
    field_outcomes,
    numbers_read,
    score_page,
    tally,
)
from worker.readings import FieldStatus
from worker.reliability import Outcome
from worker.settings import Settings
from worker.truth import TruePage

BATCH = "bench"


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
class Bench:
    """What the scans with a known truth came to."""

    scores: tuple[PageScore, ...]
    speed: Speed
    failures: tuple[Failure, ...]
    without_scan: tuple[str, ...]  # pages of the truth that were not among the scans

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
    def accepted(self) -> tuple[bool, ...]:
        """Of each number that is accepted by the settings as they are, whether it is right."""
        return tuple(r for read, r in numbers_read(self.scores) if read.status is FieldStatus.ACCEPTED)


def bench(
    scans: Sequence[ScanFile],
    truth: Sequence[TruePage],
    settings: Settings,
    watch: Callable[[Progress], None],
) -> Bench:
    """Read those scans that the truth knows into a database of the moment, and score them.

    A page that cannot be read counts as one on which nothing was found. Raises NoUsableInput where the truth
    knows none of the scans.
    """
    files = {page.file for page in truth}
    known = [scan for scan in scans if scan.path in files]
    if not known:
        raise NoUsableInput(
            f"the truth knows none of these {len(scans)} scans: it names {truth[0].file} and the first scan "
            f"is {scans[0].path}; name files relative to the folder of scans"
        )
    paths = {scan.path for scan in known}
    with tempfile.TemporaryDirectory(prefix="digitmill-bench-") as folder:
        own = settings.model_copy(update={"database_url": f"sqlite:///{folder}/bench.db"})
        with closing(open_database(own.database_url)) as db:
            submit(db, BATCH, known)
            started = time.monotonic()
            for progress in read_batch(db, own, BATCH):
                watch(progress)
            seconds = time.monotonic() - started
            after = status(db, BATCH)
            reads: dict[tuple[str, int], list[Read]] = defaultdict(list)
            for record in iterate_results(db, BATCH):
                reads[record["document"], record["page"]].append(Read.from_record(record))
    scores = (score_page(page.fields, reads[page.file, page.page]) for page in truth if page.file in paths)
    pages_read = after.pages["done"] + after.pages["review"]
    return Bench(
        tuple(scores),
        Speed(pages_read, seconds, own.processes, _peak_bytes()),
        after.failures,
        tuple(f"{page.file} page {page.page}" for page in truth if page.file not in paths),
    )


def _peak_bytes() -> int:
    """Return the memory of the largest process of ours that has ended."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
