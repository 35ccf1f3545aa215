"""What `digitmill status` says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.conftest import SAMPLES
from tests.installation import Installation


def test_a_failure_is_told_with_its_batch_where_several_are_shown(tmp_path: Path) -> None:
    installation = Installation(tmp_path, {"concurrency": "1"})
    for folder in ("north", "south"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "empty.png").touch()
        assert installation.run("run", folder).returncode == 3

    of_all = installation.run("status").stdout.splitlines()
    of_one = installation.run("status", "north").stdout.splitlines()

    assert of_all[-2:] == [
        f"{batch}: empty.png: the file is empty; scan it again" for batch in ("south", "north")
    ]
    assert of_one[-1] == "empty.png: the file is empty; scan it again"


def test_timing_tells_the_stages_of_a_page_to_people_and_to_scripts(tmp_path: Path) -> None:
    installation = Installation(tmp_path, {"concurrency": "1"})
    (tmp_path / "scans").mkdir()
    shutil.copy(SAMPLES / "tallies" / "station-0413.jpg", tmp_path / "scans" / "a.jpg")
    installation.run("run", "scans")

    shown = installation.run("status", "scans", "--timing").stdout
    (told,) = json.loads(installation.run("status", "scans", "--timing", "--json").stdout)

    assert "scans: 1 pages read" in shown
    assert [line.split()[0] for line in shown.splitlines()[-6:]] == [*told["timing"]["stages"]]
    assert told["timing"]["stages"]["decode"]["median_ms"] > 0


def test_another_target_error_for_a_known_batch_says_what_it_leaves_as_it_is(tmp_path: Path) -> None:
    installation = Installation(tmp_path, {"concurrency": "1"})
    (tmp_path / "scans").mkdir()
    shutil.copy(SAMPLES / "tallies" / "station-0413.jpg", tmp_path / "scans" / "a.jpg")

    first = installation.run("run", "scans", "--target-error", "2%")
    again = installation.run("run", "scans", "--target-error", "5%")

    assert "--target-error" not in first.stderr
    assert "1 pages of batch scans were read before" in again.stderr
