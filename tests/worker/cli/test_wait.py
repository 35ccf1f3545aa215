"""What `digitmill wait` says of a batch that is done. How it follows one is in test_queue."""

from __future__ import annotations

from pathlib import Path

from tests.installation import Installation


def test_the_command_it_proposes_can_be_typed_whatever_the_batch_is_called(tmp_path: Path) -> None:
    installation = Installation(tmp_path, {"concurrency": "1"})
    (tmp_path / "north side").mkdir()
    (tmp_path / "north side" / "empty.png").touch()
    assert installation.run("run", "north side").returncode == 3

    ended = installation.run("wait", "north side")

    assert ended.returncode == 3
    assert "`digitmill status 'north side'` says why" in ended.stderr
