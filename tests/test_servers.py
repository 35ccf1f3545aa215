"""The servers that other tests stand on: real, apart from each other, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers import OwnProcess, PostgresServer, RedisServer, ServerMissingError


def test_every_database_of_the_postgres_server_is_a_fresh_one(postgres_server: Callable[[], str]) -> None:
    first, second = (url.replace("+psycopg", "") for url in (postgres_server(), postgres_server()))
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE traces (id int)")

    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('traces')").fetchone() == (None,)


def test_an_empty_redis_holds_nothing_of_the_test_before(redis_server: str, empty_redis: str) -> None:
    with redis.Redis.from_url(redis_server) as client:
        client.set("trace", "1")
        assert client.dbsize() == 1


def test_a_redis_with_a_password_refuses_who_does_not_know_it() -> None:
    with (
        RedisServer(password="secret") as server,
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_a_database_that_crashed_has_its_rows() -> None:
    with PostgresServer() as server:
        url = server.new_database().replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE traces (id int)")
        server.crash()

        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM traces").fetchone() == (0,)


def test_stopping_a_process_ends_its_children_too(tmp_path: Path) -> None:
    with OwnProcess(["sh", "-c", "sleep 1000 & echo $!; wait"], tmp_path / "log") as process:
        process.wait_until(lambda: process.log.stat().st_size > 0)
        child = psutil.Process(int(process.log.read_text()))

    assert child.wait(10) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ties a process to its parent")
def test_a_killed_test_run_leaves_no_server_behind(tmp_path: Path) -> None:
    script = """
import time
from tests.servers import RedisServer
print(RedisServer()._process.pid, flush=True)
time.sleep(1000)
"""
    run = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert run.stdout is not None
    server = psutil.Process(int(run.stdout.readline()))
    os.kill(run.pid, signal.SIGKILL)
    run.wait()

    assert server.wait(10) is None
    run.stdout.close()


def test_a_missing_server_is_an_error_that_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ServerMissingError, match="apt-get install redis-server"):
        RedisServer()
