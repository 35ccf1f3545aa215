"""The queue's edge, as far as it goes without a queue; tests/worker/test_queue.py has the rest."""

from __future__ import annotations

import pytest

from worker.tasks import memory_spared


def test_running_out_of_memory_never_reaches_celery_which_would_end_the_worker() -> None:
    with pytest.raises(RuntimeError, match="memory"), memory_spared():
        raise MemoryError
