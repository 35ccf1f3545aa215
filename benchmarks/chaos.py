"""Chaos: kill -9 workers and empty Redis in the middle of a batch, then count what was lost or doubled.

    python -m benchmarks.chaos            prints
    python -m benchmarks.chaos --write    writes benchmarks/chaos.md too

Every strike comes after a random number of pages, so that it always falls into work. Afterwards each page
must have exactly one reading, whole, and the same as a run in peace gives. The control has no sweeper: what
Redis loses then stays lost, or the strikes hit nothing and the test has no power.
"""

from __future__ import annotations

import argparse
import platform
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
from PIL import Image
from sqlalchemy import func, select

from tests.installation import Installation, readers, sweepers
from tests.servers import OwnProcess, PostgresServer, RedisServer
from training.forms import Capture, PenDigits, Rect, draw_sheet, random_hand
from training.forms.press import Press
from training.provenance import commit, machine
from worker.database.engine import Database, open_database, upgrade
from worker.database.tables import BatchRow, BatchState, ReadingRow

REPORT = Path(__file__).with_suffix(".md")
BATCH = "chaos"
CARDS = 12
TIFF_PAGES = 10
POLL_S = 0.05
JITTER_S = 0.2
PATIENCE_S = 60.0  # for a busy machine; with a sweeper something must move every few seconds
PATIENCE_WITHOUT_SWEEPER_S = 6.0  # while all workers are ready

SETTINGS = {  # everything much shorter than in earnest, so that a run takes seconds
    "page_time_limit_s": "5",
    "lease_s": "6",
    "sweep_interval_s": "0.5",
    "ring_again_s": "2",
    "concurrency": "1",
}

READINGS = """
SELECT d.path, p.number, r.id, f.position, f.name, f.value, f.status, f.x, f.y, f.width, f.height
FROM documents d JOIN pages p ON p.document_id = d.id JOIN readings r ON r.page_id = p.id
LEFT JOIN fields f ON f.reading_id = r.id
ORDER BY d.path, p.number, r.id, f.position
"""
Fields = tuple[tuple[Any, ...], ...]


class PageName(NamedTuple):
    document: str
    number: int


class Strike(StrEnum):
    READER = "kill -9 of a process that reads"
    WORKER = "kill -9 of a whole worker"
    SWEEPER = "kill -9 of a sweeper"
    FLUSH = "FLUSHALL"
    DATABASE = "kill -9 of PostgreSQL"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of chaos. The seed decides about the pages, the strikes and after how many pages each comes."""

    pages: int
    kills: int
    flushes: int
    database_kills: int = 0
    workers: int = 2
    sweeping: bool = True
    seed: int = 1

    def strikes(self) -> list[tuple[int, Strike]]:
        """Return after how many pages comes which strike, in order; none in the last tenth of the batch."""
        rng = random.Random(self.seed)
        targets = rng.choices((Strike.READER, Strike.WORKER, Strike.SWEEPER), (6, 3, 1), k=self.kills)
        strikes = [*targets, *[Strike.FLUSH] * self.flushes, *[Strike.DATABASE] * self.database_kills]
        rng.shuffle(strikes)
        moments = sorted(rng.randrange(self.pages * 9 // 10) for _ in strikes)
        return list(zip(moments, strikes, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the batch. Every page has one whole reading, or it is lost, doubled or spoilt."""

    seconds: float
    lost: int  # pages never read; a page of a document that was never opened counts too
    doubled: int  # pages with more than one reading
    spoilt: int  # pages whose fields are not those that were read in peace
    repeated: int  # attempts beyond the first: what the strikes cost
    struck: Mapping[Strike, int]

    @property
    def sound(self) -> bool:
        return self.lost == self.doubled == self.spoilt == 0


def run_chaos(
    plan: Plan, database_url: str, folder: Path, restart_database: Callable[[], None] | None = None
) -> Outcome:
    """Submit a batch, strike at it as planned, wait until it is done or stands still, and count.

    `folder` takes scans and logs. A worker that was killed whole is started again, as a supervisor would.
    """
    cards = draw_scans(folder, plan.pages, plan.seed)
    in_peace = _read_in_peace(folder)
    with RedisServer() as broker, ExitStack() as stack:
        digitmill = Installation(folder, {**SETTINGS, "database_url": database_url, "broker_url": broker.url})
        _succeed(digitmill.run("submit", folder / "scans", "--batch", BATCH))
        db = stack.enter_context(closing(open_database(database_url)))
        battle = _Battle(plan, digitmill, db, broker, restart_database)
        stack.callback(battle.end)
        started = time.monotonic()
        battle.fight()
        seconds = time.monotonic() - started
    return _count(digitmill, cards, in_peace, seconds, battle.struck)


class _Battle:
    """The workers, and what befalls them."""

    def __init__(
        self,
        plan: Plan,
        digitmill: Installation,
        db: Database,
        broker: RedisServer,
        restart_database: Callable[[], None] | None,
    ) -> None:
        self._plan = plan
        self._digitmill = digitmill
        self._db = db
        self._broker = broker
        self._restart_database = restart_database
        self._rng = random.Random(plan.seed)
        self._starts = count(1)
        self.struck: Counter[Strike] = Counter()
        self._workers = [self._start_worker() for _ in range(plan.workers)]

    def fight(self) -> None:
        """Return when the batch is done, or nothing has moved for so long that nothing ever will."""
        ahead = deque(self._plan.strikes())
        patience_s = PATIENCE_S if self._plan.sweeping else PATIENCE_WITHOUT_SWEEPER_S
        moved, seen = time.monotonic(), 0
        while time.monotonic() < moved + patience_s:
            time.sleep(POLL_S)
            pages_read, done = self._progress()
            if done:
                return
            if pages_read > seen or not all(map(_is_ready, self._workers)):
                moved, seen = time.monotonic(), pages_read
            if ahead and pages_read >= ahead[0][0]:
                _, strike = ahead.popleft()
                time.sleep(self._rng.uniform(0, JITTER_S))
                self._carry_out(strike)
                self.struck[strike] += 1
                moved = time.monotonic()

    def end(self) -> None:
        for worker in self._workers:
            worker.kill()

    def _carry_out(self, strike: Strike) -> None:
        index = self._rng.randrange(len(self._workers))
        match strike:
            case Strike.READER:
                _kill(readers, self._workers[index])
            case Strike.SWEEPER:
                _kill(sweepers, self._workers[index])
            case Strike.WORKER:
                self._workers[index].kill()
                self._workers[index] = self._start_worker()
            case Strike.FLUSH:
                self._broker.flush()
            case Strike.DATABASE:
                if self._restart_database is None:
                    raise ValueError("the plan kills a database that cannot be started again")
                self._restart_database()

    def _start_worker(self) -> OwnProcess:
        options = [] if self._plan.sweeping else ["--no-sweeper"]
        return self._digitmill.start("worker", *options, log=f"worker-{next(self._starts)}.log")

    def _progress(self) -> tuple[int, bool]:
        """Return how many pages are read, and whether the batch is done."""
        with self._db.read() as connection:
            pages_read = connection.scalar(select(func.count()).select_from(ReadingRow)) or 0
            return pages_read, connection.scalar(select(BatchRow.state)) is BatchState.DONE


def _kill(which: Callable[[OwnProcess], list[psutil.Process]], worker: OwnProcess) -> None:
    with suppress(psutil.NoSuchProcess):  # it may have ended by itself a moment ago
        for process in which(worker):
            process.kill()


def _is_ready(worker: OwnProcess) -> bool:
    return b" ready." in worker.log.read_bytes()


def draw_scans(folder: Path, pages: int, seed: int) -> dict[PageName, str]:
    """Draw a few small cards that are read in milliseconds, and make the scans of a batch of copies of them.

    Six pages of ten are PNGs of one page, the others TIFFs of ten. Returns which card each page shows.
    """
    rng = np.random.default_rng(seed)
    for name in ("cards", "scans"):
        (folder / name).mkdir()
    cards = [f"card-{index:02}.png" for index in range(CARDS)]
    images = [_draw_card(rng) for _ in cards]
    for card, image in zip(cards, images, strict=True):
        # A copy: a PNG encoder's settings stay with the image, and spoil TIFF.
        image.copy().save(folder / "cards" / card)
    shown: dict[PageName, str] = {}
    singles = pages * 6 // 10
    for index in range(singles):
        path, card = f"single-{index:05}.png", cards[index % CARDS]
        shutil.copy(folder / "cards" / card, folder / "scans" / path)
        shown[PageName(path, 1)] = card
    for start in range(singles, pages, TIFF_PAGES):
        path = f"stack-{start:05}.tif"
        picked = [number % CARDS for number in range(start, min(start + TIFF_PAGES, pages))]
        first, *rest = (images[index] for index in picked)
        first.save(folder / "scans" / path, save_all=True, append_images=rest, compression="tiff_lzw")
        shown |= {PageName(path, number): cards[index] for number, index in enumerate(picked, 1)}
    return shown


def _draw_card(rng: np.random.Generator) -> Image.Image:
    """A card of 90 x 45 mm with two numbers on it."""
    press = Press(90, 45)
    press.print(8, 8, "METER READING", 2.6, bold=True)
    for row, length in enumerate((6, 5)):
        value = "".join(map(str, rng.integers(0, 10, length)))
        press.boxes(f"number_{row}", Rect(8, 12 + 16 * row, 7, 9), value)
    form = draw_sheet(press.sheet(), Capture(dpi=150), PenDigits(random_hand(rng)), rng)
    return Image.fromarray(form.page.grey)


def _read_in_peace(folder: Path) -> dict[str, Fields]:
    """Read each card once, by a local run, and return what its fields say."""
    digitmill = Installation(folder, {"database_url": f"sqlite:///{folder}/peace.db"})
    _succeed(digitmill.run("run", folder / "cards", "--batch", BATCH))
    return {page.document: readings[0] for page, readings in _readings(digitmill).items()}


def _readings(digitmill: Installation) -> dict[PageName, list[Fields]]:
    """Return the fields of every reading of every page that has one."""
    found: dict[PageName, dict[int, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for document, number, reading, *field in digitmill.query(READINGS):
        found[PageName(document, number)][reading].append(tuple(field))
    return {page: [tuple(fields) for fields in readings.values()] for page, readings in found.items()}


def _count(
    digitmill: Installation,
    cards: Mapping[PageName, str],
    in_peace: Mapping[str, Fields],
    seconds: float,
    struck: Mapping[Strike, int],
) -> Outcome:
    found = _readings(digitmill)
    ((attempts, tried),) = digitmill.query("SELECT sum(attempt), count(*) FROM pages WHERE attempt > 0")
    return Outcome(
        seconds=seconds,
        lost=sum(page not in found for page in cards),
        doubled=sum(len(readings) > 1 for readings in found.values()),
        spoilt=sum(readings[0] != in_peace[cards[page]] for page, readings in found.items()),
        repeated=int(attempts) - tried,
        struck=struck,
    )


def _succeed(command: subprocess.CompletedProcess[str]) -> None:
    if command.returncode != 0:
        raise RuntimeError(f"{command.args}: {command.stderr}")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Kill workers and empty Redis in the middle of a batch.")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    given = arguments.parse_args()
    plans = (
        ("PostgreSQL", Plan(2000, kills=50, flushes=8, database_kills=4, seed=given.seed)),
        ("SQLite", Plan(1000, kills=25, flushes=4, seed=given.seed)),
        ("PostgreSQL, no sweeper", Plan(500, kills=10, flushes=2, sweeping=False, seed=given.seed)),
        ("PostgreSQL, no sweeper", Plan(500, kills=10, flushes=0, sweeping=False, seed=given.seed)),
    )
    rows = []
    for title, plan in plans:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="digitmill-chaos-")))
            if title == "SQLite":
                outcome = run_chaos(plan, f"sqlite:///{folder}/chaos.db", folder)
            else:
                postgres = stack.enter_context(PostgresServer())
                url = postgres.new_database()
                upgrade(url)
                outcome = run_chaos(plan, url, folder, postgres.crash)
        rows.append(_row(title, plan, outcome))
        print(rows[-1], flush=True)
    if given.write:
        REPORT.write_text(_report(rows, given.seed), encoding="utf-8")


def _row(title: str, plan: Plan, outcome: Outcome) -> str:
    struck = ", ".join(f"{outcome.struck[strike]} {strike}" for strike in Strike if strike in outcome.struck)
    counts = (outcome.lost, outcome.doubled, outcome.spoilt, outcome.repeated)
    return (
        f"| {title} | {plan.pages} | {struck} | {outcome.seconds:.0f} | "
        + " | ".join(map(str, counts))
        + " |"
    )


def _report(rows: list[str], seed: int) -> str:
    table = "\n".join(rows)
    return f"""# Chaos

What is left of a batch whose workers, queue and database are killed while it is read. Made by
`make chaos` (seed {seed}) at commit {commit()} on {machine()},
Python {platform.python_version()}; two workers of one process each.

| database | pages | strikes | seconds | lost | doubled | spoilt | read again |
| --- | --- | --- | --- | --- | --- | --- | --- |
{table}

*Lost*: pages without a reading at the end. *Doubled*: pages with more than one. *Spoilt*: pages whose fields
are not those of a run in peace. *Read again*: attempts beyond the first, which is what the strikes cost. The
runs without a sweeper show that the strikes hit; they end when nothing has moved for
{PATIENCE_WITHOUT_SWEEPER_S:.0f} s, and what was planned for later does not come.

Pages are small synthetic cards and all periods are short (a lease of {SETTINGS["lease_s"]} s, a sweep every
{SETTINGS["sweep_interval_s"]} s), so the seconds say nothing about real batches. Which strikes come after how
many pages is fixed by the seed; where in a page they fall is not.
"""


if __name__ == "__main__":
    main()
