"""What people ask the database for: the result records of batches, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from training.model_card import CLASSES
from worker.database.engine import Database
from worker.database.packing import unpack
from worker.database.tables import (
    BatchRow,
    CorrectionRow,
    DocumentRow,
    FieldRow,
    ModelVersionRow,
    PageRow,
    PageState,
    ReadingRow,
    TemplateRow,
)
from worker.errors import UnknownBatch
from worker.readings import FieldStatus

STREAM_ROWS = 500  # fetched at a time


def batch_id_of(connection: Connection, batch: str) -> int:
    """Raises UnknownBatch, which names batches of a similar name."""
    batch_id = connection.scalar(select(BatchRow.id).where(BatchRow.name == batch))
    if batch_id is None:
        names = list(connection.scalars(select(BatchRow.name).order_by(BatchRow.name)))
        close = get_close_matches(batch, names) or names[:5]
        there_is = f"; there is {', '.join(close)}" if close else ""
        raise UnknownBatch(f"no batch {batch!r} in this database{there_is}")
    return batch_id


def iterate_results(
    db: Database,
    batch: str | None = None,
    *,
    fields: Sequence[str] = (),
    documents: Sequence[str] = (),
    statuses: Sequence[FieldStatus] = (),
    since: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the result record of every field, by document, page and reading order.

    Without `batch` of all batches. `since` keeps what was read or corrected at or after that moment.
    Streams: a million fields need no more memory than a thousand. Raises UnknownBatch.
    """
    with db.read() as connection:
        query = _results()
        if batch is not None:
            query = query.where(DocumentRow.batch_id == batch_id_of(connection, batch))
        if fields:
            query = query.where(FieldRow.name.in_(fields))
        if documents:
            query = query.where(DocumentRow.path.in_(documents))
        if statuses:
            query = query.where(_STATUS.in_(statuses))
        if since is not None:
            query = query.where((ReadingRow.read_at >= since) | (CorrectionRow.created_at >= since))
        rows = connection.execute(query.execution_options(yield_per=STREAM_ROWS))
        for row in rows:
            yield _record(row)


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page that was read, and where its scan lies. A batch may hold the same path under two roots."""

    id: int
    root: str
    document: str
    sha256: str
    number: int
    reason: str | None  # why a person has to look at the whole page


def read_pages(db: Database, batch: str, states: Sequence[PageState] = tuple(PageState)) -> list[StoredPage]:
    """Return the pages of a batch that have a reading, in the order of the results. Raises UnknownBatch."""
    with db.read() as connection:
        query: Select[*tuple[Any, ...]] = (
            select(
                PageRow.id,
                DocumentRow.root,
                DocumentRow.path,
                DocumentRow.sha256,
                PageRow.number,
                PageRow.reason,
            )
            .join(DocumentRow)
            .join(ReadingRow, and_(ReadingRow.page_id == PageRow.id, ReadingRow.is_current))
            .where(DocumentRow.batch_id == batch_id_of(connection, batch), PageRow.state.in_(states))
            .order_by(DocumentRow.path, DocumentRow.id, PageRow.number)
        )
        return [StoredPage(*row) for row in connection.execute(query)]


def page_counts(db: Database, batch: str) -> dict[str, int | None]:
    """Return how many pages each document has, None where it could not be opened. Raises UnknownBatch."""
    with db.read() as connection:
        in_batch = DocumentRow.batch_id == batch_id_of(connection, batch)
        rows = connection.execute(select(DocumentRow.path, DocumentRow.page_count).where(in_batch))
        return dict(rows.tuples().all())


def page_results(db: Database, page_id: int) -> list[dict[str, Any]]:
    """Return the result records of one page, in reading order."""
    with db.read() as connection:
        return [_record(row) for row in connection.execute(_results().where(PageRow.id == page_id))]


_STATUS = func.coalesce(CorrectionRow.status, FieldRow.status)


def _results() -> Select[*tuple[Any, ...]]:
    newer = aliased(CorrectionRow)
    newest = ~exists().where(newer.field_id == CorrectionRow.field_id, newer.id > CorrectionRow.id)
    return (
        select(
            BatchRow.name.label("batch"),
            DocumentRow.path.label("document"),
            PageRow.number.label("page"),
            FieldRow.name.label("field"),
            FieldRow.value,
            FieldRow.cells,
            FieldRow.confidences,
            FieldRow.status,
            FieldRow.confidence,
            FieldRow.reasons,
            FieldRow.x,
            FieldRow.y,
            FieldRow.width,
            FieldRow.height,
            FieldRow.detail,
            CorrectionRow.value.label("corrected_value"),
            CorrectionRow.cells.label("corrected_cells"),
            CorrectionRow.status.label("corrected_status"),
            ModelVersionRow.sha256.label("model"),
            TemplateRow.name.label("template_name"),
            TemplateRow.version.label("template_version"),
        )
        .select_from(FieldRow)
        .join(ReadingRow, and_(ReadingRow.id == FieldRow.reading_id, ReadingRow.is_current))
        .join(PageRow, PageRow.id == ReadingRow.page_id)
        .join(DocumentRow, DocumentRow.id == PageRow.document_id)
        .join(BatchRow, BatchRow.id == DocumentRow.batch_id)
        .join(ModelVersionRow, ModelVersionRow.id == ReadingRow.model_id)
        .outerjoin(TemplateRow, TemplateRow.id == ReadingRow.template_id)
        .outerjoin(CorrectionRow, and_(CorrectionRow.field_id == FieldRow.id, newest))
        .order_by(DocumentRow.path, DocumentRow.id, PageRow.number, FieldRow.position)
    )


def _record(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    corrected = row.corrected_status is not None
    template = f"{row.template_name}@{row.template_version}" if row.template_name is not None else None
    return {
        "batch": row.batch,
        "document": row.document,
        "page": row.page,
        "field": row.field,
        "value": row.corrected_value if corrected else row.value,
        "machine_value": row.value,
        "cells": row.corrected_cells if corrected else row.cells,
        "status": (row.corrected_status if corrected else row.status).value,
        "confidence": row.confidence,
        "reasons": row.reasons,
        "box": [row.x, row.y, row.width, row.height],
        "digits": _digits(row),
        "model": row.model,
        "template": template,
    }


def _digits(row: Row[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    """What the machine read in each printed box that is not blank."""
    details = unpack(row.detail, len(row.cells))
    return [
        {
            "cell": cell,
            "label": label,
            "confidence": confidence,
            "runner_up": None if detail.runner_up is None else CLASSES[detail.runner_up],
            "box": [detail.box.x, detail.box.y, detail.box.width, detail.box.height],
        }
        for cell, (label, confidence, detail) in enumerate(
            zip(row.cells, row.confidences, details, strict=True)
        )
        if label
    ]
