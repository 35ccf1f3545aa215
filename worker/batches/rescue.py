"""What becomes of work whose worker died, hangs, or was never rung for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, Select, exists, false, select, update

from worker.database import leases
from worker.database.engine import Database
from worker.database.leases import DOCUMENTS, PAGES, Kind, holder_name
from worker.database.queries import batch_id_of
from worker.database.tables import BatchRow, BatchState, DocumentRow, DocumentState, PageRow, PageState
from worker.settings import Settings

RING_LIMIT = 1000  # ids of each kind that one sweep rings for: the queue must not fill with repetitions


@dataclass(frozen=True, slots=True)
class Overdue:
    """Documents and pages that somebody must be told of (again): ring the queue, or start them."""

    document_ids: tuple[int, ...] = ()
    page_ids: tuple[int, ...] = ()


def record_page_crash(db: Database, settings: Settings, page_id: int, reason: str) -> Overdue:
    """Note that the process which read a page died or was stopped, and why.

    Returns what should be tried again: nothing after `max_attempts`, when it fails with the reason.
    """
    return _free(db, settings, reason, documents=false(), pages=PageRow.id == page_id)


def record_document_crash(db: Database, settings: Settings, document_id: int, reason: str) -> Overdue:
    """Note the same of a process which opened a document."""
    # Who opens a document of one page goes on to read that page under the document's id.
    one_page = select(DocumentRow.id).where(DocumentRow.id == document_id, DocumentRow.page_count == 1)
    return _free(
        db,
        settings,
        reason,
        documents=DocumentRow.id == document_id,
        pages=PageRow.document_id.in_(one_page),
    )


def take_back(db: Database, settings: Settings) -> Overdue:
    """Free what processes of this machine hold that are no more, and return it."""
    with db.read() as connection:
        holders = {
            *connection.scalars(_holders(DOCUMENTS).distinct()),
            *connection.scalars(_holders(PAGES).distinct()),
        }
    dead = [holder for holder in holders if holder is not None and _is_dead(holder)]
    if not dead:
        return Overdue()
    return _free(
        db,
        settings,
        "its process is no more",
        documents=DocumentRow.lease_holder.in_(dead),
        pages=PageRow.lease_holder.in_(dead),
    )


def sweep(db: Database, settings: Settings, *, limit: int = RING_LIMIT) -> Overdue:
    """Free what is held beyond its lease, and return what must be rung for, oldest first.

    That is what was freed, unless it was tried `max_attempts` times and is given up, and what was last rung
    for more than `ring_again_s` ago, at most `limit` of each kind. It counts as rung for from now on, so that
    several sweepers ring for different work. Batches in which nothing is left are closed.
    """
    with db.read() as connection:
        now = db.now(connection)
    freed = _free(
        db,
        settings,
        f"no answer within the {settings.lease_s:g} s of its lease",
        documents=DocumentRow.lease_until < now,
        pages=PageRow.lease_until < now,
    )
    _close_what_is_finished(db)
    before = now - timedelta(seconds=settings.ring_again_s)
    with db.write() as connection:
        documents = leases.take_overdue(connection, DOCUMENTS, before=before, now=now, limit=limit)
        pages = leases.take_overdue(connection, PAGES, before=before, now=now, limit=limit)
    return Overdue(freed.document_ids + documents, freed.page_ids + pages)


def unfinished(db: Database, batch: str) -> Overdue:
    """Return the documents and pages of a batch that are queued, in order. Raises UnknownBatch."""
    with db.read() as connection:
        return _queued(connection, batch_id_of(connection, batch))


def ring_again(db: Database, batch: str) -> Overdue:
    """Return what is queued of a batch, as rung for from now on, and seal it. Raises UnknownBatch."""
    with db.write() as connection:
        batch_id = batch_id_of(connection, batch)
        now = db.now(connection)
        connection.execute(
            update(BatchRow)
            .where(BatchRow.id == batch_id, BatchRow.state == BatchState.SUBMITTING)
            .values(state=BatchState.SEALED)
        )
        queued = _queued(connection, batch_id)
        in_batch = select(DocumentRow.id).where(DocumentRow.batch_id == batch_id)
        for row, of_batch in (
            (DocumentRow, DocumentRow.batch_id == batch_id),
            (PageRow, PageRow.document_id.in_(in_batch)),
        ):
            connection.execute(
                update(row).where(row.state == DocumentState.QUEUED, of_batch).values(published_at=now)
            )
        leases.close_batch(connection, batch_id, now)
        return queued


def _queued(connection: Connection, batch_id: int) -> Overdue:
    documents = (
        select(DocumentRow.id)
        .where(DocumentRow.batch_id == batch_id, DocumentRow.state == DocumentState.QUEUED)
        .order_by(DocumentRow.id)
    )
    pages = (
        select(PageRow.id)
        .join(DocumentRow)
        .where(DocumentRow.batch_id == batch_id, PageRow.state == PageState.QUEUED)
        .order_by(PageRow.id)
    )
    return Overdue(tuple(connection.scalars(documents)), tuple(connection.scalars(pages)))


def _free(
    db: Database,
    settings: Settings,
    reason: str,
    *,
    documents: ColumnElement[bool],
    pages: ColumnElement[bool],
) -> Overdue:
    """Take work back from its holders, in one transaction. Return what is to be tried again."""
    with db.write() as connection:
        now = db.now(connection)
        free = partial(leases.free, connection, reason=reason, now=now, max_attempts=settings.max_attempts)
        freed_pages, freed_documents = free(PAGES, pages), free(DOCUMENTS, documents)
        parents = select(PageRow.document_id).where(PageRow.id.in_(freed_pages.failed)).distinct()
        leases.close_documents(connection, connection.scalars(parents).all(), now)
        batches = select(DocumentRow.batch_id).where(DocumentRow.id.in_(freed_documents.failed)).distinct()
        for batch_id in connection.scalars(batches).all():
            leases.close_batch(connection, batch_id, now)
        return Overdue(freed_documents.queued, freed_pages.queued)


def _close_what_is_finished(db: Database) -> None:
    """Close sealed batches without unfinished documents: a submitter died between its two last steps."""
    unfinished_documents = exists().where(
        DocumentRow.batch_id == BatchRow.id, DocumentRow.state.in_(leases.UNFINISHED_DOCUMENT)
    )
    finished = select(BatchRow.id).where(BatchRow.state == BatchState.SEALED, ~unfinished_documents)
    with db.read() as connection:
        batch_ids = connection.scalars(finished).all()
    for batch_id in batch_ids:
        with db.write() as connection:
            leases.close_batch(connection, batch_id, db.now(connection))


def _holders(kind: Kind) -> Select[str | None]:
    return select(kind.row.lease_holder).where(kind.row.state == kind.held)


def _is_dead(holder: str) -> bool:
    """Tell whether a holder is a process of this machine that is no more; another machine's may be alive."""
    pid = holder.rpartition(":")[2]
    if holder != holder_name(int(pid)):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
