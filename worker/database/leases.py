"""Who may work on what: documents and pages are claimed with a lease and a fencing token.

A claim is good until its lease ends, and writes are accepted from whoever holds the newest token only. So a
worker that was given up too early does no harm: it reads for nothing.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, bindparam, exists, select, update

from worker.database.tables import BatchRow, BatchState, DocumentRow, DocumentState, PageRow, PageState

UNFINISHED_DOCUMENT = (DocumentState.QUEUED, DocumentState.OPENING, DocumentState.OPEN)
UNFINISHED_PAGE = (PageState.QUEUED, PageState.READING)

_NO_LEASE = {"lease_token": None, "lease_holder": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Kind:
    """The two kinds of work, which are claimed alike."""

    row: type[DocumentRow] | type[PageRow]
    queued: DocumentState | PageState
    held: DocumentState | PageState
    failed: DocumentState | PageState


DOCUMENTS = Kind(DocumentRow, DocumentState.QUEUED, DocumentState.OPENING, DocumentState.FAILED)
PAGES = Kind(PageRow, PageState.QUEUED, PageState.READING, PageState.FAILED)


# Every page goes through these. Putting a statement together costs as much as running it, so it is done once;
# the columns that an UPDATE sets are those it is executed with.


@cache
def _by_id(kind: Kind) -> Update:
    return update(kind.row).where(kind.row.id == bindparam("work_id"))


@cache
def _take(kind: Kind) -> Update:
    return _by_id(kind).where(kind.row.state == kind.queued).values(attempt=kind.row.attempt + 1)


@cache
def _newest(kind: Kind) -> Select[int]:
    row = kind.row
    newest = select(row.id).where(row.id == bindparam("work_id"), row.lease_token == bindparam("token"))
    return newest.with_for_update()


_BATCH_OF_DOCUMENT = (
    select(DocumentRow.batch_id)
    .where(DocumentRow.id == bindparam("document"))
    .with_for_update(key_share=True)
)
_CLOSE_DOCUMENT = (
    update(DocumentRow)
    .where(
        DocumentRow.id == bindparam("document"),
        DocumentRow.state == DocumentState.OPEN,
        ~exists().where(PageRow.document_id == bindparam("document"), PageRow.state.in_(UNFINISHED_PAGE)),
    )
    .values(state=DocumentState.DONE)
)
_LOCK_BATCH = select(BatchRow.id).where(BatchRow.id == bindparam("batch")).with_for_update(key_share=True)
_CLOSE_BATCH = (
    update(BatchRow)
    .where(
        BatchRow.id == bindparam("batch"),
        BatchRow.state == BatchState.SEALED,
        ~exists().where(
            DocumentRow.batch_id == bindparam("batch"), DocumentRow.state.in_(UNFINISHED_DOCUMENT)
        ),
    )
    .values(state=BatchState.DONE)
)


@dataclass(frozen=True, slots=True)
class Claim:
    id: int
    token: str


def holder_name(pid: int) -> str:
    """Return what a process of this machine signs its leases with."""
    return f"{socket.gethostname()}:{pid}"


def claim(
    connection: Connection, kind: Kind, work_id: int, *, holder: str, now: datetime, lease_s: float
) -> Claim | None:
    """Take work that is queued, and count the attempt. Returns None where somebody else was faster."""
    lease = new_lease(holder, now, lease_s)
    taken = connection.execute(_take(kind), {"work_id": work_id, "state": kind.held, **lease})
    return Claim(work_id, lease["lease_token"]) if taken.rowcount else None


def new_lease(holder: str, now: datetime, lease_s: float) -> dict[str, Any]:
    """Return the columns of work that is held from now on."""
    return {
        "lease_token": secrets.token_hex(16),
        "lease_holder": holder,
        "lease_until": now + timedelta(seconds=lease_s),
    }


def holds(connection: Connection, kind: Kind, claimed: Claim) -> bool:
    """Tell whether the claim is still the newest, and keep it so until the transaction ends."""
    found = connection.execute(_newest(kind), {"work_id": claimed.id, "token": claimed.token})
    return found.first() is not None


def end(
    connection: Connection,
    kind: Kind,
    claimed: Claim,
    *,
    state: DocumentState | PageState,
    **columns: Any,
) -> None:
    """Write the outcome of claimed work and end the claim. After `holds`, in the same transaction."""
    connection.execute(_by_id(kind), {"work_id": claimed.id, "state": state, **_NO_LEASE, **columns})


@dataclass(frozen=True, slots=True)
class Freed:
    """Work that was taken from its holder: `queued` is to be tried again, `failed` was tried often enough."""

    queued: tuple[int, ...]
    failed: tuple[int, ...]


def free(
    connection: Connection,
    kind: Kind,
    which: ColumnElement[bool],
    *,
    reason: str,
    now: datetime,
    max_attempts: int,
) -> Freed:
    """Take work back from its holders; who holds a token then writes nothing any more."""
    row = kind.row
    held = connection.execute(
        select(row.id, row.attempt)
        .where(row.state == kind.held, which)
        .order_by(row.id)
        .with_for_update(skip_locked=True)
    ).all()
    queued = tuple(work_id for work_id, attempt in held if attempt < max_attempts)
    failed = tuple(work_id for work_id, attempt in held if attempt >= max_attempts)
    if queued:
        connection.execute(
            update(row)
            .where(row.id.in_(queued))
            .values(state=kind.queued, reason=reason, published_at=now, **_NO_LEASE)
        )
    if failed:
        given_up = f"given up after {max_attempts} attempts; the last: {reason}"
        finished = {"finished_at": now} if kind is PAGES else {}
        connection.execute(
            update(row)
            .where(row.id.in_(failed))
            .values(state=kind.failed, reason=given_up, **_NO_LEASE, **finished)
        )
    return Freed(queued, failed)


def take_overdue(
    connection: Connection, kind: Kind, *, before: datetime, now: datetime, limit: int
) -> tuple[int, ...]:
    """Return what is queued and was last rung for before a moment, oldest first, as rung for from now on.

    Two sweepers that do so at once get different work.
    """
    row = kind.row
    overdue = (
        select(row.id)
        .where(row.state == kind.queued, row.published_at < before)
        .order_by(row.published_at, row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = tuple(connection.scalars(overdue))
    if ids:
        connection.execute(update(row).where(row.id.in_(ids)).values(published_at=now))
    return ids


def close_documents(connection: Connection, document_ids: Iterable[int], now: datetime) -> None:
    """Mark documents as done of which all pages are finished, and then batches of which all documents are."""
    for document_id in sorted(document_ids):
        # Locked before it looks, or two that finish the last two pages each see the other's page as open.
        batch_id = connection.scalar(_BATCH_OF_DOCUMENT, {"document": document_id})
        closed = connection.execute(_CLOSE_DOCUMENT, {"document": document_id})
        if closed.rowcount and batch_id is not None:
            close_batch(connection, batch_id, now)


def close_batch(connection: Connection, batch_id: int, now: datetime) -> None:
    """Mark a sealed batch as done of which all documents are finished."""
    connection.execute(_LOCK_BATCH, {"batch": batch_id})
    connection.execute(_CLOSE_BATCH, {"batch": batch_id, "finished_at": now})
