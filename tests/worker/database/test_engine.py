from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from worker.database.engine import Database, check, open_database, parse_url
from worker.database.tables import BatchRow, BatchState, DocumentRow
from worker.errors import BadSettings, PathUnreadable, ServiceUnreachable


@pytest.fixture
def mute_server() -> Iterator[int]:
    """The port of a server that accepts connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def store_batch(db: Database, name: str, created_at: datetime) -> None:
    with db.write() as connection:
        row = insert(BatchRow).values(name=name, state=BatchState.SEALED, created_at=created_at)
        connection.execute(row)


def test_times_come_back_aware_and_in_utc_whatever_zone_they_had(db: Database) -> None:
    in_nepal = datetime(2026, 11, 22, 5, 45, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    store_batch(db, "tallies", in_nepal)

    with db.read() as connection:
        found = connection.execute(select(BatchRow.created_at)).scalar_one()
    assert found == in_nepal
    assert found.utcoffset() == timedelta(0)
    assert found.isoformat() == "2026-11-22T00:00:00+00:00"


def test_a_time_without_a_zone_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"):
        store_batch(db, "tallies", datetime(2026, 11, 22))  # noqa: DTZ001


def test_the_database_has_the_time(db: Database) -> None:
    with db.read() as connection:
        assert abs(db.now(connection) - datetime.now(UTC)) < timedelta(seconds=5)


def test_an_error_takes_the_whole_block_back(db: Database) -> None:
    def store_and_fail() -> None:
        with db.write() as connection:
            row = insert(BatchRow).values(name="a", state=BatchState.SEALED, created_at=datetime.now(UTC))
            connection.execute(row)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()
    with db.read() as connection:
        assert connection.execute(select(BatchRow)).all() == []


def test_a_document_without_its_batch_is_refused(db: Database) -> None:
    now = datetime.now(UTC)
    with pytest.raises(IntegrityError), db.write() as connection:
        connection.execute(
            insert(DocumentRow).values(
                batch_id=7, root="r", path="p", state="queued", submitted_at=now, published_at=now
            )
        )


def test_a_state_that_does_not_exist_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError, match="ck_batches_state"), db.write() as connection:
        connection.execute(
            text("INSERT INTO batches (name, state, created_at) VALUES ('a', 'lost', CURRENT_TIMESTAMP)")
        )


def test_many_writers_wait_for_each_other(db: Database) -> None:
    def read_then_write(thread: int) -> None:
        for number in range(20):
            with db.write() as connection:
                connection.execute(select(BatchRow)).all()
                connection.execute(
                    insert(BatchRow).values(
                        name=f"{thread}/{number}", state=BatchState.SEALED, created_at=datetime.now(UTC)
                    )
                )

    threads = [threading.Thread(target=read_then_write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with db.read() as connection:
        assert len(connection.execute(select(BatchRow)).all()) == 80


@pytest.mark.parametrize("must_exist", [True, False])
def test_a_silent_server_is_given_up_within_ten_seconds(mute_server: int, must_exist: bool) -> None:
    started = time.monotonic()
    with pytest.raises(ServiceUnreachable) as given_up:
        open_database(f"postgresql://mill:secret@localhost:{mute_server}/tallies", must_exist=must_exist)

    assert time.monotonic() - started < 10
    assert f"localhost:{mute_server}/tallies" in str(given_up.value)
    assert "secret" not in str(given_up.value)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(ServiceUnreachable) as refused:
        check("postgresql://mill:secret@127.0.0.1:1/tallies")

    assert "127.0.0.1:1/tallies" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_without_the_driver_the_extra_is_named() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from worker.database.engine import open_database\n"
        "open_database('postgresql://localhost/tallies')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "BadSettings: PostgreSQL needs its driver: pip install 'digitmill[postgres]'" in run.stderr


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("digitmill.db", "sqlite:///digitmill.db"),
        ("mysql://localhost/tallies", "not with mysql"),
        ("sqlite://", "needs a file"),
        ("postgresql://localhost:port/tallies", "no database URL"),
        ("postgresql://localhost/tallies?colour=red", "colour"),
    ],
)
def test_a_url_that_cannot_work_is_explained(url: str, complaint: str) -> None:
    with pytest.raises(BadSettings, match=complaint):
        open_database(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_any_spelling_of_postgresql_uses_our_driver(scheme: str) -> None:
    assert parse_url(f"{scheme}://localhost/tallies").drivername == "postgresql+psycopg"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathUnreadable, match=r"no folder .*/missing"):
        open_database(f"sqlite:///{tmp_path}/missing/digitmill.db")


def test_a_command_that_only_reads_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(PathUnreadable, match="there is no database"):
        open_database(f"sqlite:///{tmp_path}/digitmill.db", must_exist=True)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.db"
    file.write_bytes(b"Dear Sir or Madam, " * 100)

    with pytest.raises(PathUnreadable, match="not a database"):
        open_database(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"Dear Sir")
