"""How a page's reading becomes rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from worker.database.engine import Database
from worker.database.packing import pack
from worker.database.tables import FieldRow, ModelVersionRow, ReadingRow
from worker.readings import FieldReading, PageReading

CONFIDENCE_DECIMALS = 6

_RETIRE_READING = (
    update(ReadingRow)
    .where(ReadingRow.page_id == bindparam("page"), ReadingRow.is_current)
    .values(is_current=False)
)
_ADD_READING = insert(ReadingRow).returning(ReadingRow.id)
_ADD_FIELD = insert(FieldRow)


def store_model(
    db: Database, *, sha256: str, architecture: str, glyph_recipe: str, card: dict[str, Any]
) -> int:
    """Return the id of a model's row, making it where this model is new to the database."""
    known = select(ModelVersionRow.id).where(ModelVersionRow.sha256 == sha256)
    with db.read() as connection:
        model_id = connection.scalar(known)
    if model_id is not None:
        return model_id
    with db.write() as connection:
        row = db.insert(ModelVersionRow).values(
            sha256=sha256,
            architecture=architecture,
            glyph_recipe=glyph_recipe,
            card=card,
            first_used_at=db.now(connection),
        )
        connection.execute(row.on_conflict_do_nothing(index_elements=["sha256"]))
        return connection.execute(known).scalar_one()


def store_reading(
    connection: Connection,
    reading: PageReading,
    *,
    page_id: int,
    reader_key: str,
    model_id: int,
    segmentation_version: str,
    rules: dict[str, Any],
    read_at: datetime,
) -> None:
    """Add a reading to a page and make it the current one. Older readings stay."""
    connection.execute(_RETIRE_READING, {"page": page_id})
    reading_id = connection.execute(
        _ADD_READING,
        {
            "page_id": page_id,
            "reader_key": reader_key,
            "model_id": model_id,
            "segmentation_version": segmentation_version,
            "rules": rules,
            "is_current": True,
            "read_at": read_at,
        },
    ).scalar_one()
    if reading.fields:
        connection.execute(
            _ADD_FIELD,
            [
                {"reading_id": reading_id, "position": position, **_columns(field)}
                for position, field in enumerate(reading.fields, start=1)
            ],
        )


def _columns(field: FieldReading) -> dict[str, Any]:
    return {
        "name": field.name,
        "value": field.value,
        "confidence": round(field.confidence, CONFIDENCE_DECIMALS),
        "status": field.status,
        "reasons": list(field.reasons),
        "cells": list(field.cells),
        "confidences": [round(reading.confidence, CONFIDENCE_DECIMALS) for reading in field.readings],
        "x": field.box.x,
        "y": field.box.y,
        "width": field.box.width,
        "height": field.box.height,
        "detail": pack(field.readings),
    }
