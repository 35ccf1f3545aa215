"""What `digitmill status` says."""

from __future__ import annotations

from pathlib import Path

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
