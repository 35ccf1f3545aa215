from __future__ import annotations

import csv
import io
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.worker.stored import MODEL, StoredPage, field, store
from worker.cli import main
from worker.cli.exit_codes import ExitCode
from worker.database.engine import open_database
from worker.database.queries import iterate_results
from worker.readings import FieldStatus


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with two pages, and three fields on each."""
    url = f"sqlite:///{tmp_path}/digitmill.db"
    db = open_database(url)
    fields = (
        field("valid_votes", "275"),
        field("null_votes", "_1_2", status=FieldStatus.REVIEW, reasons=("low confidence", "a [gap]")),
        field("blank", "___", status=FieldStatus.BLANK),
    )
    store(db, StoredPage("a.tif", fields), StoredPage("b.tif", fields))
    db.close()
    return url


def digitmill(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_json_lines_are_the_records(url: str) -> None:
    run = digitmill("results", "tallies", "--db", url, "--format", "jsonl")
    db = open_database(url)

    assert [json.loads(line) for line in run.stdout.splitlines()] == list(iterate_results(db))
    db.close()


def test_json_is_one_array_of_the_same_records(url: str) -> None:
    lines = digitmill("results", "--db", url, "--format", "jsonl").stdout.splitlines()
    array = digitmill("results", "--db", url, "--format", "json").stdout

    assert json.loads(array) == [json.loads(line) for line in lines]


def test_csv_has_the_record_flattened_with_one_entry_a_cell(url: str) -> None:
    run = digitmill("results", "--db", url, "--format", "csv", "--field", "null_votes", "--document", "b.tif")

    (row,) = csv.DictReader(io.StringIO(run.stdout))
    assert row == {
        "batch": "tallies",
        "document": "b.tif",
        "page": "1",
        "field": "null_votes",
        "value": "1 2",
        "machine_value": "1 2",
        "cells": "|1||2",
        "status": "review",
        "confidence": "0.9991",
        "reasons": "low confidence|a [gap]",
        "box_x": "388",
        "box_y": "232",
        "box_width": "54",
        "box_height": "28",
        "digit_confidences": "|0.9996||0.9996",
        "digit_runners_up": "|7||7",
        "digit_boxes": "|408 233 16 26||444 233 16 26",
        "model": MODEL,
        "template": "",
    }


def test_the_table_shows_each_field_on_a_line(url: str) -> None:
    lines = digitmill("results", "--db", url).stdout.splitlines()

    assert lines[0].split() == ["document", "page", "field", "value", "status", "confidence", "reasons"]
    assert lines[2].split(maxsplit=6)[:3] == ["a.tif", "1", "null_votes"]
    assert lines[2].rstrip().endswith("low confidence|a [gap]")
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--status", "review", "--status", "blank"], 4),
        (["--document", "a.tif"], 3),
        (["--since", "2020-01-01"], 6),
        (["--since", "2999-01-01T00:00+02:00"], 0),
    ],
)
def test_filters_keep_what_they_name(url: str, filters: list[str], count: int) -> None:
    run = digitmill("results", "--db", url, "--format", "jsonl", *filters)

    assert (run.exit_code, len(run.stdout.splitlines())) == (0, count)


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
def test_nothing_read_is_nothing_written_and_no_error(url: str, form: str) -> None:
    run = digitmill("results", "--db", url, "--format", form, "--field", "nowhere")

    assert run.exit_code == 0
    assert run.stdout.count("\n") == (0 if form == "jsonl" else 1)


def test_a_file_is_written_whole_or_not_at_all(url: str, tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("yesterday's")
    refused = digitmill("results", "nowhere", "--db", url, "--format", "csv", "-o", str(file))

    assert (refused.exit_code, file.read_text()) == (ExitCode.NO_INPUT, "yesterday's")
    done = digitmill("results", "--db", url, "--format", "csv", "-o", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    assert len(file.read_text().splitlines()) == 7
    assert {each.name for each in tmp_path.iterdir() if "results" in each.name} == {"results.csv"}


def test_a_device_is_written_to_and_not_replaced(url: str) -> None:
    run = digitmill("results", "--db", url, "-o", "/dev/null")

    assert run.exit_code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("place", ["missing/results.csv", "."])
def test_a_file_that_cannot_be_written_is_named(url: str, tmp_path: Path, place: str) -> None:
    run = digitmill("results", "--db", url, "-o", str(tmp_path / place))

    assert run.exit_code == ExitCode.PATH_UNREADABLE
    assert str(tmp_path / place) in run.stderr


def test_no_database_is_an_error_that_makes_none(tmp_path: Path) -> None:
    run = digitmill("results", "--db", f"sqlite:///{tmp_path}/digitmill.db")

    assert run.exit_code == ExitCode.PATH_UNREADABLE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_a_reader_that_has_seen_enough_is_no_error(url: str, form: str) -> None:
    db = open_database(url)
    many = tuple(field(f"r{number:04}", "12345678") for number in range(3000))  # more than a pipe holds
    store(db, StoredPage("long.tif", many))
    db.close()
    argv = [sys.executable, "-m", "worker.cli", "results", "--db", url, "--format", form]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        complaints = run.stderr.read()

    assert (run.returncode, complaints) == (0, b"")
