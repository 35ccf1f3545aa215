"""Storing scans as the documents of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select, update

from worker.database import leases
from worker.database.engine import Database
from worker.database.tables import BatchRow, BatchState, DocumentRow, DocumentState
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


@dataclass(frozen=True, slots=True)
class _Found:
    """A scan as it lies there now: its hash and size, or why it cannot be read."""

    scan: ScanFile
    sha256: str | None
    bytes: int | None
    reason: str | None


def submit(db: Database, batch: str, scans: Iterable[ScanFile]) -> Submission:
    """Store the scans that the batch does not have yet, and seal it.

    Hashes every file as it goes through `scans` (wrap it to show progress). A file that cannot be read
    becomes a failed document with its reason, and is taken once it can be. New documents reopen a batch
    that was done. They count as rung for from now on: whoever submits rings for `new_documents`; if that
    never happens the sweep does.
    """
    stored: list[_Stored] = []
    for chunk in _chunks(scans):
        with db.write() as connection:
            batch_id = _open_batch(db, connection, batch)
            now = db.now(connection)
            stored += [_store(db, connection, batch_id, found, now) for found in chunk]
    with db.write() as connection:
        batch_id = _open_batch(db, connection, batch)
        connection.execute(update(BatchRow).where(BatchRow.id == batch_id).values(state=BatchState.SEALED))
        leases.close_batch(connection, batch_id, db.now(connection))
    return Submission(
        batch,
        new_documents=tuple(each.new_id for each in stored if each.new_id is not None),
        known=sum(each.known for each in stored),
        changed=tuple(each.path for each in stored if each.changed),
        unreadable=tuple(each.path for each in stored if each.unreadable),
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    path: str
    new_id: int | None = None
    known: bool = False
    changed: bool = False
    unreadable: bool = False


def _open_batch(db: Database, connection: Connection, name: str) -> int:
    """Return the id of the batch, made where it is new and reopened where it was done."""
    now = db.now(connection)
    row = db.insert(BatchRow).values(name=name, state=BatchState.SUBMITTING, created_at=now)
    row = row.on_conflict_do_update(
        index_elements=["name"], set_={"state": BatchState.SUBMITTING, "finished_at": None}
    )
    return connection.execute(row.returning(BatchRow.id)).scalar_one()


def _store(db: Database, connection: Connection, batch_id: int, found: _Found, now: datetime) -> _Stored:
    path = found.scan.path
    content = {
        "sha256": found.sha256,
        "bytes": found.bytes,
        "state": DocumentState.FAILED if found.reason else DocumentState.QUEUED,
        "reason": found.reason,
        "published_at": now,
    }
    row = db.insert(DocumentRow).values(
        batch_id=batch_id, root=found.scan.root, path=path, submitted_at=now, **content
    )
    new_id = connection.scalar(row.on_conflict_do_nothing().returning(DocumentRow.id))
    if new_id is None:
        before = connection.execute(
            select(DocumentRow.id, DocumentRow.sha256).where(
                DocumentRow.batch_id == batch_id,
                DocumentRow.root == found.scan.root,
                DocumentRow.path == path,
            )
        ).one()
        if before.sha256 == found.sha256:
            return _Stored(path, known=True)
        if before.sha256 is not None:
            return _Stored(path, changed=True)
        new_id = before.id
        connection.execute(update(DocumentRow).where(DocumentRow.id == new_id).values(**content))
    return _Stored(path, unreadable=True) if found.reason else _Stored(path, new_id=new_id)


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
