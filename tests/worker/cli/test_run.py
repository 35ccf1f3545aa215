"""What `digitmill run` says and how it ends. What its processes survive is in test_local_run."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import SAMPLES
from tests.installation import Installation
from worker.cli import main
from worker.cli.exit_codes import ExitCode
from worker.cli.options import repeat_database_option
from worker.settings import Settings


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "scans").mkdir()
    shutil.copy(SAMPLES / "tallies" / "station-0413.jpg", tmp_path / "scans" / "a.jpg")
    return Installation(tmp_path, {"concurrency": "1"})


def test_what_cannot_be_read_costs_itself_and_is_named_with_its_reason(installation: Installation) -> None:
    scans = installation.folder / "scans"
    whole = (SAMPLES / "slips" / "payment-7001.png").read_bytes()
    (scans / "empty.png").touch()
    (scans / "letter.pdf").write_text("Dear Ann")
    (scans / "notes.txt").write_text("call Ann")
    (scans / "truncated.png").write_bytes(whole[: len(whole) // 2])

    ended = installation.run("run", "scans", "--json")

    outcome = json.loads(ended.stdout)
    assert ended.returncode == 3
    assert outcome["pages_read"] == 2  # the truncated one was tried
    assert outcome["pages"]["done"] + outcome["pages"]["review"] == 1
    assert outcome["skipped"] == {str(scans / "notes.txt"): "not a PNG, JPEG, TIFF or PDF"}
    reasons = {failure["document"]: failure["reason"] for failure in outcome["failures"]}
    assert set(reasons) == {"empty.png", "letter.pdf", "truncated.png"}
    assert "empty" in reasons["empty.png"]
    assert "no scan" in reasons["letter.pdf"]


def test_the_end_of_a_run_names_counts_failures_and_what_to_type_next(installation: Installation) -> None:
    (installation.folder / "scans" / "empty.png").touch()

    ended = installation.run("run", "scans")

    assert ended.stdout == ""  # talk goes to stderr
    assert "empty.png: " in ended.stderr
    assert "2, 1 failed" in ended.stderr
    assert "digitmill results scans" in ended.stderr


def test_names_and_reasons_stand_in_one_line_however_long(installation: Installation) -> None:
    folder = installation.folder / "scans" / ("polling station " * 6)
    folder.mkdir(parents=True)
    (folder / "empty.png").touch()

    told = installation.run("run", "scans", "--batch", "[north] " * 12).stderr.splitlines()

    path = (folder / "empty.png").relative_to(installation.folder / "scans").as_posix()
    assert f"{path}: the file is empty; scan it again" in told
    assert f" next       digitmill results '{'[north] ' * 12}'" in told


def test_what_to_type_next_names_the_database_where_the_environment_does_not(
    installation: Installation,
) -> None:
    ended = installation.run("run", "scans", "--db", "sqlite:///other.db")

    assert "digitmill results scans --db sqlite:///other.db" in ended.stderr


def test_what_to_type_next_keeps_the_password_to_itself() -> None:
    settings = Settings.read(database_url="postgresql://mill:secret@db/tallies")

    assert repeat_database_option(settings) == " --db 'postgresql://mill:***@db/tallies'"


def test_a_pages_of_one_file_are_all_read(installation: Installation) -> None:
    ended = installation.run("run", SAMPLES / "meters" / "cards.tif", "--json")

    assert json.loads(ended.stdout)["pages_read"] == 4


def test_fields_that_wait_for_a_person_exit_4_on_request_only(installation: Installation) -> None:
    strict = Installation(installation.folder, {**installation.settings, "accept_confidence": "1"})

    assert strict.run("run", "scans").returncode == 0
    assert strict.run("run", "scans", "--fail-on-review").returncode == 4


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere"], 5, "nowhere: No such file or directory"),
        (["bare"], 8, "No PNG, JPEG, TIFF or PDF in"),
        ([], 2, "Missing argument"),
        (["scans", "--jobs", "0"], 9, "DIGITMILL_CONCURRENCY"),
        (["scans", "--batch", "n\udcffrth"], 2, "not UTF-8"),
        (["scans", "--target-error", "few"], 2, "'few' is no share such as 0.1% or 0.001"),
        (["scans", "--target-error", "0.000001%"], 9, "promise"),
        (["scans", "--db", "postgresql://127.0.0.1:1/none"], 7, "127.0.0.1:1"),
        (["scans", "--db", "sqlite:///nowhere/digitmill.db"], 5, "nowhere"),
    ],
)
def test_what_keeps_a_run_from_starting_is_a_sentence_and_an_exit_code(
    arguments: list[str], code: int, says: str, installation: Installation
) -> None:
    (installation.folder / "bare").mkdir()

    ended = installation.run("run", *arguments)

    assert ended.returncode == code, ended.stderr
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_that_may_not_be_read_is_no_matter_of_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)

    ended = CliRunner().invoke(main, ["run", str(tmp_path)])

    assert ended.exit_code == ExitCode.PATH_UNREADABLE
    assert f"{tmp_path}: the folder cannot be read" in ended.stderr


def test_a_model_that_is_refused_ends_the_run_with_the_reason(installation: Installation) -> None:
    (installation.folder / "model.onnx").write_text("no model")
    refusing = Installation(installation.folder, {**installation.settings, "model": "model.onnx"})

    ended = refusing.run("run", "scans")

    assert ended.returncode == 9
    assert "model.onnx is refused" in ended.stderr
    assert "Traceback" not in ended.stderr
