from __future__ import annotations

import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from worker.database.engine import Database, check, open_database, parse_url, upgrade
from worker.database.schema import SchemaMismatch
from worker.database.tables import SCHEMA_REVISION, Base


def described(connection: Connection) -> dict[str, Any]:
    """Everything the database knows of our tables, sorted so that two databases can be compared."""
    inspector = inspect(connection)

    def by_name(found: list[Any]) -> list[str]:
        return sorted(json.dumps(each, sort_keys=True, default=str) for each in found)

    return {
        table: {
            "columns": by_name(inspector.get_columns(table)),
            "key": str(inspector.get_pk_constraint(table)),
            "foreign keys": by_name(inspector.get_foreign_keys(table)),
            "unique": by_name(inspector.get_unique_constraints(table)),
            "indexes": by_name(inspector.get_indexes(table)),
            "checks": by_name(inspector.get_check_constraints(table)),
        }
        for table in Base.metadata.tables
    }


def test_the_migrations_make_the_tables_that_the_program_declares(
    empty_database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    declared_url = f"sqlite:///{tmp_path}/declared.db"
    if empty_database_url.startswith("postgresql"):
        declared_url = request.getfixturevalue("postgres_server")()
    upgrade(empty_database_url)
    migrated, declared = Database(parse_url(empty_database_url)), Database(parse_url(declared_url))
    with declared.write() as connection:
        Base.metadata.create_all(connection)

    with migrated.read() as one, declared.read() as other:
        assert described(one) == described(other)
        assert compare_metadata(MigrationContext.configure(one), Base.metadata) == []
    migrated.close()
    declared.close()


def test_both_databases_have_the_same_views(tmp_path: Path, postgres_server: Callable[[], str]) -> None:
    columns = []
    for url in (f"sqlite:///{tmp_path}/digitmill.db", postgres_server()):
        upgrade(url)
        db = open_database(url)
        with db.read() as connection:
            columns.append(
                {
                    view: list(connection.execute(text(f"SELECT * FROM {view}")).keys())
                    for view in ("v_fields", "v_digits")
                }
            )
        db.close()

    assert columns[0] == columns[1]


def test_the_program_works_with_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_REVISION


def test_an_sqlite_file_is_made_as_it_is_opened(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/digitmill.db"
    open_database(url).close()

    assert check(url) == SCHEMA_REVISION


def test_an_empty_postgresql_is_changed_by_command_only(postgres_server: Callable[[], str]) -> None:
    url = postgres_server()

    for use in (open_database, check):
        with pytest.raises(SchemaMismatch, match="digitmill db upgrade"):
            use(url)
    assert upgrade(url).before is None
    open_database(url).close()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url).before == SCHEMA_REVISION


@pytest.mark.parametrize("revision", ["0000", "9999"])
def test_an_older_or_newer_schema_is_refused_and_the_command_named(database_url: str, revision: str) -> None:
    db = Database(parse_url(database_url))
    with db.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    db.close()

    for use in (open_database, check):
        with pytest.raises(SchemaMismatch, match=rf"schema {revision}.*`digitmill db upgrade`"):
            use(database_url)


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    with sqlite3.connect(file) as theirs:
        theirs.execute("CREATE TABLE customers (name TEXT)")

    for use in (open_database, check, upgrade):
        with pytest.raises(SchemaMismatch):
            use(f"sqlite:///{file}")
    assert sqlite3.connect(file).execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]


def open_together(url: str, start: Barrier) -> None:
    start.wait()
    upgrade(url)
    open_database(url).close()


def test_many_processes_may_open_and_upgrade_an_empty_database_at_once(empty_database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    processes = [spawn.Process(target=open_together, args=(empty_database_url, start)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert check(empty_database_url) == SCHEMA_REVISION
