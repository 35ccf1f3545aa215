"""Child processes that work through tasks. A task that kills or hangs its child costs that task and no other.

The parent has one thread and hands out one task at a time. Each child has a pipe of its own: there is no lock
that a killed child could take with it.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process, resource_tracker
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from worker.errors import DigitmillError

Task = TypeVar("Task")
Result = TypeVar("Result")
Preparation = Callable[[], AbstractContextManager[Callable[[Task], Result]]]

GRACE_S = 5.0  # for what is in hand when the crew is sent home
MAX_FALSE_STARTS = 3  # children in a row that die before they can work


@dataclass(frozen=True, slots=True)
class Finished(Generic[Task, Result]):
    task: Task
    result: Result


@dataclass(frozen=True, slots=True)
class Lost(Generic[Task]):
    """A task whose child died or was stopped; nobody knows how far it got."""

    task: Task
    reason: str


@dataclass(slots=True, eq=False)
class _Child(Generic[Task]):
    process: SpawnProcess
    pipe: connection.Connection
    ready: bool = False
    task: Task | None = None
    deadline: float = math.inf


class Crew(Generic[Task, Result]):
    """Up to `size` child processes, each working with the function that the context `prepare()` gives there.

    `prepare`, tasks and results are pickled. Use it as a context: leaving it gives the children a few seconds
    to finish what they have in hand. They end by themselves when the parent is gone, however it went.
    """

    def __init__(self, size: int, prepare: Preparation[Task, Result], *, time_limit_s: float) -> None:
        self._size = size
        self._prepare = prepare
        self._time_limit_s = time_limit_s
        self._false_starts = 0
        self._children: list[_Child[Task]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadline = time.monotonic() + GRACE_S
        try:
            for child in self._children:
                child.pipe.close()  # when it next speaks or listens, the child finds nobody there
            for child in self._children:
                child.process.join(max(0.0, deadline - time.monotonic()))
        finally:
            for child in self._children:
                child.process.kill()
                child.process.join()

    def work_through(self, tasks: deque[Task]) -> Iterator[Finished[Task, Result] | Lost[Task]]:
        """Take tasks from the left until none is left and all are finished. More may be added on the way.

        Raises what `prepare` or its function raised.
        """
        while tasks or self._busy:
            while len(self._children) < min(self._size, self._busy + len(tasks)):
                self._children.append(self._start_child())
            for child in self._children:
                if tasks and child.ready and child.task is None:
                    self._hand_over(child, tasks.popleft())
            heard = self._listen()
            for child in list(self._children):
                if child.pipe in heard:
                    outcome = self._hear(child)
                elif time.monotonic() >= child.deadline:
                    outcome = self._lose(child, f"took longer than {self._time_limit_s:g} s and was stopped")
                else:
                    continue
                if outcome is not None:
                    yield outcome

    @property
    def _busy(self) -> int:
        return sum(child.task is not None for child in self._children)

    def _start_child(self) -> _Child[Task]:
        here, there = connection.Pipe()
        process = get_context("spawn").Process(target=_work, args=(there, self._prepare), daemon=True)
        # Ctrl-C reaches the whole group, and the parent alone decides: children inherit the signal blocked.
        resource_tracker.ensure_running()  # whose own start would unblock it
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        there.close()  # so that the pipe ends when the child does
        return _Child(process, here)

    def _hand_over(self, child: _Child[Task], task: Task) -> None:
        child.task, child.deadline = task, time.monotonic() + self._time_limit_s
        with suppress(OSError):  # the child has just died, which the next look at its pipe tells
            child.pipe.send(task)

    def _listen(self) -> set[object]:
        """Wait until a child speaks, dies or is over its time; return the pipes of the first two kinds."""
        patience = min(child.deadline for child in self._children) - time.monotonic()
        pipes = [child.pipe for child in self._children]
        return set(connection.wait(pipes, None if patience == math.inf else max(0.0, patience)))

    def _hear(self, child: _Child[Task]) -> Finished[Task, Result] | Lost[Task] | None:
        try:
            said = child.pipe.recv()
        except (EOFError, OSError):
            child.process.join()
            return self._lose(child, f"its process died ({_name_exit(child.process.exitcode)})")
        if isinstance(said, Exception):
            raise said
        if child.task is None:
            child.ready = True
            self._false_starts = 0
            return None
        task, child.task, child.deadline = child.task, None, math.inf
        return Finished(task, said)

    def _lose(self, child: _Child[Task], reason: str) -> Lost[Task] | None:
        child.process.kill()
        child.process.join()
        child.pipe.close()
        self._children.remove(child)
        if child.task is not None:
            return Lost(child.task, reason)
        if not child.ready:
            self._false_starts += 1
            if self._false_starts == MAX_FALSE_STARTS:
                raise RuntimeError(f"a worker process cannot start: {reason}")
        return None


def _work(pipe: connection.Connection, prepare: Preparation[Any, Any]) -> None:
    """A child's life: prepare, then one task after the other until the parent hangs up."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with prepare() as work:
            report: object = "ready"
            while True:
                pipe.send(report)
                report = work(pipe.recv())
    except Exception as error:  # noqa: BLE001 (it is raised again in the parent)
        with suppress(OSError):  # the parent has hung up, which is how a child's life should end
            pipe.send(_portable(error))


def _end_with_parent() -> None:
    """End at once when the parent is gone. A task in hand stays undone, as after any other death."""
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _portable(error: Exception) -> Exception:
    """Return the error, or its likeness where it might not survive pickling, with its trace as a note."""
    if not isinstance(error, DigitmillError):
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(traceback.format_exc())
    return error


def _name_exit(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
