"""The queue run: real Redis, real databases, real `digitmill` processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from PIL import Image

from benchmarks.chaos import draw_scans
from tests.conftest import SAMPLES
from tests.installation import Installation, readers, sweepers
from tests.servers import RedisServer, free_port
from worker.database.engine import upgrade

PATIENCE_S = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/digitmill.db"
    new_database: Callable[[], str] = request.getfixturevalue("postgres_server")
    url = new_database()
    upgrade(url)
    return url


@pytest.fixture
def digitmill(tmp_path: Path, empty_redis: str) -> Installation:
    """An installation on SQLite whose sweeper is quick."""
    return Installation(
        tmp_path,
        {
            "database_url": f"sqlite:///{tmp_path}/digitmill.db",
            "broker_url": empty_redis,
            "sweep_interval_s": "0.5",
            "ring_again_s": "1",
            "page_time_limit_s": "10",
            "lease_s": "11",
            "concurrency": "1",
        },
    )


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Thirty pages that are read in milliseconds: single PNGs, and TIFFs of ten pages."""
    draw_scans(tmp_path, pages=30, seed=1)
    return tmp_path / "scans"


@pytest.fixture(scope="module")
def read_locally(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("local")
    local = Installation(folder, {"database_url": f"sqlite:///{folder}/digitmill.db"})
    assert local.run("run", SAMPLES, timeout=300).returncode == 0
    return local.results()


def test_the_queue_reads_what_a_local_run_reads(
    tmp_path: Path, empty_redis: str, database: str, read_locally: list[dict[str, object]]
) -> None:
    digitmill = Installation(tmp_path, {"database_url": database, "broker_url": empty_redis})
    submitted = digitmill.run("submit", SAMPLES)
    with digitmill.worker() as worker:
        waited = digitmill.run("wait", "scans", "--timeout", "240", timeout=300)
        status = worker.stop()

    assert (submitted.returncode, waited.returncode, status) == (0, 0, 0), waited.stderr
    assert len(read_locally) > 100
    assert digitmill.results() == read_locally


def test_submitting_again_takes_only_what_is_new_and_says_so(digitmill: Installation, scans: Path) -> None:
    first = json.loads(digitmill.run("submit", scans, "--json").stdout)
    shutil.copy(scans / "single-00000.png", scans / "late.png")
    Image.new("L", (50, 50)).save(scans / "single-00001.png")
    (scans / "notes.txt").write_text("nothing to read here")

    second = json.loads(digitmill.run("submit", scans, "--json").stdout)

    assert (first["new"], first["known"]) == (20, 0)
    assert (second["new"], second["known"]) == (1, 19)
    assert second["changed"] == ["single-00001.png"]
    assert [Path(path).name for path in second["skipped"]] == ["notes.txt"]
    assert digitmill.query("SELECT count(*) FROM documents") == [(21,)]


def test_a_worker_told_to_end_finishes_what_it_has_in_hand(digitmill: Installation, scans: Path) -> None:
    digitmill.run("submit", scans)
    with digitmill.worker() as worker:
        family = [*readers(worker), *sweepers(worker)]
        _wait_until(lambda: digitmill.query("SELECT count(*) FROM readings") > [(0,)])
        status = worker.stop()

    assert status == 0
    assert len(family) == 2
    assert not any(process.is_running() for process in family)
    assert digitmill.query("SELECT count(*) FROM pages WHERE state = 'reading'") == [(0,)]
    assert digitmill.query("SELECT count(*) FROM documents WHERE state = 'opening'") == [(0,)]
    assert digitmill.query("SELECT count(*) FROM workers") == [(0,)]


def test_a_killed_worker_takes_its_sweeper_and_its_readers_with_it(digitmill: Installation) -> None:
    with digitmill.worker() as worker:
        family = [*readers(worker), *sweepers(worker)]
        os.kill(worker.pid, signal.SIGKILL)

        gone, alive = psutil.wait_procs(family, timeout=15)

    assert len(gone) == 2
    assert alive == []


def test_a_worker_outlives_the_death_of_its_sweeper_and_of_redis(
    digitmill: Installation, scans: Path
) -> None:
    with RedisServer() as broker:
        own = Installation(digitmill.folder, {**digitmill.settings, "broker_url": broker.url})
        with own.worker() as worker:
            (sweeper,) = sweepers(worker)
            broker.kill()
            broker.start()
            sweeper.kill()
            own.run("submit", scans)
            waited = own.run("wait", "scans", "--timeout", "100")

            assert waited.returncode == 0, waited.stderr
            _wait_until(lambda: sweepers(worker) not in ([], [sweeper]))  # the parent looks now and then
            assert len(sweepers(worker)) == 1


def test_work_whose_message_was_lost_is_done_all_the_same(digitmill: Installation, scans: Path) -> None:
    digitmill.run("submit", scans)
    _flush(digitmill)

    with digitmill.worker():
        waited = digitmill.run("wait", "scans", "--timeout", "100")

    assert waited.returncode == 0, waited.stderr


def test_without_a_sweeper_resume_rings_for_lost_work(digitmill: Installation, scans: Path) -> None:
    digitmill.run("submit", scans)
    _flush(digitmill)

    with digitmill.worker("--no-sweeper"):
        assert digitmill.run("wait", "scans", "--timeout", "3").returncode == 1
        resumed = digitmill.run("resume", "scans")
        waited = digitmill.run("wait", "scans", "--timeout", "100")

    assert "20 documents" in resumed.stdout
    assert waited.returncode == 0, waited.stderr


def test_a_page_that_takes_too_long_fails_after_its_attempts_and_the_worker_goes_on(
    digitmill: Installation,
) -> None:
    hasty = Installation(
        digitmill.folder,
        {**digitmill.settings, "page_time_limit_s": "0.01", "lease_s": "0.5", "max_attempts": "2"},
    )
    large = next(path for path in sorted(SAMPLES.rglob("*")) if path.suffix == ".jpg")
    hasty.run("submit", large, "--batch", "large")
    with hasty.worker() as worker:
        waited = hasty.run("wait", "large", "--timeout", "100")
        assert worker.running

    assert waited.returncode == 3, waited.stderr
    (failure,) = json.loads(hasty.run("status", "large", "--json").stdout)[0]["failures"]
    assert "after 2 attempts" in failure["reason"]


def test_the_process_that_forks_the_pool_connects_to_redis_only(
    tmp_path: Path, empty_redis: str, postgres_server: Callable[[], str]
) -> None:
    database = postgres_server()
    upgrade(database)
    digitmill = Installation(
        tmp_path, {"database_url": database, "broker_url": empty_redis, "concurrency": "1"}
    )

    with digitmill.worker() as worker:
        ports = {
            connection.raddr.port
            for connection in psutil.Process(worker.pid).net_connections("tcp")
            if connection.raddr
        }

    assert ports == {int(empty_redis.rsplit(":", 1)[1].removesuffix("/0"))}


def test_a_health_check_passes_while_a_worker_lives_and_only_then(digitmill: Installation) -> None:
    before = digitmill.run("worker", "--check").returncode
    with digitmill.worker():
        during = digitmill.run("worker", "--check").returncode
    after = digitmill.run("worker", "--check").returncode

    assert (before, during, after) == (1, 0, 1)


@pytest.fixture(params=["nobody listens", "nobody answers"])
def dead_broker(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "nobody answers":
            listener.listen()
        yield f"redis://:secret@127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize("command", ["submit", "worker", "resume"])
def test_a_broker_that_does_not_answer_is_named_within_ten_seconds(
    digitmill: Installation, scans: Path, dead_broker: str, command: str
) -> None:
    cut_off = Installation(digitmill.folder, {**digitmill.settings, "broker_url": dead_broker})
    arguments = {"submit": [str(scans)], "resume": ["scans"], "worker": []}[command]

    ended, seconds = _timed(cut_off, command, *arguments)

    assert seconds < 10
    assert ended.returncode == 7
    assert dead_broker.rsplit("@", 1)[1] in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr


def test_a_worker_without_a_database_says_so_within_ten_seconds(digitmill: Installation) -> None:
    nowhere = f"postgresql://digitmill:secret@127.0.0.1:{free_port()}/digitmill"
    cut_off = Installation(digitmill.folder, {**digitmill.settings, "database_url": nowhere})

    ended, seconds = _timed(cut_off, "worker")

    assert seconds < 10
    assert ended.returncode == 7
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr


def _timed(digitmill: Installation, *arguments: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a command; return also the seconds it took beyond a bare start, which other tests may slow down."""
    started = time.monotonic()
    digitmill.run("submit", "--help")
    bare = time.monotonic() - started
    ended = digitmill.run(*arguments)
    return ended, time.monotonic() - started - 2 * bare


def _flush(digitmill: Installation) -> None:
    with redis.Redis.from_url(digitmill.settings["broker_url"]) as client:
        assert client.llen("digitmill") > 0
        client.flushall()


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
