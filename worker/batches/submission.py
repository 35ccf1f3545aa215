"""Storing scans as the documents of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from itertools import islice

from sqlalchemy import Connection, func, select, update

from worker.database import leases
from worker.database.engine import Database
from worker.database.tables import BatchRow, BatchState, DocumentRow, DocumentState, PageRow, PageState
from worker.errors import ScanError
from worker.intake import ScanFile
from worker.originals import fingerprint

CHUNK = 200  # documents stored in one transaction


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submission added to its batch."""

    batch: str
    new_documents: tuple[int, ...]  # stored now, and to be rung for
    known: int  # stored before: nothing was done
    changed: tuple[str, ...]  # stored before with other content: not taken again
    unreadable: tuple[str, ...]  # stored as failed documents, with the reason
    read_before: int = 0  # pages that were read under another target error than this, and stay as they are


class _Outcome(Enum):
    NEW = auto()
    KNOWN = auto()
    CHANGED = auto()
    UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class _Stored:
    outcome: _Outcome
    document_id: int
    path: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A scan as it lies there now: its hash and size, or why it cannot be read."""

    scan: ScanFile
    sha256: str | None
    bytes: int | None
    reason: str | None


def submit(
    db: Database, batch: str, scans: Iterable[ScanFile], *, target_error: float | None = None
) -> Submission:
    """Store the scans that the batch does not have yet, and seal it.

    Hashes every file as it goes through `scans` (wrap it to show progress). A file that cannot be read
    becomes a failed document with its reason, and is taken once it can be. New documents reopen a batch that
    was done. They count as rung for from now on: whoever submits rings for `new_documents`; if that never
    happens the sweep does. A `target_error` is kept with the batch and holds for what is read from now on.
    """
    read_before = _read_under_another(db, batch, target_error)
    stored: list[_Stored] = []
    for chunk in _chunks(scans):
        with db.write() as connection:
            batch_id = _open_batch(db, connection, batch, target_error)
            now = db.now(connection)
            stored += [_store(db, connection, batch_id, found, now) for found in chunk]
    with db.write() as connection:
        batch_id = _open_batch(db, connection, batch, target_error)
        connection.execute(update(BatchRow).where(BatchRow.id == batch_id).values(state=BatchState.SEALED))
        leases.close_batch(connection, batch_id, db.now(connection))

    def paths(outcome: _Outcome) -> tuple[str, ...]:
        return tuple(each.path for each in stored if each.outcome is outcome)

    return Submission(
        batch,
        new_documents=tuple(each.document_id for each in stored if each.outcome is _Outcome.NEW),
        known=len(paths(_Outcome.KNOWN)),
        changed=paths(_Outcome.CHANGED),
        unreadable=paths(_Outcome.UNREADABLE),
        read_before=read_before,
    )


def _read_under_another(db: Database, batch: str, target_error: float | None) -> int:
    """Return how many pages of the batch have been read with another target error than this one."""
    if target_error is None:
        return 0
    read = (
        select(func.count())
        .select_from(PageRow)
        .join(DocumentRow)
        .join(BatchRow)
        .where(
            BatchRow.name == batch,
            BatchRow.target_error.is_distinct_from(target_error),
            PageRow.state.in_((PageState.DONE, PageState.REVIEW)),
        )
    )
    with db.read() as connection:
        return connection.execute(read).scalar_one()


def _open_batch(db: Database, connection: Connection, name: str, target_error: float | None) -> int:
    """Return the id of the batch, made where it is new and reopened where it was done."""
    now = db.now(connection)
    target = {} if target_error is None else {"target_error": target_error}
    row = db.insert(BatchRow).values(name=name, state=BatchState.SUBMITTING, created_at=now, **target)
    row = row.on_conflict_do_update(
        index_elements=["name"], set_={"state": BatchState.SUBMITTING, "finished_at": None, **target}
    )
    return connection.execute(row.returning(BatchRow.id)).scalar_one()


def _store(db: Database, connection: Connection, batch_id: int, found: _Found, now: datetime) -> _Stored:
    """Store a document that the batch does not have, or could not read before."""
    identity = {"batch_id": batch_id, "root": found.scan.root, "path": found.scan.path}
    content = {
        "sha256": found.sha256,
        "bytes": found.bytes,
        "state": DocumentState.FAILED if found.reason else DocumentState.QUEUED,
        "reason": found.reason,
        "published_at": now,
    }
    stored = _Outcome.UNREADABLE if found.reason else _Outcome.NEW
    row = db.insert(DocumentRow).values(submitted_at=now, **identity, **content)
    new_id = connection.scalar(row.on_conflict_do_nothing().returning(DocumentRow.id))
    if new_id is not None:
        return _Stored(stored, new_id, found.scan.path)
    document_id, sha256 = connection.execute(
        select(DocumentRow.id, DocumentRow.sha256).filter_by(**identity)
    ).one()
    if sha256 == found.sha256:
        return _Stored(_Outcome.KNOWN, document_id, found.scan.path)
    if sha256 is not None:
        return _Stored(_Outcome.CHANGED, document_id, found.scan.path)
    connection.execute(update(DocumentRow).where(DocumentRow.id == document_id).values(**content))
    return _Stored(stored, document_id, found.scan.path)


def _chunks(scans: Iterable[ScanFile]) -> Iterator[list[_Found]]:
    """Hash the scans, a chunk at a time, while no transaction is open."""
    remaining = iter(scans)
    while chunk := [_look_at(scan) for scan in islice(remaining, CHUNK)]:
        yield chunk


def _look_at(scan: ScanFile) -> _Found:
    try:
        found = fingerprint(scan.absolute)
    except ScanError as error:
        return _Found(scan, None, None, str(error))
    return _Found(scan, found.sha256, found.bytes, None)
