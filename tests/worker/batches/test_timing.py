from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tests.worker.stored import StoredPage, store
from worker.batches.timing import Spread, timing
from worker.database.engine import Database
from worker.database.tables import PageRow, PageState
from worker.errors import UnknownBatch

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read_at(db: Database, *seconds: float, state: PageState = PageState.DONE) -> None:
    """Store pages that were read so many seconds after noon, each twice as slowly as the one before."""
    page_ids = store(db, *(StoredPage(f"{state}-{number}.tif", ()) for number in range(len(seconds))))
    with db.write() as connection:
        for number, (page_id, second) in enumerate(zip(page_ids, seconds, strict=True)):
            connection.execute(
                update(PageRow)
                .where(PageRow.id == page_id)
                .values(
                    state=state,
                    finished_at=NOON + timedelta(seconds=second),
                    stage_ms={"store": 1.0, "decode": 10.0 * 2**number, "cut": 4.0},
                )
            )


def test_the_stages_of_all_pages_are_told_in_the_order_a_page_goes_through_them(db: Database) -> None:
    read_at(db, 0, 1, 2)

    told = timing(db, "tallies")

    assert told.pages == 3
    assert list(told.stages) == ["decode", "cut", "store", "page"]
    assert told.stages["decode"] == Spread(3, median_ms=20.0, p95_ms=38.0)
    assert told.stages["page"].median_ms == 25.0


def test_a_pause_is_no_time_of_reading(db: Database) -> None:
    read_at(db, 0, 0.5, 1, 7200, 7200.5)

    assert timing(db, "tallies").pages_per_second == 2.0


def test_pages_that_failed_do_not_count(db: Database) -> None:
    read_at(db, 0, 1)
    read_at(db, 2, 3, state=PageState.FAILED)

    assert timing(db, "tallies").pages == 2


def test_before_anything_is_read_there_is_nothing_to_tell(db: Database) -> None:
    store(db, StoredPage("a.tif", ()))

    told = timing(db, "tallies")

    assert (told.pages, dict(told.stages), told.pages_per_second) == (0, {}, None)
    with pytest.raises(UnknownBatch):
        timing(db, "ballots")
