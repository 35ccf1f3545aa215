from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPOSITORY
from worker.crew import Crew, Finished
from worker.errors import ModelRefused


@contextmanager
def prepare() -> Iterator[Callable[[str], str]]:
    yield work


def prepare_in_vain(error: Exception) -> AbstractContextManager[Callable[[str], str]]:
    raise error


def die_while_preparing() -> AbstractContextManager[Callable[[str], str]]:
    os._exit(3)


@contextmanager
def prepare_and_tidy_up(note: Path) -> Iterator[Callable[[str], str]]:
    try:
        yield work
    finally:
        note.write_text("tidy")


def work(task: str) -> str:
    match task:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(60)
        case "raise":
            raise ValueError("what is this?")
    return f"{task} by {os.getpid()}"


def outcomes(crew: Crew[str, str], *tasks: str) -> dict[str, str]:
    """What became of each task: its result without the process, or why it was lost."""
    return {
        outcome.task: outcome.result.partition(" by ")[0] if isinstance(outcome, Finished) else outcome.reason
        for outcome in crew.work_through(deque(tasks))
    }


def test_a_task_that_kills_or_hangs_its_child_costs_itself_only() -> None:
    with Crew(2, prepare, time_limit_s=1) as crew:
        became = outcomes(crew, "a", "die", "b", "hang", "c")

    assert became == {
        "a": "a",
        "die": "its process died (SIGKILL)",
        "b": "b",
        "hang": "took longer than 1 s and was stopped",
        "c": "c",
    }


def test_a_child_that_dies_while_idle_costs_nothing() -> None:
    with Crew(1, prepare, time_limit_s=10) as crew:
        (first,) = crew.work_through(deque(["a"]))
        assert isinstance(first, Finished)
        os.kill(int(first.result.split()[-1]), signal.SIGKILL)

        became = outcomes(crew, "b", "c")

    # The parent may have handed it a task before it noticed the death.
    assert became["c"] == "c"
    assert became["b"] in ("b", "its process died (SIGKILL)")


def test_tasks_that_are_added_on_the_way_are_worked_through_too() -> None:
    tasks = deque(["a"])
    with Crew(2, prepare, time_limit_s=10) as crew:
        seen = []
        for outcome in crew.work_through(tasks):
            seen.append(outcome.task)
            if len(seen) < 4:
                tasks.append(outcome.task + "a")

    assert seen == ["a", "aa", "aaa", "aaaa"]


def test_what_a_task_raises_is_raised_by_the_crew_with_its_own_trace() -> None:
    with (
        Crew(1, prepare, time_limit_s=10) as crew,
        pytest.raises(RuntimeError, match="what is this") as raised,
    ):
        outcomes(crew, "raise")

    assert "in work" in "".join(raised.value.__notes__)


def test_our_own_errors_keep_their_type() -> None:
    refuse = partial(prepare_in_vain, ModelRefused("another recipe"))
    with Crew(1, refuse, time_limit_s=10) as crew, pytest.raises(ModelRefused, match="another recipe"):
        outcomes(crew, "a")


def test_children_that_die_as_they_start_are_not_started_for_ever() -> None:
    with (
        Crew(1, die_while_preparing, time_limit_s=10) as crew,
        pytest.raises(RuntimeError, match="cannot start"),
    ):
        outcomes(crew, "a")


def test_what_a_child_prepared_is_tidied_up_at_the_end(tmp_path: Path) -> None:
    with Crew(1, partial(prepare_and_tidy_up, tmp_path / "note"), time_limit_s=10) as crew:
        outcomes(crew, "a")

    assert (tmp_path / "note").read_text() == "tidy"


def test_no_child_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "from collections import deque\n"
        "from tests.worker.test_crew import prepare\n"
        "from worker.crew import Crew\n"
        "if __name__ == '__main__':\n"
        "    with Crew(2, prepare, time_limit_s=60) as crew:\n"
        "        for outcome in crew.work_through(deque(['a', 'hang', 'hang'])):\n"
        "            print(outcome.task, flush=True)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    family = psutil.Process(parent.pid).children(recursive=True)

    parent.kill()
    parent.wait()

    gone, alive = psutil.wait_procs(family, timeout=10)
    parent.stdout.close()
    assert len(gone) >= 2
    assert alive == []
