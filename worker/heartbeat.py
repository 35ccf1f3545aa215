"""A worker's sign of life: a file that it touches, for health checks that must be quick."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

STALE_S = 60.0  # a parent that is busy forking or waits for Redis may miss some beats


class Heartbeat:
    """The file of this process, in the system's temporary folder, one for each worker of a machine."""

    def __init__(self) -> None:
        self._file = _folder() / f"{_prefix()}{os.getpid()}"

    def beat(self) -> None:
        self._file.touch()

    def stop(self) -> None:
        self._file.unlink(missing_ok=True)


def seconds_since_beat() -> float | None:
    """Return how long ago a worker of this machine and user was alive, None where no one was started."""
    beats = [file.stat().st_mtime for file in _folder().glob(f"{_prefix()}*")]
    return time.time() - max(beats) if beats else None


def _folder() -> Path:
    return Path(tempfile.gettempdir())


def _prefix() -> str:
    return f"digitmill-worker-{os.getuid()}-"
