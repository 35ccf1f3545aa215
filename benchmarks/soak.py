"""A long batch: whether memory stays flat, and what the queue adds to the work of a local run.

    python -m benchmarks.soak            prints
    python -m benchmarks.soak --write    writes benchmarks/soak.md too

Costs are CPU time, summed over all processes: command, children, sweeper, Redis. Each way is measured on a
small and on a large batch; the difference is what pages cost, the rest start-up. Both write into SQLite, so
that the queue is all that differs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import psutil
from sqlalchemy import func, select

from benchmarks.speed import DISTINCT_PAGES, FORMATS, children_cpu_s, draw_pages, spread
from tests.installation import Installation
from tests.servers import OwnProcess, RedisServer
from training.provenance import commit, machine
from worker.database.engine import open_database
from worker.database.tables import PageRow, PageState

REPORT = Path(__file__).with_suffix(".md")
BATCH = "soak"
FEW = 10  # pages of the batch that tells what start-up costs
SETTLED = 100  # pages, after which memory may not grow any more
WINDOW = 50  # pages, of whose samples the median counts
LEAST_PAGES = SETTLED + 2 * WINDOW  # of a batch whose memory is watched, so that its end is not its beginning
POLL_S = 0.05
MOST_GROWTH = 1.10  # of memory from page SETTLED to the last
MOST_MEMORY_MB = 500.0  # of a process
MOST_ADDED = 1.10  # CPU time of a page through the queue over that of a local run


@dataclass(frozen=True, slots=True)
class Sample:
    """How many pages were read, and the memory of the process that reads, in MB (resident)."""

    pages: int
    reader_mb: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What a reading process holds after SETTLED pages and at the end, and at most."""

    settled_mb: float
    last_mb: float
    peak_mb: float

    @property
    def growth(self) -> float:
        return self.last_mb / self.settled_mb

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Memory:
        """Take medians of WINDOW pages: a page in hand is memory that goes again."""

        def median_from(first: int) -> float:
            return statistics.median(s.reader_mb for s in samples if first <= s.pages < first + WINDOW)

        last = max(sample.pages for sample in samples)
        return cls(
            median_from(SETTLED), median_from(last - WINDOW), max(sample.reader_mb for sample in samples)
        )


def watch_memory(contents: Sequence[bytes], pages: int) -> Memory:
    """Read a batch by one process of `digitmill run` and look at its memory all the way."""
    with _installation(contents, pages) as digitmill, digitmill.start("run", "scans", "--jobs", "1") as run:
        samples = list(_samples(digitmill, run))
        if run.process.returncode != 0:
            raise RuntimeError(f"digitmill run: {run.last_words()}")
        return Memory.of(samples)


def _samples(digitmill: Installation, run: OwnProcess) -> Iterator[Sample]:
    database = digitmill.folder / "soak.db"
    while run.running and not database.exists():
        time.sleep(POLL_S)
    with closing(open_database(digitmill.settings["database_url"])) as db:
        while run.running:
            time.sleep(POLL_S)
            with suppress(psutil.NoSuchProcess, ValueError):
                children = psutil.Process(run.pid).children(recursive=True)
                held = max(child.memory_info().rss for child in children)
                with db.read() as connection:
                    finished = PageRow.state.in_((PageState.DONE, PageState.REVIEW))
                    read = connection.scalar(select(func.count()).select_from(PageRow).where(finished))
                yield Sample(read or 0, held / 1e6)


def local_cpu_s(contents: Sequence[bytes], pages: int) -> float:
    with _installation(contents, pages) as digitmill:
        used = children_cpu_s()
        _succeed(digitmill, "run", "scans", "--jobs", "1")
        return children_cpu_s() - used


def queue_cpu_s(contents: Sequence[bytes], pages: int) -> float:
    """Return what submitting costs, a worker with one child and its sweeper, and Redis, all together."""
    used = children_cpu_s()
    with RedisServer() as redis, _installation(contents, pages, broker_url=redis.url) as digitmill:
        _succeed(digitmill, "submit", "scans")
        with digitmill.worker("--concurrency", "1") as worker:
            while not _is_done(digitmill):
                if not worker.running:
                    raise RuntimeError(f"digitmill worker: {worker.last_words()}")
                time.sleep(10 * POLL_S)
    return children_cpu_s() - used


def _is_done(digitmill: Installation) -> bool:
    ((state,),) = digitmill.query("SELECT state FROM batches")
    return bool(state == "done")


@contextmanager
def _installation(contents: Sequence[bytes], pages: int, **settings: str) -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="digitmill-soak-") as name:
        scans = Path(name) / "scans"
        scans.mkdir()
        for number in range(pages):
            (scans / f"{number:05d}.jpg").write_bytes(contents[number % len(contents)])
        yield Installation(Path(name), {"database_url": f"sqlite:///{name}/soak.db", **settings})


def _succeed(digitmill: Installation, *command: str) -> None:
    ended = digitmill.run(*command, timeout=24 * 3600)
    if ended.returncode != 0:
        raise RuntimeError(f"digitmill {' '.join(command)}: {ended.stderr}")


def report(memory: Memory, ratios: Sequence[float], pages: int, compared: int) -> str:
    growth = memory.growth <= MOST_GROWTH and memory.peak_mb <= MOST_MEMORY_MB
    added = statistics.median(ratios) <= MOST_ADDED
    return f"""# A long batch

Made by `make soak` on {datetime.now(UTC):%Y-%m-%d} at commit {commit()} on {machine()}, load \
{os.getloadavg()[0]:.1f} at the end. Pages are
those of [Speed](README.md): A4 at 300 dpi, JPEG, drawn (synthetic).

| measure | reached | goal | |
| --- | --- | --- | --- |
| memory of a reading process after {SETTLED} / {pages:,} pages | {memory.settled_mb:.0f} / \
{memory.last_mb:.0f} MB, at most {memory.peak_mb:.0f} | at most {MOST_GROWTH - 1:.0%} more, \
{MOST_MEMORY_MB:.0f} MB | {_verdict(growth)} |
| CPU time a page through the queue, times that of a local run | {spread(ratios, 2)} | at most \
{MOST_ADDED:g} | {_verdict(added)} |

CPU time is summed over all processes, Redis' too, start-up taken off; {len(ratios)} pairs of runs of \
{compared} pages, side by side, into
SQLite both; median (lowest to highest). Memory is resident, the median of {WINDOW} pages.
"""


def _verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    arguments.add_argument("--pages", type=int, default=2_000, help="whose memory is watched")
    arguments.add_argument("--compared", type=int, default=200, help="pages of each run that is compared")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    chosen = arguments.parse_args()
    if chosen.pages < LEAST_PAGES:
        arguments.error(f"--pages: memory is compared from page {SETTLED} on; give {LEAST_PAGES} or more")
    cv2.setNumThreads(1)
    jpeg = FORMATS[0]
    contents = [jpeg.encode(page) for page in draw_pages(DISTINCT_PAGES)]
    ratios = []
    for repeat in range(chosen.repeats):
        local, queue = (
            cost(contents, FEW + chosen.compared) - cost(contents, FEW) for cost in (local_cpu_s, queue_cpu_s)
        )
        ratios.append(queue / local)
        print(f"pair {repeat + 1} of {chosen.repeats}: {queue / local:.3f}", file=sys.stderr, flush=True)
    text = report(watch_memory(contents, chosen.pages), ratios, chosen.pages, chosen.compared)
    print(text)
    if chosen.write:
        REPORT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
