"""Read a batch here and now, with child processes of our own and no broker.

The steps are those of the queue (worker.batches), and so are the leases: any number of local runs and queue
workers may read the same batch at once. What a killed run leaves behind is free again as soon as the next one
starts: a lease names its holder's machine and process, and nobody waits for a process that is no more.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from worker.batches.mill import Mill, open_mill
from worker.batches.progress import status
from worker.batches.rescue import (
    Overdue,
    record_document_crash,
    record_page_crash,
    sweep,
    take_back,
    unfinished,
)
from worker.batches.work import work_on_document, work_on_page
from worker.crew import Crew, Finished, Lost
from worker.database.engine import Database
from worker.reading_process import set_up_reading
from worker.settings import Settings

POLL_S = 0.5  # while others hold the last pages
MAX_UNBEGUN = 3  # losses before the step was claimed, which the database does not count as attempts


class Step(NamedTuple):
    """What a child does at a time: open a document (and read it, if it has one page), or read a page."""

    kind: Literal["document", "page"]
    id: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, in pages; a document that is not open yet counts as one."""

    finished: int
    known: int


def read_batch(db: Database, settings: Settings, batch: str) -> Generator[Progress, None, None]:
    """Read everything of a sealed batch; end when nothing of it is left to read, here or elsewhere.

    A page that kills its process or takes longer than `settings.page_time_limit_s` is tried again, up to
    `settings.max_attempts` times, and then fails with the reason. Raises what open_mill raises.
    """
    finished = 0
    losses: Counter[Step] = Counter()
    crew = Crew(settings.processes, partial(_prepare, settings), time_limit_s=settings.page_time_limit_s)
    with crew:
        while True:
            take_back(db, settings)
            steps = deque(_steps(unfinished(db, batch)))
            if not steps:
                sweep(db, settings)
                if status(db, batch).finished:
                    return
                time.sleep(POLL_S)
            known = finished + len(steps)
            yield Progress(finished, known)
            for outcome in crew.work_through(steps):
                if isinstance(outcome, Finished):
                    more = outcome.result
                else:
                    losses[outcome.task] += 1
                    more = _after_loss(db, settings, outcome, losses[outcome.task])
                steps.extend(more)
                if more:
                    known += len(more) - 1
                else:
                    finished += 1
                yield Progress(finished, known)


@contextmanager
def _prepare(settings: Settings) -> Iterator[Callable[[Step], tuple[Step, ...]]]:
    """Make a child ready, with a database connection and a model of its own."""
    set_up_reading()
    mill = open_mill(settings)
    with closing(mill.db):
        yield partial(_take_step, mill)


def _take_step(mill: Mill, step: Step) -> tuple[Step, ...]:
    """Return the steps that follow from this one."""
    if step.kind == "document":
        return _steps(Overdue(page_ids=work_on_document(mill, step.id)))
    work_on_page(mill, step.id)
    return ()


def _after_loss(db: Database, settings: Settings, lost: Lost[Step], times: int) -> tuple[Step, ...]:
    """Return the steps to be tried again; none where this was tried often enough."""
    if times > settings.max_attempts + MAX_UNBEGUN:
        raise RuntimeError(
            f"{lost.task.kind} {lost.task.id} cannot even be begun: {lost.reason}, {times} times"
        )
    record_crash = record_document_crash if lost.task.kind == "document" else record_page_crash
    return _steps(record_crash(db, settings, lost.task.id, lost.reason))


def _steps(queued: Overdue) -> tuple[Step, ...]:
    documents = (Step("document", document_id) for document_id in queued.document_ids)
    pages = (Step("page", page_id) for page_id in queued.page_ids)
    return (*pages, *documents)  # what has been opened is finished first
