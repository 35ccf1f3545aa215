from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.worker.stored import StoredPage, field, store
from worker.database.engine import Database, open_database, upgrade
from worker.database.read_only import ask
from worker.errors import QueryRefused

TAMPERING = [
    "INSERT INTO batches (name, state, created_at) VALUES ('x', 'done', CURRENT_TIMESTAMP)",
    "UPDATE fields SET value = '0'",
    "DELETE FROM fields",
    "DROP VIEW v_digits",
    "CREATE TABLE mine (id INTEGER)",
    "CREATE TEMP TABLE mine (id INTEGER)",
    "SELECT 1; DELETE FROM fields",
    "SELECT 1; COMMIT; DELETE FROM fields",
    "COMMIT",
]
TAMPERING_SQLITE = [
    "WITH gone AS (SELECT id FROM fields) DELETE FROM fields WHERE id IN gone RETURNING value",
    "ATTACH DATABASE '{folder}/other.db' AS other",
    "VACUUM INTO '{folder}/other.db'",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "SELECT load_extension('{folder}/other.so')",
]
TAMPERING_POSTGRESQL = [
    "WITH gone AS (DELETE FROM fields RETURNING value) SELECT * FROM gone",
    "SELECT value INTO mine FROM fields",
    "SELECT * FROM fields FOR UPDATE",
    "SELECT nextval('batches_id_seq')",
    "SET default_transaction_read_only = off",
    "SET TRANSACTION READ WRITE",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "COPY (SELECT 1) TO PROGRAM 'cat > {folder}/other.db'",
    "COPY fields TO '{folder}/other.db'",
    "DO $$ BEGIN DELETE FROM fields; END $$",
    "SELECT 1; SET default_transaction_read_only = off; COMMIT; DELETE FROM fields",
    "SELECT 1 FROM fields; CLOSE ALL",
]


def rows(db: Database, sql: str) -> list[tuple[object, ...]]:
    with ask(db, sql) as answer:
        return [tuple(row) for row in answer.rows]


def everything(db: Database) -> object:
    with db.read() as connection:
        tables = "SELECT * FROM batches", "SELECT id, value FROM fields", "SELECT * FROM v_digits"
        return [[tuple(row) for row in connection.execute(text(table))] for table in tables]


@pytest.fixture(scope="module")
def sqlite_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('db')}/digitmill.db")
    store(db, StoredPage("a.tif", (field("votes", "275"),)))
    yield db
    db.close()


@pytest.fixture(scope="module")
def postgresql_db(postgres_server: Callable[[], str]) -> Iterator[Database]:
    url = postgres_server()
    upgrade(url)
    db = open_database(url)
    store(db, StoredPage("a.tif", (field("votes", "275"),)))
    yield db
    db.close()


def test_a_question_is_answered_with_names_and_rows(db: Database) -> None:
    store(db, StoredPage("a.tif", (field("votes", "275"), field("blank", "___"))))
    sql = "SELECT field, sum(confidence) AS sure FROM v_digits WHERE label <> '' GROUP BY field;"

    with ask(db, sql) as answer:
        assert answer.columns == ("field", "sure")
        ((name, sure),) = answer.rows
    assert (name, sure) == ("votes", pytest.approx(3 * 0.9996))


def test_a_percent_sign_is_nothing_special(db: Database) -> None:
    assert rows(db, "SELECT 1 WHERE 'abc' LIKE 'a%' AND '%s' <> ''") == [(1,)]


def test_a_mistake_is_refused_in_the_databases_own_words(db: Database) -> None:
    with pytest.raises(QueryRefused, match="valeu"):
        rows(db, "SELECT valeu FROM v_fields")


@pytest.mark.parametrize("sql", ["", "-- nothing"])
def test_no_question_is_refused(db: Database, sql: str) -> None:
    with pytest.raises(QueryRefused):
        rows(db, sql)


@pytest.mark.parametrize("sql", TAMPERING + TAMPERING_SQLITE)
def test_sqlite_lets_a_query_change_nothing(sqlite_db: Database, tmp_path: Path, sql: str) -> None:
    before = everything(sqlite_db)

    with pytest.raises(QueryRefused):
        rows(sqlite_db, sql.format(folder=tmp_path))
    assert everything(sqlite_db) == before
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("sql", TAMPERING + TAMPERING_POSTGRESQL)
def test_postgresql_lets_a_query_change_nothing(postgresql_db: Database, tmp_path: Path, sql: str) -> None:
    tmp_path.chmod(0o777)  # the server runs as another user, who could write here
    before = everything(postgresql_db)

    with pytest.raises(QueryRefused):
        rows(postgresql_db, sql.format(folder=tmp_path))
    assert everything(postgresql_db) == before
    assert not (tmp_path / "other.db").exists()


def test_the_tables_can_be_looked_at(sqlite_db: Database) -> None:
    assert ("value", "TEXT") in [(row[1], row[2]) for row in rows(sqlite_db, "PRAGMA table_info(fields)")]


def test_a_question_can_be_asked_while_others_write(sqlite_db: Database) -> None:
    with sqlite_db.write() as connection:
        connection.execute(text("UPDATE batches SET name = 'renamed'"))
        assert rows(sqlite_db, "SELECT name FROM batches") == [("tallies",)]


def test_a_role_that_may_only_read_can_ask(postgresql_db: Database) -> None:
    """What the guide for operators advises: SELECT on the views is enough for an analyst."""
    address = postgresql_db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS analyst")
        connection.execute("CREATE ROLE analyst LOGIN")
        connection.execute("GRANT SELECT ON v_fields, v_digits TO analyst")
    analyst = Database(postgresql_db.url.set(username="analyst"))

    assert rows(analyst, "SELECT value FROM v_fields") == [("275",)]
    with pytest.raises(QueryRefused, match="permission denied"):
        rows(analyst, "SELECT value FROM fields")
    analyst.close()
