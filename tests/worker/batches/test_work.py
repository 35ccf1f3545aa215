from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select, text, update

from training.model_card import ErrorCurve
from worker.acceptance import ACCEPT_NOTHING
from worker.batches.mill import Mill, open_mill
from worker.batches.progress import status
from worker.batches.rescue import sweep
from worker.batches.submission import submit
from worker.batches.work import work_on_document, work_on_page
from worker.database.engine import Database, upgrade
from worker.database.queries import iterate_results
from worker.database.tables import DocumentRow, PageRow, ReadingRow
from worker.intake import ScanFile
from worker.originals import fingerprint
from worker.pipeline import read_page
from worker.readings import PageReading
from worker.settings import Settings

Write = Callable[..., ScanFile]


def work_on(mill: Mill, *document_ids: int) -> None:
    for document_id in document_ids:
        for page_id in work_on_document(mill, document_id):
            work_on_page(mill, page_id)


def values(db: Database) -> list[str]:
    return sorted(record["value"] for record in iterate_results(db))


def said_by_pipeline(scan: ScanFile, mill: Mill) -> list[str]:
    """What the first page of a scan says without any database, so that nothing here depends on accuracy."""
    page = mill.originals.load_page(scan.root, scan.path, fingerprint(scan.absolute).sha256, 1)
    said = [field.value for field in read_page(page, mill.recogniser, mill.reader.rules).fields]
    assert said
    return said


def promising(mill: Mill) -> Mill:
    """The mill with a model whose error curve vouches for 1 % from a confidence of 0.25 on."""
    curve = ErrorCurve((0.0, 0.25), (100, 4_000), (50, 0))
    card = replace(mill.recogniser.card, field_errors=curve)
    return replace(mill, recogniser=replace(mill.recogniser, card=card))


def count(db: Database, row: type[PageRow] | type[ReadingRow]) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(row)).scalar_one()


def lease_ran_out(db: Database) -> None:
    """Put all leases into the past, as if their holders had slept for a day."""
    with db.write() as connection:
        yesterday = db.now(connection) - timedelta(days=1)
        for row in (DocumentRow, PageRow):
            connection.execute(update(row).where(row.lease_until.is_not(None)).values(lease_until=yesterday))


def test_a_page_of_one_document_is_read_as_it_is_opened(mill: Mill, db: Database, write_scan: Write) -> None:
    scan = write_scan("a.png")
    (document_id,) = submit(db, "tallies", [scan]).new_documents

    assert work_on_document(mill, document_id) == ()
    assert values(db) == sorted(said_by_pipeline(scan, mill))
    assert status(db, "tallies").state == "done"


def test_a_page_that_is_unclear_as_a_whole_waits_for_review_with_its_reason(
    mill: Mill, db: Database, write_scan: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    dark = PageReading((), 0.0, reason="too dark to see any boxes")
    monkeypatch.setattr("worker.batches.work.read_page", lambda *_, **__: dark)
    work_on(mill, *submit(db, "tallies", [write_scan("a.png")]).new_documents)

    after = status(db, "tallies")
    assert after.pages["review"] == 1
    assert list(map(str, after.unclear)) == ["a.png page 1: too dark to see any boxes"]
    assert after.failures == ()


def test_the_pages_of_a_long_document_are_given_out_one_by_one(
    mill: Mill, db: Database, write_scan: Write
) -> None:
    scan = write_scan("a.tif", pages=3)
    (document_id,) = submit(db, "tallies", [scan]).new_documents
    page_ids = work_on_document(mill, document_id)

    assert len(page_ids) == 3
    assert values(db) == []
    for page_id in page_ids:
        assert status(db, "tallies").state == "sealed"
        work_on_page(mill, page_id)
    assert values(db) == sorted(3 * said_by_pipeline(scan, mill))
    assert status(db, "tallies").state == "done"


def test_a_page_that_was_read_keeps_its_size_skew_and_stage_times(
    mill: Mill, db: Database, write_scan: Write
) -> None:
    scan = write_scan("a.png")
    work_on(mill, *submit(db, "tallies", [scan]).new_documents)
    width, height = Image.open(scan.absolute).size

    with db.read() as connection:
        columns = PageRow.width, PageRow.height, PageRow.skew_degrees, PageRow.stage_ms, PageRow.lease_token
        found = connection.execute(select(*columns)).one()
    assert (found.width, found.height) == (width, height)
    assert abs(found.skew_degrees) < 0.5
    assert set(found.stage_ms) == {"decode", "find", "cut", "read", "store"}
    assert found.stage_ms["find"] > 0
    assert found.lease_token is None


def test_a_message_that_comes_twice_changes_nothing(mill: Mill, db: Database, write_scan: Write) -> None:
    (document_id,) = submit(db, "tallies", [write_scan("a.tif", pages=2)]).new_documents
    page_ids = work_on_document(mill, document_id)
    for _ in range(2):
        assert work_on_document(mill, document_id) == ()
        for page_id in page_ids:
            work_on_page(mill, page_id)

    assert (count(db, PageRow), count(db, ReadingRow)) == (2, 2)


def test_a_page_that_nobody_stored_is_no_work(mill: Mill) -> None:
    assert work_on_document(mill, 12345) == ()
    work_on_page(mill, 12345)


def test_a_file_that_changed_since_it_was_submitted_is_not_read(
    mill: Mill, db: Database, write_scan: Write
) -> None:
    (document_id,) = submit(db, "tallies", [write_scan("a.png", "4071")]).new_documents
    write_scan("a.png", "777")
    work_on(mill, document_id)

    (failure,) = status(db, "tallies").failures
    assert (failure.document, failure.page, failure.reason) == (
        "a.png",
        None,
        "changed since it was submitted",
    )
    assert status(db, "tallies").state == "done"


def test_a_file_that_vanishes_between_its_pages_costs_only_the_pages_left(
    mill: Mill, db: Database, write_scan: Write
) -> None:
    scan = write_scan("a.tif", pages=3)
    first, *others = work_on_document(mill, submit(db, "tallies", [scan]).new_documents[0])
    work_on_page(mill, first)
    scan.absolute.unlink()
    for page_id in others:
        work_on_page(mill, page_id)

    assert [(each.page, each.reason) for each in status(db, "tallies").failures] == [
        (2, "the file is gone"),
        (3, "the file is gone"),
    ]
    assert {record["page"] for record in iterate_results(db)} == {1}


def test_what_is_no_scan_fails_with_its_reason_and_the_others_are_read(
    mill: Mill, db: Database, write_scan: Write
) -> None:
    empty, good = write_scan("empty.png"), write_scan("good.png")
    empty.absolute.write_bytes(b"")
    work_on(mill, *submit(db, "tallies", [empty, good]).new_documents)

    (failure,) = status(db, "tallies").failures
    assert failure.document == "empty.png"
    assert "empty" in failure.reason
    assert {record["document"] for record in iterate_results(db)} == {"good.png"}


def test_a_scan_root_is_looked_up_on_the_machine_that_reads(
    settings: Settings, db: Database, write_scan: Write
) -> None:
    scan = write_scan("a.png")
    moved = ScanFile("tallies", scan.path, scan.absolute)
    mill = open_mill(settings.model_copy(update={"scan_roots": {"tallies": scan.absolute.parent}}))
    work_on(mill, *submit(db, "tallies", [moved]).new_documents)
    mill.db.close()

    assert values(db) == sorted(said_by_pipeline(scan, mill))


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("division by zero")])
def test_an_unforeseen_error_costs_its_page_only_and_is_named(
    settings: Settings, db: Database, write_scan: Write, error: Exception
) -> None:
    class Broken:
        """A model that fails on the first page it sees."""

        failed = False

        def __call__(self, glyphs: np.ndarray) -> np.ndarray:
            if not Broken.failed:
                Broken.failed = True
                raise error
            return np.full((len(glyphs), 10), 0.1, np.float32)

    mill = open_mill(settings)
    broken = replace(mill, recogniser=Broken())  # type: ignore[arg-type]  # all that reading needs of one
    work_on(broken, *submit(db, "tallies", [write_scan("a.png"), write_scan("b.png")]).new_documents)
    mill.db.close()

    (failure,) = status(db, "tallies").failures
    assert (failure.document, failure.page) == ("a.png", 1)
    assert "memory" in failure.reason or failure.reason == "ZeroDivisionError: division by zero"
    assert {record["document"] for record in iterate_results(db)} == {"b.png"}


def test_a_holder_who_overslept_its_lease_writes_nothing(
    settings: Settings, db: Database, write_scan: Write
) -> None:
    """One worker falls asleep over a page, another reads it; then the first wakes up with other digits."""

    class Sleeper:
        def __call__(self, glyphs: np.ndarray) -> np.ndarray:
            lease_ran_out(db)
            overdue = sweep(db, settings)
            for page_id in overdue.page_ids:
                work_on_page(awake, page_id)
            return np.tile(np.eye(10, dtype=np.float32)[8], (len(glyphs), 1))

    awake = open_mill(settings)
    asleep = replace(awake, recogniser=Sleeper())  # type: ignore[arg-type]  # all that reading needs of one
    scan = write_scan("a.png")
    work_on(asleep, *submit(db, "tallies", [scan]).new_documents)
    awake.db.close()

    assert values(db) == sorted(said_by_pipeline(scan, awake))
    assert "8888" not in values(db)
    assert count(db, ReadingRow) == 1


def work_through(settings: Settings, document_ids: tuple[int, ...], page_ids: tuple[int, ...]) -> None:
    """What each of several processes does: everything it hears of, in an order of its own."""
    mill = open_mill(settings)
    order = np.random.default_rng(os.getpid())
    for page_id in order.permutation(page_ids).tolist():
        work_on_page(mill, page_id)
    for document_id in order.permutation(document_ids).tolist():
        work_on_document(mill, document_id)


def test_processes_that_are_told_of_the_same_work_do_each_page_once(
    settings: Settings, mill: Mill, db: Database, write_scan: Write
) -> None:
    long = write_scan("long.tif", pages=12)
    page_ids = work_on_document(mill, submit(db, "tallies", [long]).new_documents[0])
    short = [write_scan(f"{number}.png", "12") for number in range(6)]
    document_ids = submit(db, "tallies", short).new_documents
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=work_through, args=(settings, document_ids, page_ids)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert status(db, "tallies").state == "done"
    with db.read() as connection:
        attempts = connection.execute(select(PageRow.attempt, func.count()).group_by(PageRow.attempt)).all()
        doubled = text("SELECT 1 FROM readings GROUP BY page_id HAVING count(*) > 1")
        assert connection.execute(doubled).all() == []
    assert attempts == [(1, 18)]
    assert values(db) == sorted(12 * said_by_pipeline(long, mill) + 6 * said_by_pipeline(short[0], mill))


def test_the_same_pages_give_the_same_rows_on_both_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[], str], write_scan: Write
) -> None:
    scans = [write_scan("a.png", "4071 93_ 12"), write_scan("b.tif", "_50", pages=2)]
    scans[1].absolute.with_name("c.png").write_bytes(b"no scan")
    scans.append(ScanFile(scans[0].root, "c.png", scans[1].absolute.with_name("c.png")))
    found = []
    for url in (f"sqlite:///{tmp_path_factory.mktemp('db')}/digitmill.db", postgres_server()):
        upgrade(url)
        mill = open_mill(Settings.read(database_url=url))
        work_on(mill, *submit(mill.db, "tallies", scans).new_documents)
        with mill.db.read() as connection:
            columns = "position, name, value, confidence, status, x, y, width, height, detail"
            fields = connection.execute(text(f"SELECT {columns} FROM fields"))
            columns = "batch, document, page, field, cell, label, confidence, value, status"
            digits = connection.execute(text(f"SELECT {columns} FROM v_digits"))
            found.append(
                (
                    sorted((*row[:-1], bytes(row.detail)) for row in fields),
                    sorted(map(tuple, digits)),
                    list(iterate_results(mill.db)),
                    status(mill.db, "tallies").failures,
                )
            )
        mill.db.close()

    assert found[0] == found[1]
    assert found[0][2]


def test_the_target_error_of_a_batch_reaches_whoever_reads_it_and_another_target_is_another_reader(
    mill: Mill, write_scan: Write
) -> None:
    mill = promising(mill)
    for batch, target in (("strict", 0.0001), ("lenient", 0.01), ("as set", None)):
        submitted = submit(mill.db, batch, [write_scan(f"{batch}.png")], target_error=target)
        work_on(mill, *submitted.new_documents)

    with mill.db.read() as connection:
        readings = connection.execute(select(ReadingRow.rules, ReadingRow.reader_key)).all()
    accepts = [rules["accept_confidence"] for rules, _ in readings]
    assert accepts == [ACCEPT_NOTHING, 0.25, mill.reader.rules.accept_confidence]
    assert len({key for _, key in readings}) == 3
    strict = list(iterate_results(mill.db, "strict"))
    assert {(record["status"], record["reasons"][0]) for record in strict} == {("review", "low confidence")}
