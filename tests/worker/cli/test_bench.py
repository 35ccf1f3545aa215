"""`digitmill bench` from the outside: drawn scans with a truth that is right, wrong or missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY, SAMPLES
from tests.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "scans" / "tallies").mkdir(parents=True)
    shutil.copy(SAMPLES / "tallies" / "station-0412.png", tmp_path / "scans" / "tallies")
    return Installation(tmp_path, {"concurrency": "1"})


def true_pages() -> list[dict[str, Any]]:
    text = (REPOSITORY / "examples" / "truth.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def write_truth(folder: Path, *pages: dict[str, Any]) -> None:
    (folder / "truth.jsonl").write_text("".join(json.dumps(page) + "\n" for page in pages), "utf-8")


def test_the_measures_of_the_plan_are_counted_against_the_truth(installation: Installation) -> None:
    page = true_pages()[0]
    fields = page["fields"]
    fields[0] = {**fields[0], "value": "9999"}  # a lie: it says 0412
    write_truth(installation.folder, page)

    ended = installation.run("bench", "scans", "--truth", "truth.jsonl", "--json")

    found = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert (found["pages"], found["fields"], found["fields_found"]) == (1, len(fields), len(fields))
    assert found["fields_exact"] < len(fields)
    assert found["digit_errors"] >= 4
    assert found["error_reject"]["fields"]["wrong"][0] >= 1
    assert found["error_reject"]["digits"]["of"] == found["calibration"]["digits"] > 0
    assert found["pages_per_second"] > 0
    assert found["peak_bytes"] > 10_000_000
    assert not (installation.folder / "digitmill.db").exists()


def test_the_folder_that_is_named_gets_numbers_and_a_picture(installation: Installation) -> None:
    write_truth(installation.folder, true_pages()[0])

    ended = installation.run("bench", "scans", "--truth", "truth.jsonl", "-o", "out/bench")

    out = installation.folder / "out" / "bench"
    assert ended.returncode == 0, ended.stderr
    assert "fields exact" in ended.stdout
    assert json.loads((out / "bench.json").read_text())["pages"] == 1
    assert (out / "error-reject.svg").read_text().startswith("<svg")


def test_the_page_shows_each_wrong_field_with_its_crop_and_escapes_what_files_say(
    installation: Installation,
) -> None:
    page = true_pages()[0]
    page["fields"][0] = {**page["fields"][0], "name": "<b>station", "value": "9999"}  # it says 0412
    write_truth(installation.folder, page)

    ended = installation.run("bench", "scans", "--truth", "truth.jsonl", "--html", "bench.html", "--json")

    html = (installation.folder / "bench.html").read_text()
    found = json.loads(ended.stdout)
    assert html.count("data:image/jpeg;base64,") == 1
    assert "&lt;b&gt;station" in html
    assert "<b>station" not in html
    assert "9999" in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")  # needs no other file
    assert found["by_field"]["<b>station"]["causes"] == ["misread"]
    assert found["causes"]["misread"] == 1


def test_a_missed_gate_exits_10_and_says_what_it_came_to(installation: Installation) -> None:
    write_truth(installation.folder, true_pages()[0])
    run = ("bench", "scans", "--truth", "truth.jsonl", "--json", "--at-least")

    met = installation.run(*run, "found=90%", "--at-most", "digit_error=50%")
    missed = installation.run(*run, "found=90%", "--at-most", "digit_error=-1")
    unknown = installation.run(*run, "beauty=1")
    upside_down = installation.run(*run, "digit_error=1%")

    assert (met.returncode, missed.returncode, unknown.returncode, upside_down.returncode) == (0, 10, 2, 2)
    assert "gate missed: digit_error at most -1" in missed.stderr
    assert [gate["holds"] for gate in json.loads(missed.stdout)["gates"]] == [True, False]


def test_a_page_that_cannot_be_read_counts_as_missed_and_exits_3(installation: Installation) -> None:
    (installation.folder / "scans" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    broken = {"file": "broken.png", "fields": [{"name": "votes", "value": "275"}]}
    write_truth(installation.folder, true_pages()[0], broken)

    ended = installation.run("bench", "scans", "--truth", "truth.jsonl", "--json")

    found = json.loads(ended.stdout)
    assert ended.returncode == 3
    assert "broken.png" in ended.stderr
    assert found["fields"] - found["fields_found"] == 1
    assert found["digit_errors"] >= 3


def test_pages_of_the_truth_that_are_not_there_are_named(installation: Installation) -> None:
    write_truth(installation.folder, *true_pages()[:2])

    ended = installation.run("bench", "scans", "--truth", "truth.jsonl", "--json")

    assert ended.returncode == 0
    assert json.loads(ended.stdout)["truth_without_scan"] == ["tallies/station-0413.jpg page 1"]
    assert "tallies/station-0413.jpg page 1: in the truth" in ended.stderr


def test_a_page_behind_the_last_one_of_a_document_is_not_missed_but_not_there(
    installation: Installation,
) -> None:
    page = true_pages()[0]
    write_truth(installation.folder, page, {**page, "page": 2})

    ended = installation.run("bench", "scans", "--truth", "truth.jsonl", "--json")

    found = json.loads(ended.stdout)
    assert (found["pages"], found["truth_without_scan"]) == (1, [f"{page['file']} page 2"])


def test_two_scans_of_one_name_are_not_mixed(installation: Installation) -> None:
    page = true_pages()[0]
    write_truth(installation.folder, page)
    copy = installation.folder / "more" / page["file"]
    copy.parent.mkdir(parents=True)
    copy.write_bytes((installation.folder / "scans" / page["file"]).read_bytes())

    ended = installation.run("bench", "scans", "more", "--truth", "truth.jsonl")

    assert ended.returncode == 8
    assert str(copy) in ended.stderr
    assert "one folder after the other" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["scans"], 2, "--truth"),
        (["scans", "--truth", "nowhere.jsonl"], 5, "nowhere.jsonl: No such file"),
        (["nowhere", "--truth", "truth.jsonl"], 5, "nowhere: No such file"),
        (["scans", "--truth", "torn.jsonl"], 8, "torn.jsonl line 1: "),
        (["scans/tallies", "--truth", "truth.jsonl"], 8, "relative to the folder of scans"),
    ],
)
def test_what_keeps_a_bench_from_starting_is_a_sentence_and_an_exit_code(
    arguments: list[str], code: int, says: str, installation: Installation
) -> None:
    write_truth(installation.folder, true_pages()[0])
    (installation.folder / "torn.jsonl").write_text("{")

    ended = installation.run("bench", *arguments)

    assert ended.returncode == code, ended.stderr
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
