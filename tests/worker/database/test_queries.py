from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from segmentation.geometry import Box
from tests.worker.stored import MODEL, StoredPage, field, field_id, store
from worker.database.engine import Database
from worker.database.queries import iterate_results
from worker.database.tables import CorrectionRow, ReadingRow, TemplateRow
from worker.errors import UnknownBatch
from worker.readings import FieldStatus

VOTES = field("valid_votes", "2_15", status=FieldStatus.REVIEW, reasons=("blank between digits",))


def correct(db: Database, name: str, value: str, when: datetime | None = None) -> None:
    with db.write() as connection:
        connection.execute(
            insert(CorrectionRow).values(
                field_id=field_id(db, name),
                value=value,
                cells=list(value),
                status=FieldStatus.CORRECTED,
                author="Ada",
                created_at=when or db.now(connection),
            )
        )


def view(db: Database, columns: str, name: str = "v_fields") -> list[tuple[Any, ...]]:
    with db.read() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {name}"))]


def test_a_result_has_exactly_the_record_of_the_plan(db: Database) -> None:
    store(db, StoredPage("north/scan-0001.tif", (VOTES,)))

    (record,) = iterate_results(db, "tallies")
    assert json.loads(json.dumps(record)) == {
        "batch": "tallies",
        "document": "north/scan-0001.tif",
        "page": 1,
        "field": "valid_votes",
        "value": "2 15",
        "machine_value": "2 15",
        "cells": ["2", "", "1", "5"],
        "status": "review",
        "confidence": 0.9991,
        "reasons": ["blank between digits"],
        "box": [388, 232, 54, 28],
        "digits": [
            {"cell": 0, "label": "2", "confidence": 0.9996, "runner_up": "7", "box": [390, 233, 16, 26]},
            {"cell": 2, "label": "1", "confidence": 0.9996, "runner_up": "7", "box": [426, 233, 16, 26]},
            {"cell": 3, "label": "5", "confidence": 0.9996, "runner_up": "7", "box": [444, 233, 16, 26]},
        ],
        "model": MODEL,
        "template": None,
    }
    assert list(record)[:8] == [
        *("batch", "document", "page", "field", "value", "machine_value", "cells", "status")
    ]


def test_results_come_by_document_page_and_reading_order_on_both_databases(db: Database) -> None:
    fields = field("r01c01", "1"), field("r01c02", "2"), field("r01c10", "3")
    store(
        db,
        StoredPage("b.tif", fields, number=10),
        StoredPage("b.tif", fields, number=2),
        StoredPage("a/z.tif", fields),
        StoredPage("Z.tif", fields),  # by code point: capitals first, whatever the cluster's language
        StoredPage("a.tif", fields, batch="other"),
    )

    found = [(record["document"], record["page"], record["field"]) for record in iterate_results(db)]
    pages = [("Z.tif", 1), ("a.tif", 1), ("a/z.tif", 1), ("b.tif", 2), ("b.tif", 10)]
    assert found == [(*page, name) for page in pages for name in ("r01c01", "r01c02", "r01c10")]


def test_results_can_be_narrowed(db: Database) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    store(db, StoredPage("a.tif", (field("x", "1"), VOTES)), read_at=long_ago)
    store(db, StoredPage("b.tif", (field("y", "2"),)), StoredPage("c.tif", (field("x", "3"),), batch="other"))

    def values(batch: str | None = None, **filters: Any) -> list[str]:
        return [record["value"] for record in iterate_results(db, batch, **filters)]

    assert values() == ["1", "2 15", "2", "3"]
    assert values("tallies") == ["1", "2 15", "2"]
    assert values(fields=["x", "y"]) == ["1", "2", "3"]
    assert values(documents=["b.tif"]) == ["2"]
    assert values(statuses=[FieldStatus.REVIEW]) == ["2 15"]
    assert values(since=long_ago + timedelta(days=1)) == ["2", "3"]
    assert values("other", fields=["y"]) == []


def test_a_batch_that_is_not_there_is_an_error_and_no_empty_result(db: Database) -> None:
    with pytest.raises(UnknownBatch):
        list(iterate_results(db, "nowhere"))


def test_the_newest_correction_counts_and_the_machines_value_stays(db: Database) -> None:
    store(db, StoredPage("a.tif", (VOTES, field("other", "9"))))
    correct(db, "valid_votes", "2175")
    correct(db, "valid_votes", "2915")

    record, untouched = iterate_results(db)
    assert (record["value"], record["machine_value"], record["status"]) == ("2915", "2 15", "corrected")
    assert record["cells"] == ["2", "9", "1", "5"]
    assert [digit["label"] for digit in record["digits"]] == ["2", "1", "5"]
    assert untouched["status"] == "accepted"
    assert view(db, "value, machine_value, status, corrected_by") == [
        ("2915", "2 15", "corrected", "Ada"),
        ("9", "9", "accepted", None),
    ]


def test_what_was_corrected_since_counts_as_new(db: Database) -> None:
    store(db, StoredPage("a.tif", (VOTES, field("other", "9"))), read_at=datetime(2020, 1, 1, tzinfo=UTC))
    correct(db, "valid_votes", "2175")

    since = datetime(2021, 1, 1, tzinfo=UTC)
    assert [record["field"] for record in iterate_results(db, since=since)] == ["valid_votes"]


@pytest.mark.parametrize("change", [update(CorrectionRow).values(value="0"), delete(CorrectionRow)])
def test_a_correction_cannot_be_changed_or_deleted(db: Database, change: Any) -> None:
    store(db, StoredPage("a.tif", (VOTES,)))
    correct(db, "valid_votes", "2175")

    with pytest.raises(DBAPIError, match="only ever added"), db.write() as connection:
        connection.execute(change)
    assert view(db, "value") == [("2175",)]


def test_only_the_current_reading_is_shown_and_older_ones_stay(db: Database) -> None:
    (page_id,) = store(db, StoredPage("a.tif", (VOTES,)))
    with db.write() as connection:
        older = connection.execute(update(ReadingRow).values(is_current=False).returning(ReadingRow.model_id))
        template = insert(TemplateRow).values(
            name="c1", version=3, definition={}, created_at=db.now(connection)
        )
        template_id = connection.execute(template.returning(TemplateRow.id)).scalar_one()
        connection.execute(
            insert(ReadingRow).values(
                page_id=page_id,
                reader_key="another",
                model_id=older.scalar_one(),
                template_id=template_id,
                segmentation_version="2",
                rules={},
                is_current=True,
                read_at=db.now(connection),
            )
        )

    assert list(iterate_results(db)) == []
    assert view(db, "field") == []
    assert view(db, "count(*)", "fields") == [(1,)]


def test_a_page_cannot_have_two_current_readings(db: Database) -> None:
    (page_id,) = store(db, StoredPage("a.tif", (VOTES,)))

    with pytest.raises(DBAPIError), db.write() as connection:
        connection.execute(
            insert(ReadingRow).values(
                page_id=page_id,
                reader_key="another",
                model_id=1,
                segmentation_version="2",
                rules={},
                is_current=True,
                read_at=db.now(connection),
            )
        )


def test_an_analyst_finds_one_row_a_printed_box(db: Database) -> None:
    store(db, StoredPage("a.tif", (VOTES,)))

    assert sorted(view(db, "document, field, cell, label, confidence, value", "v_digits")) == [
        ("a.tif", "valid_votes", 0, "2", 0.9996, "2 15"),
        ("a.tif", "valid_votes", 1, "", 0.99, "2 15"),
        ("a.tif", "valid_votes", 2, "1", 0.9996, "2 15"),
        ("a.tif", "valid_votes", 3, "5", 0.9996, "2 15"),
    ]


def test_a_long_result_streams(db: Database) -> None:
    """As a list these records take 40 MB; what is held at a time may not grow with them."""
    fields = tuple(field(f"r{row:03}", "12345678", box=Box(10, 40 * row, 54, 28)) for row in range(500))
    store(db, *(StoredPage(f"{number:02}.tif", fields) for number in range(20)))

    tracemalloc.start()
    try:
        count = sum(1 for _ in iterate_results(db, "tallies"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < 4_000_000
