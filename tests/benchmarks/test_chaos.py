"""A sample of `make chaos`: the same strikes, a smaller batch."""

from __future__ import annotations

from pathlib import Path

from benchmarks.chaos import Plan, run_chaos
from tests.servers import PostgresServer
from worker.database.engine import upgrade


def test_ten_kills_two_flushes_and_a_database_crash_lose_and_double_nothing(tmp_path: Path) -> None:
    plan = Plan(pages=500, kills=10, flushes=2, database_kills=1, seed=1)
    with PostgresServer() as server:
        database = server.new_database()
        upgrade(database)

        outcome = run_chaos(plan, database, tmp_path, server.crash)

    assert sum(outcome.struck.values()) == 13
    assert outcome.sound, outcome


def test_without_the_sweeper_such_strikes_lose_pages(tmp_path: Path) -> None:
    plan = Plan(pages=100, kills=4, flushes=2, sweeping=False, seed=1)

    outcome = run_chaos(plan, f"sqlite:///{tmp_path}/chaos.db", tmp_path)

    assert outcome.lost > 0
    assert outcome.doubled == outcome.spoilt == 0
