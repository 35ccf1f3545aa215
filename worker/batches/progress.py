"""How far batches are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select

from worker.database.engine import Database
from worker.database.queries import batch_id_of
from worker.database.tables import (
    BatchRow,
    BatchState,
    DocumentRow,
    DocumentState,
    FieldRow,
    PageRow,
    PageState,
    ReadingRow,
)
from worker.readings import FieldStatus


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be read, or not as a whole. `page` is None where the whole document failed."""

    document: str
    page: int | None
    reason: str

    def __str__(self) -> str:
        page = f" page {self.page}" if self.page is not None else ""
        return f"{self.document}{page}: {self.reason}"


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
    unclear: tuple[Failure, ...]  # pages that a person has to look at as a whole, in the same order

    @property
    def finished(self) -> bool:
        return self.state in (BatchState.DONE, BatchState.CANCELLED)


def status(db: Database, batch: str) -> BatchStatus:
    """Raises UnknownBatch."""
    with db.read() as connection:
        return _status(connection, batch_id_of(connection, batch))


def statuses(db: Database) -> tuple[BatchStatus, ...]:
    """Return the status of every batch, the newest first."""
    with db.read() as connection:
        newest_first = select(BatchRow.id).order_by(BatchRow.created_at.desc(), BatchRow.id.desc())
        return tuple(_status(connection, batch_id) for batch_id in connection.scalars(newest_first).all())


def _status(connection: Connection, batch_id: int) -> BatchStatus:
    batch = connection.execute(
        select(BatchRow.name, BatchRow.state, BatchRow.created_at, BatchRow.finished_at).where(
            BatchRow.id == batch_id
        )
    ).one()
    in_batch = DocumentRow.batch_id == batch_id
    documents = select(DocumentRow.state, func.count()).where(in_batch).group_by(DocumentRow.state)
    pages = select(PageRow.state, func.count()).join(DocumentRow).where(in_batch).group_by(PageRow.state)
    fields = (
        select(FieldRow.status, func.count())
        .join(ReadingRow)
        .join(PageRow, PageRow.id == ReadingRow.page_id)
        .join(DocumentRow, DocumentRow.id == PageRow.document_id)
        .where(in_batch, ReadingRow.is_current)
        .group_by(FieldRow.status)
    )
    return BatchStatus(
        batch=batch.name,
        state=batch.state.value,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        documents=_with_zeros(DocumentState, connection.execute(documents)),
        pages=_with_zeros(PageState, connection.execute(pages)),
        fields=_with_zeros(FieldStatus, connection.execute(fields)),
        failures=_failures(connection, batch_id),
        unclear=_in_order(_pages_with_reason(connection, batch_id, PageState.REVIEW)),
    )


def _with_zeros(states: Iterable[StrEnum], counted: Iterable[Row[Any, int]]) -> Mapping[str, int]:
    found = {state: count for state, count in counted}  # noqa: C416 (rows are no pairs to mypy)
    return {state.value: found.get(state, 0) for state in states}


def _failures(connection: Connection, batch_id: int) -> tuple[Failure, ...]:
    documents = select(DocumentRow.path, DocumentRow.reason).where(
        DocumentRow.batch_id == batch_id, DocumentRow.state == DocumentState.FAILED
    )
    failures = [Failure(path, None, reason or "") for path, reason in connection.execute(documents)]
    return _in_order([*failures, *_pages_with_reason(connection, batch_id, PageState.FAILED)])


def _pages_with_reason(connection: Connection, batch_id: int, state: PageState) -> list[Failure]:
    pages = (
        select(DocumentRow.path, PageRow.number, PageRow.reason)
        .join(PageRow)
        .where(DocumentRow.batch_id == batch_id, PageRow.state == state, PageRow.reason.is_not(None))
    )
    return [Failure(path, number, reason or "") for path, number, reason in connection.execute(pages)]


def _in_order(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    return tuple(sorted(failures, key=lambda failure: (failure.document, failure.page or 0)))
