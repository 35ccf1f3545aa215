"""The sweeper: rings again for what is overdue, because Celery on Redis loses messages and workers die.

A process of its own beside each worker, `python -m worker.sweeper PARENT` with its settings as JSON on stdin:
the process that forks the pool must have no connections. It also keeps the worker's row of heartbeats. Any
number of sweepers may run: what one has taken to ring for, another does not find overdue.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from contextlib import closing, suppress
from importlib.metadata import version
from queue import Empty, SimpleQueue

from sqlalchemy.exc import DBAPIError

from worker.batches.rescue import RING_LIMIT, sweep
from worker.celery_app import Doorbell, make_app
from worker.database import workers
from worker.database.engine import Database, open_database
from worker.database.leases import holder_name
from worker.errors import ServiceUnreachable
from worker.settings import Settings

PARENT_CHECK_S = 1.0
LONGEST_PAUSE_S = 60.0
LONG_QUEUE = 100
A_FEW = 10

_log = logging.getLogger(__name__)


class Sweeper:
    """Sweeps until its parent is gone or it is told to end, through restarts of Redis and of the database."""

    def __init__(self, settings: Settings, parent: int, *, heartbeat_only: bool = False) -> None:
        self._settings = settings
        self._parent = parent
        self._heartbeat_only = heartbeat_only
        self._worker = holder_name(parent)
        self._version = version("digitmill")
        self._doorbell = Doorbell(make_app(settings))
        self._orders: SimpleQueue[None] = SimpleQueue()  # a signal may interrupt it; an Event's lock not
        self._told_to_end = False

    def end(self, *_: object) -> None:
        self._told_to_end = True
        self._orders.put(None)

    def run(self) -> None:
        pause = 0.0
        while not self._ended_within(pause):
            try:
                with closing(open_database(self._settings.database_url)) as db:
                    pause = self._settings.sweep_interval_s
                    self._sweep_on(db)
                    workers.strike_off(db, self._worker)
                return
            except (ServiceUnreachable, DBAPIError) as error:
                pause = min(2 * max(pause, self._settings.sweep_interval_s), LONGEST_PAUSE_S)
                _log.warning("Cannot sweep, next try in %.0f s: %s", pause, error)

    def _sweep_on(self, db: Database) -> None:
        while True:
            workers.stamp(db, self._worker, self._version)
            if not self._heartbeat_only:
                self._ring_for_overdue(db)
            if self._ended_within(self._settings.sweep_interval_s):
                return

    def _ring_for_overdue(self, db: Database) -> None:
        # Behind a long queue most of what is overdue only waits its turn: ring for a few, lest repetitions
        # fill the queue faster than it drains.
        limit = A_FEW if self._doorbell.waiting() >= LONG_QUEUE else RING_LIMIT
        overdue = sweep(db, self._settings, limit=limit)
        self._doorbell.ring_documents(overdue.document_ids)
        self._doorbell.ring_pages(overdue.page_ids)
        if overdue.document_ids or overdue.page_ids:
            counts = len(overdue.document_ids), len(overdue.page_ids)
            _log.info("Rang again for %d documents and %d pages", *counts)

    def _ended_within(self, seconds: float) -> bool:
        """Wait so long; return True, early, when it is time to end."""
        while os.getppid() == self._parent and not self._told_to_end:
            with suppress(Empty):
                self._orders.get(timeout=max(0.0, min(seconds, PARENT_CHECK_S)))
                return True
            seconds -= PARENT_CHECK_S
            if seconds <= 0:
                return False
        return True


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m worker.sweeper", description=__doc__)
    arguments.add_argument("parent", type=int, help="the worker to end with")
    arguments.add_argument("--heartbeat-only", action="store_true", help="sweep nothing")
    given = arguments.parse_args()
    settings = Settings.model_validate_json(sys.stdin.read())
    sweeper = Sweeper(settings, given.parent, heartbeat_only=given.heartbeat_only)
    signal.signal(signal.SIGTERM, sweeper.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s: %(levelname)s/Sweeper] %(message)s")
    sweeper.run()


if __name__ == "__main__":
    main()
