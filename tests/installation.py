"""Digitmill as an operator has it: settings in the environment, each command a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy

from tests.servers import OwnProcess
from worker.database.engine import open_database

DIGITMILL = [sys.executable, "-m", "worker.cli"]


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder to work in, which takes temporary files too, and the settings by their names."""

    folder: Path
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DIGITMILL_")}
        named = {f"DIGITMILL_{name}".upper(): value for name, value in self.settings.items()}
        return {**inherited, **named, "TMPDIR": str(self.folder), "PYTHONWARNINGS": "default"}

    def run(self, *arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*DIGITMILL, *map(str, arguments)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str | Path, log: str = "worker.log") -> OwnProcess:
        """Start a command that stays, such as a worker."""
        return OwnProcess(
            [*DIGITMILL, *arguments], self.folder / log, environment=self.environment, folder=self.folder
        )

    @contextmanager
    def worker(self, *options: str, log: str = "worker.log") -> Iterator[OwnProcess]:
        """A worker that is ready for its first page, and is told to end afterwards."""
        with self.start("worker", *options, log=log) as process:
            process.wait_until(lambda: b" ready." in process.log.read_bytes())
            yield process

    def results(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the result records."""
        written = self.run("results", "--format", "jsonl", *arguments)
        assert written.returncode == 0, written.stderr
        return [json.loads(line) for line in written.stdout.splitlines()]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(open_database(self.settings["database_url"])) as db, db.read() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(sql))]


def readers(worker: OwnProcess) -> list[psutil.Process]:
    """Return the children of a worker that read pages."""
    return [child for child in psutil.Process(worker.pid).children() if not _sweeps(child)]


def sweepers(worker: OwnProcess) -> list[psutil.Process]:
    return [child for child in psutil.Process(worker.pid).children() if _sweeps(child)]


def _sweeps(process: psutil.Process) -> bool:
    try:
        return "worker.sweeper" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
