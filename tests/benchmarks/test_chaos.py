"""A sample of `make chaos`: the same strikes at a smaller batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos import Plan, run_chaos
from worker.database.engine import upgrade


def test_ten_kills_and_two_flushes_lose_and_double_nothing(
    postgres_server: Callable[[], str], tmp_path: Path
) -> None:
    database = postgres_server()
    upgrade(database)

    outcome = run_chaos(Plan(pages=500, kills=10, flushes=2, seed=1), database, tmp_path)

    assert sum(outcome.struck.values()) == 12
    assert outcome.sound, outcome


def test_without_the_sweeper_the_same_strikes_lose_pages(tmp_path: Path) -> None:
    plan = Plan(pages=100, kills=4, flushes=2, sweeping=False, seed=1)

    outcome = run_chaos(plan, f"sqlite:///{tmp_path}/chaos.db", tmp_path)

    assert outcome.lost > 0
    assert outcome.doubled == outcome.spoilt == 0
