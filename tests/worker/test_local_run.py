"""`digitmill run` under everything that can happen to its processes. Real commands, real signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from tests.conftest import SAMPLES
from tests.installation import Installation
from tests.servers import OwnProcess

SAMPLE = SAMPLES / "tallies" / "station-0413.jpg"
SCANS = 150  # enough that a run can be stopped half-way


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A folder with scans/000.jpg and so on, all of them one page."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(SCANS):
        shutil.copy(SAMPLE, scans / f"{number:03}.jpg")
    return Installation(tmp_path, {"database_url": f"sqlite:///{tmp_path}/digitmill.db", "concurrency": "2"})


def pages_by_state(installation: Installation) -> dict[str, int]:
    """How many pages are in which state; nothing before the database has its tables."""
    with closing(sqlite3.connect(installation.folder / "digitmill.db", timeout=30)) as connection:
        try:
            return dict(connection.execute("SELECT state, count(*) FROM pages GROUP BY state"))
        except sqlite3.OperationalError:
            return {}


def settled(installation: Installation) -> int:
    return sum(count for state, count in pages_by_state(installation).items() if state in ("done", "review"))


def wait_for_pages(installation: Installation, run: OwnProcess, count: int) -> None:
    run.wait_until(lambda: settled(installation) >= count)


def assert_every_page_was_read_once(installation: Installation) -> None:
    assert settled(installation) == SCANS == sum(pages_by_state(installation).values())
    assert installation.query("SELECT page_id FROM readings GROUP BY page_id HAVING count(*) > 1") == []
    assert installation.query("SELECT count(DISTINCT page_id) FROM readings") == [(SCANS,)]
    fields_of_a_page = "SELECT count(*) AS fields FROM fields GROUP BY reading_id"
    assert len(installation.query(f"SELECT DISTINCT fields FROM ({fields_of_a_page}) AS counted")) == 1


def children(run: OwnProcess) -> list[psutil.Process]:
    """The processes that read, without the one in which multiprocessing keeps track of resources."""
    return [
        child
        for child in psutil.Process(run.pid).children()
        if any("spawn_main" in part for part in child.cmdline())
    ]


def test_a_second_run_reads_and_stores_nothing_and_says_so(installation: Installation) -> None:
    first = installation.run("run", "scans")
    rows = installation.query("SELECT * FROM readings ORDER BY id")
    second = installation.run("run", "scans")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert f"{SCANS} documents were in batch scans before" in second.stderr
    assert installation.query("SELECT * FROM readings ORDER BY id") == rows
    assert_every_page_was_read_once(installation)


def test_ctrl_c_loses_nothing_and_the_next_run_goes_on(installation: Installation) -> None:
    unhurried = Installation(installation.folder, {**installation.settings, "concurrency": "1"})
    with unhurried.start("run", "scans", log="run.log") as run:
        wait_for_pages(installation, run, 3)
        os.killpg(run.pid, signal.SIGINT)  # a terminal sends it to the whole group

        assert run.process.wait(20) == 130

    assert b"the same command again goes on" in run.log.read_bytes()
    assert b"Traceback" not in run.log.read_bytes()
    assert 3 <= settled(installation) < SCANS
    assert "reading" not in pages_by_state(installation)  # what was in hand was finished
    assert installation.run("run", "scans").returncode == 0
    assert_every_page_was_read_once(installation)


def test_a_run_that_was_killed_takes_its_children_along_and_the_next_does_not_wait_for_leases(
    installation: Installation,
) -> None:
    with installation.start("run", "scans", log="run.log") as run:
        wait_for_pages(installation, run, 3)
        family = children(run)
        run.process.kill()
        run.process.wait()
        _, alive = psutil.wait_procs(family, timeout=10)

    started = time.monotonic()
    again = installation.run("run", "scans")

    assert len(family) == 2
    assert alive == []
    assert again.returncode == 0, again.stderr
    assert time.monotonic() - started < 60  # a lease is 120 s
    assert_every_page_was_read_once(installation)


def test_a_child_that_is_killed_costs_no_page(installation: Installation) -> None:
    with installation.start("run", "scans", log="run.log") as run:
        for count in (1, 6, 12):
            wait_for_pages(installation, run, count)
            children(run)[0].kill()

        assert run.process.wait(60) == 0, run.last_words()

    assert_every_page_was_read_once(installation)


def test_two_runs_at_a_time_read_every_page_once(installation: Installation) -> None:
    with (
        installation.start("run", "scans", log="one.log") as one,
        installation.start("run", "scans", log="two.log") as two,
    ):
        assert one.process.wait(90) == 0, one.last_words()
        assert two.process.wait(90) == 0, two.last_words()

    assert_every_page_was_read_once(installation)


def test_a_page_over_its_time_fails_with_the_reason_and_the_run_goes_on(tmp_path: Path) -> None:
    settings = {
        "database_url": f"sqlite:///{tmp_path}/digitmill.db",
        "page_time_limit_s": "0.6",
        "concurrency": "1",
    }
    installation = Installation(tmp_path, settings)
    shutil.copy(SAMPLE, tmp_path / "quick.jpg")
    # 190 million pixels take a second to decode.
    cv2.imwrite(str(tmp_path / "slow.png"), np.full((13_800, 13_800), 255, np.uint8))

    ended = installation.run("run", "slow.png", "quick.jpg", "--json")

    assert ended.returncode == 3, ended.stderr
    outcome = json.loads(ended.stdout)
    (failure,) = outcome["failures"]
    assert failure["document"] == "slow.png"
    assert "3 attempts" in failure["reason"]
    assert "took longer than 0.6 s" in failure["reason"]
    assert outcome["pages"]["done"] + outcome["pages"]["review"] == 1


def test_a_step_that_can_never_be_begun_ends_the_run(installation: Installation) -> None:
    """Claiming a document takes longer here than a page may."""
    hurry = {"page_time_limit_s": "0.5", "max_attempts": "1"}
    hurried = Installation(installation.folder, {**installation.settings, **hurry})
    hurried.run("db", "upgrade")
    with closing(sqlite3.connect(installation.folder / "digitmill.db")) as connection:
        connection.executescript(
            """
            CREATE VIEW slow AS
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000000)
                SELECT count(*) FROM n;
            CREATE TRIGGER slow_claim BEFORE UPDATE OF lease_token ON documents
                WHEN NEW.lease_token IS NOT NULL
                BEGIN SELECT * FROM slow; END;
            """
        )

    ended = hurried.run("run", "scans/000.jpg")

    assert ended.returncode == 1
    assert "cannot even be begun: took longer than 0.5 s" in ended.stderr
