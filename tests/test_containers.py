"""What docker-compose.yml says, done without Docker: its argv and environment, as plain processes.

Only what a container gives is replaced: the hosts' names, their ports, and the folders that are mounted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import REPOSITORY, SAMPLES
from tests.servers import OwnProcess, PostgresServer, free_port

PASSWORDS = {"POSTGRES_PASSWORD": "ink7", "REDIS_PASSWORD": "paper9"}
OURS = ("migrate", "worker", "cli")


def load_compose(variables: dict[str, str]) -> dict[str, Any]:
    """Return the compose file with its variables filled in, as `docker compose config` would."""

    def fill_in(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name not in variables and default is None:
            raise KeyError(f"{name} is not set: {match['complaint']}")
        return variables.get(name, default or "")

    pattern = r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?(?P<complaint>[^}]*))?\}"
    text = (REPOSITORY / "docker-compose.yml").read_text()
    compose: dict[str, Any] = yaml.safe_load(re.sub(pattern, fill_in, text))
    return compose


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = load_compose(PASSWORDS)
    found: dict[str, Any] = compose["services"]
    return found


@dataclass(frozen=True)
class Host:
    """This machine in the place of the containers."""

    services: dict[str, Any]
    folder: Path
    redis_port: int
    postgres_port: int
    processes: list[OwnProcess] = field(default_factory=list)

    def local(self, text: str) -> str:
        """Replace what only a container has."""
        return (
            text.replace("@postgres:5432", f"@127.0.0.1:{self.postgres_port}")
            .replace("@redis:6379", f"@127.0.0.1:{self.redis_port}")
            .replace("6379", str(self.redis_port))
            .replace("5432", str(self.postgres_port))
            .replace("/scans", str(SAMPLES))
            .replace("/data", str(self.folder))
        )

    def environment(self, service: str) -> dict[str, str]:
        """The service's own variables, and of ours only what finds the programs."""
        own = {name: self.local(value) for name, value in self.services[service]["environment"].items()}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": path, "TMPDIR": str(self.folder), **own}

    def argv(self, service: str, *command: str) -> list[str]:
        entrypoint = image_entrypoint("worker") if service in OURS else []
        return [*entrypoint, *map(self.local, command or self.services[service]["command"])]

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a one-shot service to its end: `docker compose run --rm SERVICE COMMAND`."""
        return subprocess.run(
            self.argv(service, *command),
            env=self.environment(service),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def start(self, service: str) -> OwnProcess:
        argv, log = self.argv(service), self.folder / f"{service}.log"
        process = OwnProcess(argv, log, environment=self.environment(service), folder=self.folder)
        self.processes.append(process)
        return process

    def is_healthy(self, service: str) -> bool:
        kind, *test = self.services[service]["healthcheck"]["test"]
        argv = {"CMD": test, "CMD-SHELL": ["sh", "-c", *test]}[kind]
        checked = subprocess.run(
            [self.local(word) for word in argv],
            env=self.environment(service),
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return checked.returncode == 0


@pytest.fixture
def host(services: dict[str, Any], tmp_path: Path) -> Iterator[Host]:
    with PostgresServer(PASSWORDS["POSTGRES_PASSWORD"]) as postgres:
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE digitmill")  # the image does this
        host = Host(services, tmp_path, free_port(), postgres.port)
        yield host
        for process in reversed(host.processes):
            process.stop()


def test_the_compose_file_migrates_reads_and_gives_results(host: Host) -> None:
    assert not host.is_healthy("redis")
    broker = host.start("redis")
    broker.wait_until(lambda: host.is_healthy("redis"))
    assert host.is_healthy("postgres")
    assert host.run("migrate").returncode == 0
    assert not host.is_healthy("worker")
    worker = host.start("worker")
    worker.wait_until(lambda: host.is_healthy("worker"))

    submitted = host.run("cli", "submit", "/scans")
    waited = host.run("cli", "wait", "scans", "--timeout", "240")
    results = host.run("cli", "results", "scans", "--format", "jsonl")
    status = host.run("cli")

    assert submitted.returncode == 0, submitted.stderr
    assert waited.returncode == 0, waited.stderr
    documents = {json.loads(line)["document"] for line in results.stdout.splitlines()}
    assert documents == {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.*")}
    assert "done" in status.stdout
    assert worker.stop() == 0
    assert not host.is_healthy("worker")


def test_redis_keeps_the_queue_asks_for_its_password_and_drops_nothing(host: Host) -> None:
    broker = host.start("redis")
    broker.wait_until(lambda: host.is_healthy("redis"))

    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=host.redis_port, retry=Retry(NoBackoff(), 0)).ping()
    with redis.Redis(port=host.redis_port, password=PASSWORDS["REDIS_PASSWORD"]) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        client.rpush("digitmill", "a message")
    broker.stop()
    host.start("redis").wait_until(lambda: host.is_healthy("redis"))
    with redis.Redis(port=host.redis_port, password=PASSWORDS["REDIS_PASSWORD"]) as client:
        assert client.lrange("digitmill", 0, -1) == [b"a message"]


def test_nothing_starts_without_passwords() -> None:
    for name in PASSWORDS:
        others = {other: value for other, value in PASSWORDS.items() if other != name}
        with pytest.raises(KeyError, match=name):
            load_compose(others)


def test_no_service_is_published_runs_as_root_or_can_gain_privileges(services: dict[str, Any]) -> None:
    assert set(services) == {"redis", "postgres", "migrate", "worker", "cli"}
    for name, service in services.items():
        assert "ports" not in service, name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        user = service.get("user") or image_user("worker")
        assert user not in ("root", "0", None), name


def test_scans_are_mounted_read_only_and_the_worker_can_be_scaled(services: dict[str, Any]) -> None:
    for name in OURS:
        (scans,) = services[name]["volumes"]
        assert (scans["target"], scans["read_only"]) == ("/scans", True)
    assert "container_name" not in services["worker"]


def test_what_depends_on_a_service_waits_until_it_is_healthy_or_has_ended_well(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        for needed, wait in service.get("depends_on", {}).items():
            once = services[needed].get("restart") == "no"
            expected = "service_completed_successfully" if once else "service_healthy"
            assert wait["condition"] == expected, f"{name} on {needed}"
            assert once or "healthcheck" in services[needed]


def test_the_worker_image_has_no_tensorflow_and_the_training_image_has_it() -> None:
    installed = {stage: " ".join(lines) for stage, (_, lines) in dockerfile_stages().items()}

    assert "libgl1 libglib2.0-0" in installed["base"]
    assert "'.[postgres]'" in installed["build-worker"]
    assert "training]" not in installed["build-worker"]
    assert "'.[postgres,training]'" in installed["build-training"]
    assert "COPY --from=build-worker" in installed["worker"]
    assert "COPY --from=build-training" in installed["training"]
    assert list(dockerfile_stages())[-1] == "worker"  # what is built where no target is named
    assert all("constraints.txt" in installed[stage] for stage in ("build-worker", "build-training"))


def test_everything_the_dockerfile_copies_exists_and_gets_past_dockerignore() -> None:
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().split() if line[0] == "!"}
    copied = {
        name
        for _, lines in dockerfile_stages().values()
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }

    assert copied == allowed
    assert all((REPOSITORY / name).exists() for name in copied)


def dockerfile_stages() -> dict[str, tuple[str, list[str]]]:
    """Return each stage's name, what it is built on, and its instructions."""
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    stages: dict[str, tuple[str, list[str]]] = {}
    lines: list[str] = []
    for line in (line for line in text.splitlines() if line and not line.startswith("#")):
        if match := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            lines = []
            stages[match[2]] = (match[1], lines)
        else:
            lines.append(" ".join(line.split()))
    return stages


def image_entrypoint(stage: str) -> list[str]:
    (entrypoint,) = (line for line in dockerfile_stages()[stage][1] if line.startswith("ENTRYPOINT "))
    argv: list[str] = json.loads(entrypoint.removeprefix("ENTRYPOINT "))
    return argv


def image_user(stage: str) -> str | None:
    """Return the user that a stage runs under, which it may have from the stage below."""
    stages = dockerfile_stages()
    while stage in stages:
        base, lines = stages[stage]
        for line in reversed(lines):
            if line.startswith("USER "):
                return line.removeprefix("USER ")
        stage = base
    return None
