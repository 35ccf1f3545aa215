from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.installation import Installation


def examine(folder: Path, **settings: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and for each subject the verdict and what is said of it."""
    ended = Installation(folder, settings).run("doctor", "--json")
    found = {each["subject"]: (each["verdict"], each["says"]) for each in json.loads(ended.stdout)}
    return ended.returncode, found


def test_a_machine_that_can_read_scans_is_well_even_without_a_broker(tmp_path: Path) -> None:
    code, found = examine(tmp_path)

    assert code == 0
    assert {found[subject][0] for subject in ("Python", "OpenCV", "model", "database", "scan roots")} == {
        "ok"
    }
    assert list(tmp_path.iterdir()) == []  # a look leaves nothing behind


def test_a_broker_that_is_named_must_answer(tmp_path: Path) -> None:
    code, found = examine(tmp_path, broker_url="redis://127.0.0.1:1/0")

    assert code == 7
    assert found["broker"][0] == "problem"


@pytest.mark.parametrize(
    ("subject", "settings", "code", "says"),
    [
        ("model", {"model": "/nowhere/model.onnx"}, 5, "/nowhere/model.onnx"),
        ("database", {"database_url": "postgresql://127.0.0.1:1/none"}, 7, "127.0.0.1:1"),
        ("database", {"database_url": "sqlite:////nowhere/digitmill.db"}, 5, "/nowhere"),
        ("scan roots", {"scan_roots": '{"tallies": "/nowhere"}'}, 5, "tallies: /nowhere"),
    ],
)
def test_a_problem_is_named_and_the_other_checks_are_made_all_the_same(
    subject: str, settings: dict[str, str], code: int, says: str, tmp_path: Path
) -> None:
    ended, found = examine(tmp_path, **settings)

    assert ended == code
    verdict, said = found.pop(subject)
    assert verdict == "problem"
    assert says in said
    assert {verdict for verdict, _ in found.values()} <= {"ok", "note"}


def test_the_table_names_every_subject(tmp_path: Path) -> None:
    table = Installation(tmp_path, {}).run("doctor").stdout

    for subject in ("Python", "OpenCV", "model", "database", "scan roots", "broker"):
        assert subject in table
