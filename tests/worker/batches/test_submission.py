from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from worker.batches.mill import Mill
from worker.batches.progress import status
from worker.batches.submission import CHUNK, submit
from worker.batches.work import work_on_document
from worker.database.engine import Database
from worker.database.tables import BatchRow, DocumentRow
from worker.intake import ScanFile


def documents(db: Database) -> list[Any]:
    with db.read() as connection:
        columns = (
            DocumentRow.path,
            DocumentRow.state,
            DocumentRow.reason,
            DocumentRow.sha256,
            DocumentRow.bytes,
        )
        return list(connection.execute(select(*columns).order_by(DocumentRow.id)))


def batch_state(db: Database) -> str:
    with db.read() as connection:
        return connection.execute(select(BatchRow.state)).scalar_one().value


def test_a_submitted_scan_is_stored_with_its_hash_and_waits(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")
    submission = submit(db, "tallies", [scan])
    content = scan.absolute.read_bytes()

    assert len(submission.new_documents) == 1
    assert documents(db) == [("a.png", "queued", None, hashlib.sha256(content).hexdigest(), len(content))]
    assert batch_state(db) == "sealed"


def test_another_target_error_counts_the_pages_that_were_read_before_it(
    db: Database, mill: Mill, write_scan: Callable[..., ScanFile]
) -> None:
    scans = [write_scan("a.png"), write_scan("b.png")]
    first = submit(db, "tallies", scans, target_error=0.02)
    work_on_document(mill, first.new_documents[0])

    assert first.read_before == 0
    assert submit(db, "tallies", scans).read_before == 0
    assert submit(db, "tallies", scans, target_error=0.02).read_before == 0
    assert submit(db, "other", scans, target_error=0.05).read_before == 0
    assert submit(db, "tallies", scans, target_error=0.05).read_before == 1


def test_the_same_scans_again_are_stored_once_and_counted_as_known(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scans = [write_scan("a.png"), write_scan("b.png")]
    submit(db, "tallies", scans)
    before = documents(db)
    again = submit(db, "tallies", scans)

    assert (again.new_documents, again.known, again.changed) == ((), 2, ())
    assert documents(db) == before


def test_two_scans_with_the_same_bytes_are_two_documents(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    submission = submit(db, "tallies", [write_scan("a.png"), write_scan("b.png")])

    assert len(submission.new_documents) == 2
    assert len({sha256 for _, _, _, sha256, _ in documents(db)}) == 1


def test_the_same_scan_in_another_batch_is_another_document(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")

    assert submit(db, "first", [scan]).new_documents != submit(db, "second", [scan]).new_documents


def test_a_new_file_in_the_folder_adds_only_itself_and_reopens_the_batch(
    mill: Mill, db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    first = write_scan("a.png")
    for document_id in submit(db, "tallies", [first]).new_documents:
        work_on_document(mill, document_id)
    assert batch_state(db) == "done"

    submission = submit(db, "tallies", [first, write_scan("b.png", "12")])

    assert (len(submission.new_documents), submission.known) == (1, 1)
    assert batch_state(db) == "sealed"
    assert [path for path, *_ in documents(db)] == ["a.png", "b.png"]


def test_a_batch_that_was_done_stays_done_when_nothing_is_new(
    mill: Mill, db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")
    for document_id in submit(db, "tallies", [scan]).new_documents:
        work_on_document(mill, document_id)
    submit(db, "tallies", [scan])

    assert batch_state(db) == "done"
    assert status(db, "tallies").finished_at is not None


def test_a_file_that_changed_is_named_and_not_taken(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")
    submit(db, "tallies", [scan])
    before = documents(db)
    write_scan("a.png", "777")
    again = submit(db, "tallies", [scan])

    assert (again.changed, again.known, again.new_documents) == (("a.png",), 0, ())
    assert documents(db) == before


def test_a_file_that_is_gone_becomes_a_failed_document_with_its_reason(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    there = write_scan("a.png")
    gone = replace(there, path="gone.png", absolute=there.absolute.with_name("gone.png"))
    submission = submit(db, "tallies", [gone, there])

    assert (submission.unreadable, len(submission.new_documents)) == (("gone.png",), 1)
    assert documents(db)[0][:4] == ("gone.png", "failed", "the file is gone", None)


def test_a_named_pipe_is_not_waited_for(db: Database, write_scan: Callable[..., ScanFile]) -> None:
    scan = write_scan("a.png")
    scan.absolute.unlink()
    os.mkfifo(scan.absolute)

    assert submit(db, "tallies", [scan]).unreadable == ("a.png",)


def test_a_file_that_could_not_be_read_is_taken_once_it_can(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")
    content = scan.absolute.read_bytes()
    scan.absolute.unlink()
    submit(db, "tallies", [scan])
    scan.absolute.write_bytes(content)
    again = submit(db, "tallies", [scan])

    assert len(again.new_documents) == 1
    assert [(path, state, reason) for path, state, reason, *_ in documents(db)] == [("a.png", "queued", None)]


def test_a_batch_without_documents_is_done(db: Database) -> None:
    submit(db, "nothing", [])

    assert status(db, "nothing").finished


def test_more_scans_than_fit_into_one_transaction_are_all_stored(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")
    scans = [replace(scan, path=f"{number:04}.png") for number in range(2 * CHUNK + 1)]

    assert len(set(submit(db, "tallies", scans).new_documents)) == len(scans)


def test_a_batch_keeps_its_target_error_until_another_is_named(
    db: Database, write_scan: Callable[..., ScanFile]
) -> None:
    scan = write_scan("a.png")

    kept = []
    for target in (None, 0.01, None, 0.002):
        submit(db, "tallies", [scan], target_error=target)
        with db.read() as connection:
            kept.append(connection.scalar(select(BatchRow.target_error)))

    assert kept == [None, 0.01, 0.01, 0.002]
