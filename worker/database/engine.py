"""The way to the database: SQLite in a file, or PostgreSQL through psycopg 3."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from worker.database import schema
from worker.database.columns import UtcTime
from worker.database.tables import SCHEMA_REVISION, Base
from worker.errors import BadSettings, PathUnreadable, ServiceUnreachable

BUSY_TIMEOUT_S = 30  # how long a writer waits for the others
CONNECT_TIMEOUT_S = 4  # libpq takes it for each address of a host, and `localhost` has two
_WRITES = "digitmill_writes"

POSTGRES_ARGUMENTS: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "digitmill",
    "options": f"-c timezone=UTC -c lock_timeout={BUSY_TIMEOUT_S}s",
    # A server whose machine is gone sends nothing: notice within 20 s, not within the kernel's 15 minutes.
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}


class Database:
    """Short transactions on one database. Make it after a fork; `close` it at the end."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = _connect_lazily(url)
        self._writer = self._engine.execution_options(**{_WRITES: True})

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def place(self) -> str:
        """Where it is, for messages: no user, no password."""
        return describe(self.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises ServiceUnreachable where the database does not answer."""
        with self._explaining(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, rolled back on an error. Keep it short.

        SQLite: one writer at a time, the others wait. Raises ServiceUnreachable.
        """
        with self._explaining(), self._writer.begin() as connection:
            yield connection

    def now(self, connection: Connection) -> datetime:
        """Return the database's own time: leases are kept by one clock, whatever the workers' clocks say."""
        if self.is_sqlite:
            return datetime.now(UTC)
        return connection.execute(select(func.clock_timestamp(type_=UtcTime))).scalar_one()

    def insert(self, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that knows ON CONFLICT, which both databases have and plain SQL has not."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turn what the driver says of a missing or busy database into our errors."""
        try:
            yield
        except DBAPIError as error:
            explained = _explain(error, self)
            if explained is None:
                raise
            raise explained from error


def open_database(url: str, *, must_exist: bool = False) -> Database:
    """Open a database whose schema is this program's; make an SQLite file that need not exist.

    Raises BadSettings for a URL or driver that does not work and for another schema, ServiceUnreachable
    within 10 seconds, PathUnreadable for an SQLite file that cannot be opened.
    """
    database = _locate(url, must_exist=must_exist)
    try:
        with database.read() as connection:
            found = schema.revision(connection)
            empty = found is None and schema.is_empty(connection)
        if empty and database.is_sqlite:
            upgrade(url)
        else:
            schema.require(found, database.place)
    except BaseException:
        database.close()
        raise
    return database


@dataclass(frozen=True, slots=True)
class Upgrade:
    place: str
    before: str | None  # the schema's revision, None for an empty database
    after: str


def upgrade(url: str) -> Upgrade:
    """Bring a database's schema to this program's, from empty too.

    Several processes may do so at once: one does it while the others wait.
    """
    with closing(_locate(url, must_exist=False)) as database, database.write() as connection:
        before = schema.upgrade(connection, database.place)
    return Upgrade(database.place, before, SCHEMA_REVISION)


def check(url: str) -> str:
    """Return the schema's revision, raising as `open_database` does where it is not this program's."""
    with closing(_locate(url, must_exist=True)) as database, database.read() as connection:
        return schema.require(schema.revision(connection), database.place)


def parse_url(url: str) -> URL:
    """Return a URL with the driver we use. Raises BadSettings."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise BadSettings(
            "DIGITMILL_DATABASE_URL is no database URL; it looks like sqlite:///digitmill.db or "
            "postgresql://user:password@host/name"
        ) from error
    drivers = {
        "sqlite": "sqlite+pysqlite",
        "postgresql": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
    }
    backend = parsed.get_backend_name() if parsed.drivername != "postgres" else "postgres"
    if backend not in drivers:
        raise BadSettings(f"Digitmill works with sqlite and postgresql, not with {parsed.drivername}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadSettings("an SQLite database needs a file, such as sqlite:///digitmill.db")
    return parsed.set(drivername=drivers[backend])


def describe(url: URL) -> str:
    """Where a database is, without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


def _locate(url: str, *, must_exist: bool) -> Database:
    """Return a database that is not connected yet, its SQLite file or the place for it looked at."""
    database = Database(parse_url(url))
    if database.is_sqlite:
        _check_file(database.url, must_exist=must_exist)
    return database


def _connect_lazily(url: URL) -> Engine:
    compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, json_serializer=compact, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            json_serializer=compact,
            connect_args=POSTGRES_ARGUMENTS,
            pool_pre_ping=True,  # the server may have been restarted since the last page
            pool_timeout=CONNECT_TIMEOUT_S,
        )
    except ImportError as error:
        raise BadSettings("PostgreSQL needs its driver: pip install 'digitmill[postgres]'") from error
    except NoSuchModuleError as error:
        raise BadSettings(f"no driver for {url.drivername}") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself, see _begin_sqlite
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    # With WAL a power cut may then lose the last pages, never more.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    """Begin by hand: one that begins by reading and writes later fails at once where others write."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_file(url: URL, *, must_exist: bool) -> None:
    file = Path(str(url.database))
    if file.is_dir():
        raise PathUnreadable(f"{file} is a folder, not an SQLite file")
    if not file.parent.is_dir():
        raise PathUnreadable(f"there is no folder {file.parent} for the database {file.name}")
    if must_exist and not file.exists():
        raise PathUnreadable(
            f"there is no database {file} yet: `digitmill run` makes one, and --db or DIGITMILL_DATABASE_URL "
            "names another"
        )


def _explain(error: DBAPIError, database: Database) -> Exception | None:
    """Return our error for what the person at the keyboard can mend, None for anything else."""
    first_line = str(error.orig).strip().partition("\n")[0]
    if database.is_sqlite:
        if "is locked" in first_line:
            return ServiceUnreachable(f"{database.place} was locked by others for {BUSY_TIMEOUT_S} s")
        if any(words in first_line for words in ("unable to open", "not a database", "readonly", "disk I/O")):
            return PathUnreadable(f"{database.place}: {first_line}")
        return None
    if "connection option" in first_line:
        return BadSettings(f"DIGITMILL_DATABASE_URL: {first_line}")
    refused = isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None
    if error.connection_invalidated or refused or isinstance(error, InterfaceError):
        return ServiceUnreachable(f"no PostgreSQL database at {database.place}: {first_line}")
    return None
