"""One worker as the operating system sees it: Celery's parent, its pool of children, a sweeper beside them.

The parent connects to the broker only after the pool has forked, and to the database never.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tempfile import TemporaryFile
from typing import Any

from celery import bootsteps
from celery.concurrency.prefork import TaskPool

from worker.batches.mill import open_mill
from worker.celery_app import check_broker, make_app
from worker.heartbeat import Heartbeat
from worker.settings import Settings
from worker.tasks import Tasks

BEAT_S = 5.0
SWEEPER_END_S = 10.0

_log = logging.getLogger(__name__)


def run_pool(settings: Settings, *, sweeping: bool) -> int:
    """Read pages until SIGTERM or Ctrl-C, finish those in hand, and return the exit status.

    Raises ServiceUnreachable and BadSettings before the pool starts, and not later: a running worker outlives
    restarts of the broker and of the database.
    """
    check_broker(settings.broker_url)
    # Nothing may connect here before the pool forks.
    with ProcessPoolExecutor(1, get_context("fork")) as elsewhere:
        elsewhere.submit(_try_out, settings).result()
    app = make_app(settings)
    Tasks(app, settings)
    app.steps["worker"].add(_AttendantStep)
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)  # one line a task is enough
    worker = app.Worker(
        attendant=Attendant(settings, sweeping=sweeping),
        pool=ChildPool,
        concurrency=settings.processes,
        optimization="fair",
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _try_out(settings: Settings) -> None:
    open_mill(settings).db.close()


class ChildPool(TaskPool):  # type: ignore[misc]  # Celery has no types
    """Celery's pool of forked children, which remembers every job that a child was given.

    As it is told to end, Celery 5.7 forgets jobs of which the child has not said yet that it began them. Then
    it hears nothing more of that child, which waits half a minute for its last word to be heard, and what the
    child did is done again.
    """

    def on_start(self) -> None:
        super().on_start()
        self.flush = self._forget_what_no_child_was_given

    def _forget_what_no_child_was_given(self) -> None:
        jobs = self._pool._cache
        given = {number: job for number, job in jobs.items() if job._write_to is not None}
        self._pool.flush()
        jobs.update((number, job) for number, job in given.items() if not job.ready())


class Attendant:
    """What the parent does beside feeding its pool: it shows that it lives, and keeps a sweeper running."""

    def __init__(self, settings: Settings, *, sweeping: bool) -> None:
        self._settings = settings
        self._sweeping = sweeping
        self._heartbeat = Heartbeat()
        self._sweeper: subprocess.Popen[bytes] | None = None

    def beat(self) -> None:
        self._heartbeat.beat()
        if self._sweeper is not None and self._sweeper.poll() is not None:
            _log.warning("The sweeper ended with status %s; starting it again", self._sweeper.returncode)
            self._sweeper = None
        if self._sweeper is None:
            self._sweeper = self._start_sweeper()

    def stop(self) -> None:
        self._heartbeat.stop()
        if self._sweeper is None:
            return
        self._sweeper.terminate()
        try:
            self._sweeper.wait(SWEEPER_END_S)
        except subprocess.TimeoutExpired:
            self._sweeper.kill()

    def _start_sweeper(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "worker.sweeper", str(os.getpid())]
        with TemporaryFile() as settings:  # no argument and no variable: the URLs in it hold passwords
            settings.write(self._settings.model_dump_json().encode())
            settings.seek(0)
            return subprocess.Popen(argv if self._sweeping else [*argv, "--heartbeat-only"], stdin=settings)


class _AttendantStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Ties the attendant to the worker's start, timer and end."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, attendant: Attendant, **options: Any) -> None:
        super().__init__(worker, **options)
        self._attendant = attendant

    def start(self, worker: Any) -> None:
        self._attendant.beat()
        self._beats = worker.timer.call_repeatedly(BEAT_S, self._attendant.beat)

    def stop(self, worker: Any) -> None:  # noqa: ARG002 (Celery's signature)
        self._beats.cancel()  # the timer goes on until the pool has finished what it has in hand
        self._attendant.stop()

    terminate = stop
