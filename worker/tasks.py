"""The queue's edge: what a pool's child does when the doorbell rings. The work is in worker.batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from worker.batches.mill import Mill, open_mill
from worker.batches.work import work_on_document, work_on_page
from worker.celery_app import OPEN_DOCUMENT, READ_PAGE, Doorbell
from worker.reading_process import set_up_reading
from worker.settings import Settings


class Tasks:
    """The tasks of one application. Each child opens a mill of its own: no connection survives a fork."""

    def __init__(self, app: Celery, settings: Settings) -> None:
        self._settings = settings
        self._doorbell = Doorbell(app)
        # A message that arrives twice or too late finds no claim to take and ends at once.
        app.task(self.open_document, name=OPEN_DOCUMENT)
        app.task(self.read_page, name=READ_PAGE)
        worker_process_init.connect(self._prepare_child, weak=False)

    def open_document(self, document_id: int) -> None:
        with memory_spared():
            self._doorbell.ring_pages(work_on_document(self._mill, document_id))

    def read_page(self, page_id: int) -> None:
        with memory_spared():
            work_on_page(self._mill, page_id)

    @cached_property
    def _mill(self) -> Mill:
        return open_mill(self._settings)

    def _prepare_child(self, **_signal: Any) -> None:
        set_up_reading()
        _ = self._mill


@contextmanager
def memory_spared() -> Iterator[None]:
    """Let a MemoryError cost this task only: Celery would end the whole worker for it."""
    try:
        yield
    except MemoryError as error:
        raise RuntimeError("out of memory") from error
