from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner, Result

import worker.cli
from tests.installation import DIGITMILL
from worker.cli import COMMANDS, main
from worker.errors import (
    BadSettings,
    DigitmillError,
    ModelRefused,
    NoUsableInput,
    PathUnreadable,
    ScanError,
    ServiceUnreachable,
)


def end_with(error: BaseException, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    """Run a command that raises this."""

    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(worker.cli, "import_module", lambda _: SimpleNamespace(command=command))
    return CliRunner().invoke(main, [*options, "run"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PathUnreadable("no such path"), 5),
        (ServiceUnreachable("no such host"), 7),
        (NoUsableInput("nothing there"), 8),
        (BadSettings("no such setting"), 9),
        (ModelRefused("another recipe"), 9),
        (ScanError("no such page"), 3),
        (DigitmillError("something else"), 1),
        (PermissionError(13, "Permission denied", "out.csv"), 5),
        (OSError(28, "No space left on device"), 5),
        (click.FileError("out.csv", "is a folder"), 5),
        (click.UsageError("which one?"), 2),
    ],
)
def test_an_error_a_person_can_mend_is_a_sentence_and_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = end_with(error, monkeypatch)

    assert ended.exit_code == code
    assert ended.stdout == ""
    assert (error.args[-1] if isinstance(error, OSError) else str(error)) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_defect_is_admitted_and_its_trace_is_shown_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = end_with(ZeroDivisionError("by nought"), monkeypatch)

    assert quiet.exit_code == 1
    assert "Unexpected ZeroDivisionError: by nought" in quiet.stderr
    assert "digitmill --debug" in quiet.stderr
    assert "Traceback" not in quiet.stderr


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debug_shows_where_an_error_came_from(how: str) -> None:
    environment = {**os.environ, **({"DIGITMILL_DEBUG": "1"} if how == "environment" else {})}
    options = ["--debug"] if how == "option" else []

    ended = subprocess.run(
        [*DIGITMILL, *options, "run", "/nowhere"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 5
    assert "Traceback" in ended.stderr
    assert "in find_scans" in ended.stderr


def test_a_missing_system_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    ended = end_with(missing, monkeypatch)

    assert ended.exit_code == 9
    assert "libGL.so.1 is missing" in ended.stderr
    assert "apt-get install libgl1" in ended.stderr


@pytest.mark.parametrize(
    ("interruption", "advice"),
    [(KeyboardInterrupt(), "The same command again"), (KeyboardInterrupt("Wait for it."), "Wait for it.")],
)
def test_ctrl_c_exits_130_and_says_how_to_go_on(
    interruption: KeyboardInterrupt, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = end_with(interruption, monkeypatch)

    assert ended.exit_code == 130
    assert f"Interrupted. {advice}" in ended.stderr


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    ended = subprocess.run(
        [*DIGITMILL, "doctor", "--json"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )

    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_command_has_a_line_in_the_help_and_every_line_a_command() -> None:
    folder = Path(worker.cli.__file__).parent
    modules = {file.stem: import_module(f"worker.cli.{file.stem}") for file in folder.glob("[!_]*.py")}

    assert {name for name, module in modules.items() if hasattr(module, "command")} == set(COMMANDS)


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        (["--help"], ["worker.cli.run", "sqlalchemy", "rich", "cv2", "onnxruntime", "celery"]),
        (["results", "--help"], ["cv2", "onnxruntime", "celery", "alembic"]),
        (["status", "--help"], ["cv2", "onnxruntime", "celery", "alembic"]),
        (["run", "--help"], ["celery", "tensorflow"]),
    ],
)
def test_a_command_loads_no_library_that_it_does_not_use(command: list[str], unneeded: list[str]) -> None:
    script = (
        "import sys\n"
        "from worker.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('loaded:', *sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True
    )

    loaded = ended.stdout.partition("loaded:")[2].split()
    assert set(unneeded) & set(loaded) == set()


def test_an_unknown_command_is_a_matter_of_usage() -> None:
    assert CliRunner().invoke(main, ["reed"]).exit_code == 2
