"""Pages put into a database as if they had been read, many and at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import insert, select

from segmentation.geometry import Box
from worker.database.engine import Database
from worker.database.tables import (
    BatchRow,
    BatchState,
    DocumentRow,
    DocumentState,
    FieldRow,
    PageRow,
    PageState,
)
from worker.database.writes import store_model, store_reading
from worker.readings import FieldReading, FieldStatus, PageReading, Reading

MODEL = "sha256:" + 64 * "a"
READER = 64 * "b"


def digit(label: str, box: Box, confidence: float = 0.9996, runner_up: int = 7) -> Reading:
    if label == "":
        return Reading("", 0.99, None, (), box)
    probabilities = np.full(10, (1 - confidence) / 18)
    probabilities[int(label)], probabilities[runner_up] = confidence, (1 - confidence) * 10 / 18
    return Reading(label, confidence, str(runner_up), tuple(probabilities.tolist()), box)


def field(
    name: str,
    cells: str,
    *,
    status: FieldStatus = FieldStatus.ACCEPTED,
    reasons: tuple[str, ...] = (),
    box: Box = Box(388, 232, 54, 28),  # noqa: B008 (frozen)
) -> FieldReading:
    """A field that reads `cells`, where _ is a blank one."""
    readings = tuple(
        digit("" if label == "_" else label, Box(box.x + 2 + 18 * place, box.y + 1, 16, 26))
        for place, label in enumerate(cells)
    )
    value = cells.replace("_", " ").strip()
    return FieldReading(name, readings, value, 0.9991, status, reasons, box)


@dataclass(frozen=True, slots=True)
class StoredPage:
    document: str
    fields: tuple[FieldReading, ...]
    number: int = 1
    batch: str = "tallies"


def store(db: Database, *pages: StoredPage, read_at: datetime | None = None) -> list[int]:
    """Store pages that are done and return their ids."""
    model_id = store_model(db, sha256=MODEL, architecture="a", glyph_recipe="g", card={})
    with db.write() as connection:
        now = read_at or db.now(connection)
        page_ids = []
        for page in pages:
            batch = db.insert(BatchRow).values(name=page.batch, state=BatchState.DONE, created_at=now)
            connection.execute(batch.on_conflict_do_nothing())
            batch_id = connection.execute(select(BatchRow.id).where(BatchRow.name == page.batch)).scalar_one()
            document = db.insert(DocumentRow).values(
                batch_id=batch_id,
                root="/scans",
                path=page.document,
                state=DocumentState.DONE,
                submitted_at=now,
                published_at=now,
            )
            connection.execute(document.on_conflict_do_nothing())
            document_id = connection.execute(
                select(DocumentRow.id).where(
                    DocumentRow.batch_id == batch_id, DocumentRow.path == page.document
                )
            ).scalar_one()
            page_id = connection.execute(
                insert(PageRow)
                .values(document_id=document_id, number=page.number, state=PageState.DONE, published_at=now)
                .returning(PageRow.id)
            ).scalar_one()
            store_reading(
                connection,
                PageReading(page.fields, 0.0),
                page_id=page_id,
                reader_key=READER,
                model_id=model_id,
                segmentation_version="1",
                rules={},
                read_at=now,
            )
            page_ids.append(page_id)
    return page_ids


def field_id(db: Database, name: str) -> int:
    with db.read() as connection:
        return connection.execute(select(FieldRow.id).where(FieldRow.name == name)).scalar_one()
