"""A real Redis and a real PostgreSQL for tests and benchmarks: processes of their own, on free ports.

Only processes started here are ever signalled, by their own id. Where `setpriv` exists (Linux) the kernel
ends them too when the test process dies without a chance to clean up.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

START_S = 60.0  # the machine may be busy with other tests
STOP_S = 15.0
POLL_S = 0.02


class ServerMissingError(RuntimeError):
    """A server's program is not installed; the message names the command that installs it."""


class OwnProcess:
    """A process with a group of its own, so that it and its children can be stopped and nobody else is.

    Also a context manager. `log` collects stdout and stderr; `last_words` quotes it where a start fails.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log = log
        self.stop_signal = stop_signal
        self._group_ended = False
        tie = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("ab") as output:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [*tie, *map(str, argv)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment) if environment is not None else None,
                cwd=folder,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def wait_until(self, ready: Callable[[], bool], seconds: float = START_S) -> None:
        """Return as soon as it is ready. Raises RuntimeError, quoting its log, where that never comes."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"{self.process.args!r} did not get ready:\n{self.last_words()}")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        if self._group_ended:
            return  # its id may belong to somebody else by now
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(STOP_S)
        self._group_ended = True

    def stop(self) -> int:
        """Ask it to end, insist after a while, and return its exit status."""
        if self.running:
            self.process.send_signal(self.stop_signal)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            self.kill()

    def __enter__(self) -> OwnProcess:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


class RedisServer:
    """A Redis of one's own on a free port, empty at the start. `options` are redis-server's own."""

    def __init__(self, options: Sequence[str] = ("--save", ""), *, password: str | None = None) -> None:
        self._program = _program("redis-server", "redis-server")
        self._folder = Path(tempfile.mkdtemp(prefix="digitmill-redis-"))
        self._options = [*options, *(["--requirepass", password] if password else [])]
        self._password = password
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        login = f":{self._password}@" if self._password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, or start it again after `kill`, on the same port and the same files."""
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        self._process = OwnProcess([self._program, *place, *self._options], self._folder / "log")
        self._process.wait_until(self._answers)

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._process.stop()
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0)) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def __enter__(self) -> RedisServer:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


class PostgresServer:
    """A PostgreSQL cluster of one's own on a free port, without syncs to disk; no password, no questions.

    Its files lie in the system's temporary folder: PostgreSQL refuses to run as root, and the user that it
    runs under then cannot reach pytest's own folders.
    """

    def __init__(self, password: str | None = None) -> None:
        self._program = _postgres_program("postgres")
        self._password = password
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="digitmill-postgres-"))
        self._names = count(1)
        self.port = free_port()
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
        self._initialise()
        self.start()

    def start(self) -> None:
        """Start it on its port and its files."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",  # survives kill -9 of the server, not of the machine
            "full_page_writes": "off",
        }
        self._process = OwnProcess(
            [self._program, "-D", self._folder / "cluster", *(f"--{k}={v}" for k, v in settings.items())],
            self._folder / "log",
            folder=self._folder,
            user=self._user,
            stop_signal=signal.SIGINT,  # fast shutdown: clients are cut off, not waited for
        )
        self._process.wait_until(self._answers)

    def new_database(self) -> str:
        """Create an empty database and return its SQLAlchemy URL."""
        name = f"digitmill_{next(self._names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name).replace("postgresql:", "postgresql+psycopg:")

    def url(self, database: str) -> str:
        """Return the address of a database of this cluster, as libpq knows it."""
        login = f"digitmill:{self._password}" if self._password else "digitmill"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def crash(self) -> None:
        """Kill it in the middle of whatever it is at, and start it again."""
        self._process.kill()
        self.start()

    def stop(self) -> None:
        self._process.stop()
        shutil.rmtree(self._folder)

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password or "unused")
        secret.chmod(0o644)  # in a folder that only its user can enter
        options = [
            f"--pgdata={self._folder / 'cluster'}",
            "--username=digitmill",
            f"--pwfile={secret}",
            f"--auth={'scram-sha-256' if self._password else 'trust'}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        argv = [str(_postgres_program("initdb")), *options]
        creation = OwnProcess(argv, self._folder / "initdb.log", folder=self._folder, user=self._user)
        if creation.process.wait(START_S) != 0:
            raise RuntimeError(f"initdb failed:\n{creation.last_words()}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def __enter__(self) -> PostgresServer:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _program(name: str, package: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ServerMissingError(f"{name} is not installed: apt-get install {package}")
    return Path(found)


def _postgres_program(name: str) -> Path:
    """Return the newest installed one: Debian keeps PostgreSQL's programs out of the search path."""
    by_version = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3])
    )
    return by_version[-1] if by_version else _program(name, "postgresql")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a Redis of this test process's own. What other tests left in it may still be there."""
    with RedisServer() as server:
        yield server.url


@pytest.fixture
def empty_redis(redis_server: str) -> str:
    """The same server's URL with nothing in it."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], str]]:
    """A function that makes an empty database and returns its URL."""
    with PostgresServer() as server:
        yield server.new_database
