from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from worker.batches.mill import Mill
from worker.batches.progress import status
from worker.batches.rescue import (
    Overdue,
    record_document_crash,
    record_page_crash,
    ring_again,
    sweep,
    take_back,
    unfinished,
)
from worker.batches.submission import submit
from worker.batches.work import work_on_document, work_on_page
from worker.database import leases
from worker.database.engine import Database
from worker.database.leases import DOCUMENTS, PAGES, Kind
from worker.database.tables import BatchRow, BatchState, DocumentRow, PageRow
from worker.errors import UnknownBatch
from worker.intake import ScanFile
from worker.settings import Settings

Write = Callable[..., ScanFile]


def claim(db: Database, kind: Kind, work_id: int, holder: str = "elsewhere:1", lease_s: float = 60) -> None:
    """Take work as a worker does that will never come back."""
    with db.write() as connection:
        taken = leases.claim(
            connection, kind, work_id, holder=holder, now=db.now(connection), lease_s=lease_s
        )
    assert taken is not None


def let_time_pass(db: Database, passed: timedelta) -> None:
    with db.write() as connection:
        for row in (DocumentRow, PageRow):
            for moment in (row.lease_until, row.published_at):
                for work_id, before in connection.execute(select(row.id, moment)).all():
                    if before is not None:
                        earlier = {moment.key: before - passed}
                        connection.execute(update(row).where(row.id == work_id).values(earlier))


def finish(mill: Mill, overdue: Overdue) -> None:
    for document_id in overdue.document_ids:
        work_on_document(mill, document_id)
    for page_id in overdue.page_ids:
        work_on_page(mill, page_id)


@pytest.fixture
def document_id(db: Database, write_scan: Write) -> int:
    """A document of one page that waits."""
    return submit(db, "tallies", [write_scan("a.png", "12")]).new_documents[0]


@pytest.fixture
def page_ids(mill: Mill, db: Database, write_scan: Write) -> tuple[int, ...]:
    """Two pages of a document that is open."""
    return work_on_document(mill, submit(db, "tallies", [write_scan("a.tif", pages=2)]).new_documents[0])


def test_what_was_just_rung_for_is_left_alone(db: Database, settings: Settings, document_id: int) -> None:
    assert sweep(db, settings) == Overdue()


def test_a_document_whose_message_was_lost_is_rung_for_again_but_not_at_once(
    db: Database, settings: Settings, document_id: int
) -> None:
    let_time_pass(db, timedelta(seconds=settings.ring_again_s + 1))

    assert sweep(db, settings) == Overdue(document_ids=(document_id,))
    assert sweep(db, settings) == Overdue()


def test_pages_whose_messages_were_lost_are_rung_for_again(
    db: Database, settings: Settings, page_ids: tuple[int, ...]
) -> None:
    let_time_pass(db, timedelta(seconds=settings.ring_again_s + 1))

    assert sweep(db, settings) == Overdue(page_ids=page_ids)


def test_a_lease_that_has_not_ended_is_respected(
    db: Database, settings: Settings, page_ids: tuple[int, ...]
) -> None:
    claim(db, PAGES, page_ids[0])

    assert sweep(db, settings) == Overdue()
    assert unfinished(db, "tallies") == Overdue(page_ids=page_ids[1:])


def test_work_whose_lease_ended_goes_to_the_next_worker(
    mill: Mill, db: Database, settings: Settings, document_id: int
) -> None:
    claim(db, DOCUMENTS, document_id)
    let_time_pass(db, timedelta(seconds=61))
    overdue = sweep(db, settings)
    finish(mill, overdue)

    assert overdue == Overdue(document_ids=(document_id,))
    assert status(db, "tallies").state == "done"
    assert status(db, "tallies").failures == ()


@pytest.mark.parametrize("kind", ["document", "page"])
def test_what_was_tried_often_enough_is_given_up_and_says_what_happened_last(
    mill: Mill, db: Database, settings: Settings, write_scan: Write, kind: str
) -> None:
    (document_id,) = submit(db, "tallies", [write_scan("a.tif", pages=2)]).new_documents
    what, work_id = (
        (DOCUMENTS, document_id) if kind == "document" else (PAGES, work_on_document(mill, document_id)[1])
    )
    for _ in range(settings.max_attempts):
        claim(db, what, work_id)
        let_time_pass(db, timedelta(days=1))
        overdue = sweep(db, settings)

    assert overdue in (Overdue(), Overdue(page_ids=(work_id - 1,)))  # the other page still waits
    (failure,) = status(db, "tallies").failures
    assert failure.reason == (
        f"given up after 3 attempts; the last: no answer within the {settings.lease_s:g} s of its lease"
    )
    finish(mill, unfinished(db, "tallies"))
    assert status(db, "tallies").state == "done"


def test_a_crash_is_tried_again_and_then_given_up_with_its_reason(
    db: Database, settings: Settings, page_ids: tuple[int, ...]
) -> None:
    doomed = page_ids[0]
    outcomes = []
    for _ in range(settings.max_attempts):
        claim(db, PAGES, doomed)
        outcomes.append(record_page_crash(db, settings, doomed, "killed by signal 9"))

    assert outcomes == [Overdue(page_ids=(doomed,)), Overdue(page_ids=(doomed,)), Overdue()]
    (failure,) = status(db, "tallies").failures
    assert failure.reason == "given up after 3 attempts; the last: killed by signal 9"


def test_a_crash_while_a_documents_only_page_is_read_frees_the_page(
    mill: Mill, db: Database, settings: Settings, document_id: int
) -> None:
    work_on_document(mill, document_id)
    with db.write() as connection:  # back to where its worker died
        connection.execute(update(PageRow).values(state="queued"))
        page_id = connection.execute(select(PageRow.id)).scalar_one()
    claim(db, PAGES, page_id)

    assert record_document_crash(db, settings, document_id, "killed") == Overdue(page_ids=(page_id,))


def test_a_crash_report_that_comes_too_late_changes_nothing(
    mill: Mill, db: Database, settings: Settings, document_id: int
) -> None:
    work_on_document(mill, document_id)

    assert record_document_crash(db, settings, document_id, "killed") == Overdue()
    assert status(db, "tallies").state == "done"


def test_a_dead_process_of_this_machine_gives_its_work_back_at_once_and_others_keep_theirs(
    db: Database, settings: Settings, page_ids: tuple[int, ...]
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    claim(db, PAGES, page_ids[0], holder=leases.holder_name(process.pid))
    claim(db, PAGES, page_ids[1], holder=f"another-machine:{process.pid}")

    assert take_back(db, settings) == Overdue(page_ids=page_ids[:1])


def test_a_living_process_keeps_its_work(
    mill: Mill, db: Database, settings: Settings, page_ids: tuple[int, ...]
) -> None:
    claim(db, PAGES, page_ids[0], holder=mill.holder)

    assert take_back(db, settings) == Overdue()


def test_resuming_rings_for_everything_queued_and_seals_what_a_dead_submitter_left_open(
    db: Database, settings: Settings, write_scan: Write
) -> None:
    new = submit(db, "tallies", [write_scan("a.png"), write_scan("b.png")]).new_documents
    with db.write() as connection:
        connection.execute(update(BatchRow).values(state=BatchState.SUBMITTING))
    let_time_pass(db, timedelta(days=1))

    assert ring_again(db, "tallies") == Overdue(document_ids=new)
    assert sweep(db, settings) == Overdue()
    assert status(db, "tallies").state == "sealed"


def test_a_batch_that_is_not_there_is_named_with_those_that_are_like_it(
    db: Database, settings: Settings, document_id: int
) -> None:
    for ask in (status, unfinished, ring_again):
        with pytest.raises(UnknownBatch, match=r"'talies'.*there is tallies"):
            ask(db, "talies")
