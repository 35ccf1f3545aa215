from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from tests.worker.stored import StoredPage, field, store
from worker.cli import main
from worker.cli.exit_codes import ExitCode
from worker.database.engine import open_database
from worker.database.tables import SCHEMA_REVISION


def digitmill(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_an_analysts_question_is_answered(database_url: str) -> None:
    db = open_database(database_url)
    store(db, StoredPage("a.tif", (field("votes", "275"), field("null", "12"))))
    db.close()
    sql = "SELECT document, sum(CAST(value AS INTEGER)) AS votes FROM v_fields GROUP BY document"
    run = digitmill("query", sql, "--db", database_url, "--format", "jsonl")

    assert [json.loads(line) for line in run.stdout.splitlines()] == [{"document": "a.tif", "votes": 287}]


def test_times_and_lists_come_as_text_that_others_can_read(database_url: str) -> None:
    db = open_database(database_url)
    store(db, StoredPage("a.tif", (field("votes", "27"),)))
    db.close()
    run = digitmill("query", "SELECT read_at, detail FROM v_fields JOIN fields ON fields.id = field_id",
                    "--db", database_url, "--format", "csv")  # fmt: skip
    header, row = run.stdout.splitlines()

    assert header == "read_at,detail"
    assert row.startswith("20")
    assert bytes.fromhex(row.split(",")[1])[0] == 1


def test_a_query_that_writes_is_a_usage_error_with_a_sentence(database_url: str) -> None:
    run = digitmill("query", "DELETE FROM fields", "--db", database_url)

    assert run.exit_code == ExitCode.USAGE
    assert run.stderr.startswith("the database refuses this query")
    assert "Traceback" not in run.stderr


def test_what_only_postgresql_has_comes_as_json_and_csv_that_others_can_read(
    postgres_server: Callable[[], str],
) -> None:
    url = postgres_server()
    digitmill("db", "upgrade", "--db", url)
    sql = """SELECT avg(n) AS mean, sum(n::bigint) AS total, '2026-11-22'::date AS day,
             '09:30'::time AS at, '90 s'::interval AS took, '{"a": [1]}'::jsonb AS tree
             FROM (VALUES (1), (2)) AS numbers(n)"""
    record = digitmill("query", sql, "--db", url, "--format", "jsonl")
    row = digitmill("query", sql, "--db", url, "--format", "csv")

    assert json.loads(record.stdout) == {
        "mean": 1.5, "total": 3, "day": "2026-11-22", "at": "09:30:00", "took": "0:01:30", "tree": {"a": [1]}
    }  # fmt: skip
    assert row.stdout.splitlines()[1] == '1.5,3,2026-11-22,09:30:00,0:01:30,"{""a"": [1]}"'


def test_json_never_loses_one_of_two_columns_with_the_same_name(database_url: str) -> None:
    open_database(database_url).close()
    sql = "SELECT 1 AS votes, 2 AS votes"
    refused = digitmill("query", sql, "--db", database_url, "--format", "jsonl")

    assert (refused.exit_code, refused.stdout) == (ExitCode.USAGE, "")
    assert "two columns are called votes" in refused.stderr
    assert digitmill("query", sql, "--db", database_url, "--format", "csv").stdout == "votes,votes\n1,2\n"


def test_a_columns_name_is_shown_as_it_is(database_url: str) -> None:
    open_database(database_url).close()
    run = digitmill("query", 'SELECT 1 AS "[red]votes"', "--db", database_url)

    assert run.stdout.split() == ["[red]votes", "1"]


def test_upgrade_makes_a_database_and_check_is_content_with_it(empty_database_url: str) -> None:
    made = digitmill("db", "upgrade", "--db", empty_database_url)
    again = digitmill("db", "upgrade", "--db", empty_database_url)
    checked = digitmill("db", "check", "--db", empty_database_url)

    assert [run.exit_code for run in (made, again, checked)] == [0, 0, 0]
    assert f"schema {SCHEMA_REVISION}, was empty" in made.stderr
    assert "nothing to do" in again.stderr


def test_check_of_a_postgresql_without_tables_names_the_command(postgres_server: Callable[[], str]) -> None:
    run = digitmill("db", "check", "--db", postgres_server())

    assert run.exit_code == ExitCode.BAD_SETTINGS
    assert "`digitmill db upgrade`" in run.stderr


def test_check_of_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    run = digitmill("db", "check", "--db", f"sqlite:///{tmp_path}/digitmill.db")

    assert run.exit_code == ExitCode.PATH_UNREADABLE
    assert list(tmp_path.iterdir()) == []
