"""Any SQL, and nothing it could change: the databases themselves see to that.

SQLite opens the file for reading only and an authorizer passes nothing but reads; PostgreSQL runs a cursor,
which takes a single SELECT, in a read-only transaction that is rolled back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.database.engine import POSTGRES_ARGUMENTS, Database
from worker.errors import QueryRefused, ServiceUnreachable

FETCH_ROWS = 1000
_SIGNAL_CHECK_STEPS = 100_000  # SQLite's own, some milliseconds

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_READING_PRAGMAS = {"table_info", "table_list", "index_list", "foreign_key_list"}


@dataclass(frozen=True, slots=True)
class Answer:
    columns: tuple[str, ...]
    rows: Iterator[Sequence[Any]]  # streamed; good within the block of `ask`


def ask(db: Database, sql: str) -> AbstractContextManager[Answer]:
    """Run one SELECT. Raises QueryRefused with the database's own words for an error or anything else."""
    return _ask_sqlite(db, sql) if db.is_sqlite else _ask_postgresql(db, sql)


@contextmanager
def _ask_sqlite(db: Database, sql: str) -> Iterator[Answer]:
    address = f"{Path(str(db.url.database)).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # another file could be written to
            connection.set_authorizer(_authorise)
            # Gives Python the chance to see a Ctrl-C while SQLite is at work.
            connection.set_progress_handler(lambda: 0, _SIGNAL_CHECK_STEPS)
            cursor = connection.execute(sql)
            if cursor.description is None:
                raise QueryRefused("this gives no rows; ask with a SELECT")
            cursor.arraysize = FETCH_ROWS
            yield Answer(tuple(name for name, *_ in cursor.description), cursor)
    except (sqlite3.Error, sqlite3.Warning) as error:  # Python 3.11 warns of a second statement
        raise QueryRefused(_refusal(error)) from error


def _authorise(action: int, argument: str | None, *_: str | None) -> int:
    if action in _READING or (action == sqlite3.SQLITE_PRAGMA and argument in _READING_PRAGMAS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


@contextmanager
def _ask_postgresql(db: Database, sql: str) -> Iterator[Answer]:
    # Imported here: only those who use PostgreSQL have its driver.
    import psycopg

    address = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(address, **POSTGRES_ARGUMENTS)
    except psycopg.OperationalError as error:
        raise ServiceUnreachable(f"no PostgreSQL database at {db.place}: {error}") from error
    try:
        with closing(connection), connection.cursor("digitmill_query") as cursor:
            connection.read_only = True
            cursor.itersize = FETCH_ROWS
            # A named cursor is declared by the extended protocol, which takes one statement only.
            cursor.execute(sql.encode())
            columns = tuple(column.name for column in cursor.description or ())
            yield Answer(columns, iter(cursor))
    except psycopg.Error as error:
        raise QueryRefused(_refusal(error)) from error


def _refusal(error: Exception) -> str:
    return f"the database refuses this query, which may only read: {str(error).strip()}"
