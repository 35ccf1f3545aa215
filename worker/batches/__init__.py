"""What can be done with a batch, each step one short transaction: submit, open, read, rescue, follow.

The local run and the queue both call these and nothing else. All ids are the database's own integers.
"""

from __future__ import annotations

from worker.batches.mill import Mill, open_mill, scan_limits
from worker.batches.progress import BatchStatus, Failure, status, statuses
from worker.batches.rescue import RING_LIMIT, Overdue, record_crash, ring_again, sweep, take_back, unfinished
from worker.batches.submission import Submission, submit
from worker.batches.work import work_on_document, work_on_page

__all__ = [
    "RING_LIMIT",
    "BatchStatus",
    "Failure",
    "Mill",
    "Overdue",
    "Submission",
    "open_mill",
    "record_crash",
    "ring_again",
    "scan_limits",
    "status",
    "statuses",
    "submit",
    "sweep",
    "take_back",
    "unfinished",
    "work_on_document",
    "work_on_page",
]
