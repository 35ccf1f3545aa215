from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

# Stops a pool whose child was given a job and has not been heard yet.
STOP_AT_ONCE = """
import time
from kombu.asynchronous import Hub, set_event_loop
from worker.celery_app import make_app
from worker.pool import ChildPool
from worker.settings import Settings

hub = Hub()
set_event_loop(hub)
app = make_app(Settings.read())
pool = ChildPool(1, initargs=(app, "here"), threads=False, putlocks=False, sched_strategy="fair", app=app)
pool.start()
pool.register_with_event_loop(hub)
turns = hub.create_loop()
job = pool.apply_async(time.sleep, (0.2,), callback=lambda _: print("done"))
while job._write_to is None:
    next(turns)
assert not job._accepted
pool.flush()
started = time.monotonic()
pool.stop()
assert time.monotonic() - started < 20, "billiard lets a child wait 30 s"
"""


def test_a_pool_told_to_end_hears_of_the_job_that_a_child_was_just_given(tmp_path: Path) -> None:
    script = tmp_path / "stop.py"
    script.write_text(STOP_AT_ONCE)

    ended = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "done\n"
