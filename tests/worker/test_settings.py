from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from worker.errors import BadSettings
from worker.settings import PREFIX, Settings


def test_a_flag_wins_over_the_environment_and_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.read().max_attempts == 3
    monkeypatch.setenv("DIGITMILL_MAX_ATTEMPTS", "5")
    assert Settings.read().max_attempts == 5
    assert Settings.read(max_attempts=None).max_attempts == 5
    assert Settings.read(max_attempts=7).max_attempts == 7


def test_scan_roots_are_folders_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITMILL_SCAN_ROOTS", '{"tallies": "/mnt/scans"}')

    assert Settings.read().scan_roots == {"tallies": Path("/mnt/scans")}


@pytest.mark.parametrize("said", ["0.1%", " 0.1 %", "0.001", 0.001])
def test_a_target_error_is_a_share_or_a_percentage(said: str | float) -> None:
    assert Settings.read(target_error=said).target_error == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAX_ATTEMPTS", "0"),
        ("MAX_ATTEMPTS", "three"),
        ("ACCEPT_CONFIDENCE", "1.5"),
        ("TARGET_ERROR", "0"),
        ("TARGET_ERROR", "100%"),
        ("TARGET_ERROR", "few%"),
        ("CONCURRENCY", "-1"),
        ("SCAN_ROOTS", "/mnt/scans"),
        ("SCAN_ROOTS", '{"tallies": "scans"}'),
        ("SCAN_ROOTS", '{"a/b": "/scans"}'),
        ("LEASE_S", "10"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_variables_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(PREFIX + variable, value)

    with pytest.raises(BadSettings, match=PREFIX + variable):
        Settings.read()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings.read().max_attempts = 5


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_survive_the_way_to_another_process() -> None:
    settings = Settings.read(scan_roots={"tallies": "/scans"}, model="/models/digits.onnx", concurrency=2)

    assert Settings.model_validate_json(settings.model_dump_json()) == settings
