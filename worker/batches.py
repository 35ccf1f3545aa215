"""What can be done with a batch, each step one short transaction: submit, open, read, sweep, follow.

The local run and the queue both call these and nothing else. All ids are the database's own integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from worker.database.engine import Database
from worker.intake import ScanFile
from worker.reader import Reader
from worker.recogniser import Recogniser
from worker.scans import ScanLimits
from worker.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Mill:
    """What one worker process holds while it reads. Made after the fork: connections and sessions don't survive one."""

    db: Database
    recogniser: Recogniser
    settings: Settings
    reader: Reader  # its `key` tells this reader's readings from those of another model or other rules


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submission added to its batch."""

    batch: str
    new_documents: tuple[int, ...]  # stored now, and to be rung for
    known: int  # stored before, nothing was done
    changed: tuple[str, ...]  # stored before with other content: not taken again
    unreadable: tuple[str, ...]  # stored as failed documents, with the reason


@dataclass(frozen=True, slots=True)
class Overdue:
    """Documents and pages that somebody must be told of (again): ring the queue, or start them."""

    document_ids: tuple[int, ...] = ()
    page_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be read. `page` is None where the whole document failed."""

    document: str
    page: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is. The counts hold every state, zeros included."""

    batch: str
    state: str  # submitting | sealed | done | cancelled
    created_at: datetime
    finished_at: datetime | None
    documents: Mapping[str, int]  # queued | opening | open | done | failed | cancelled -> how many
    pages: Mapping[str, int]  # queued | reading | done | review | failed | cancelled -> how many
    fields: Mapping[str, int]  # accepted | review | ... -> how many, of the current readings
    failures: tuple[Failure, ...]  # by document and page

    @property
    def finished(self) -> bool: ...


def open_mill(settings: Settings) -> Mill:
    """Open the database and load the model. Raises ServiceUnreachable, BadSettings, ModelRefused."""


def scan_limits(settings: Settings) -> ScanLimits: ...


def submit(db: Database, batch: str, scans: Iterable[ScanFile]) -> Submission:
    """Store the scans that the batch does not have yet, and seal it.

    Hashes every file as it goes through `scans` (wrap it to show progress). A file that cannot be read becomes a failed
    document with its reason. New documents reopen a batch that was done. Their `published_at` is now: whoever submits
    rings for `new_documents`; if that never happens the sweep does.
    """


def work_on_document(mill: Mill, document_id: int) -> tuple[int, ...]:
    """Open a document: check its hash, count its pages, make their rows. Return the ids of the pages to be read.

    The page of a one-page document is read at once. Returns () where the document is not there for the taking.
    """


def work_on_page(mill: Mill, page_id: int) -> None:
    """Read a page that is queued; nothing happens where it is not. An error becomes the page's state and reason."""


def record_crash(
    db: Database, settings: Settings, reason: str, *, document_id: int | None = None, page_id: int | None = None
) -> Overdue:
    """Note that the process which worked on a document or page died or was stopped, and why.

    Returns what should be tried again: nothing after `max_attempts`, when it fails with the reason.
    """


def take_back(db: Database, settings: Settings) -> Overdue:
    """Free what is held by processes of this machine that are no more; return it. For a local run as it starts."""


def sweep(db: Database, settings: Settings) -> Overdue:
    """Free what is held beyond its lease, give up what was tried `max_attempts` times, close what is finished.

    Returns what must be rung for, oldest first: what was freed, and what was rung for longer than `ring_again_s` ago.
    It counts as rung for from now on.
    """


def unfinished(db: Database, batch: str) -> Overdue:
    """Return the documents and pages of a batch that are queued. Raises UnknownBatch."""


def ring_again(db: Database, batch: str) -> Overdue:
    """Return what is queued of a batch, as rung for from now on, and seal it. Raises UnknownBatch."""


def status(db: Database, batch: str) -> BatchStatus:
    """Raises UnknownBatch."""


def statuses(db: Database) -> tuple[BatchStatus, ...]:
    """Return the status of every batch, the newest first."""
