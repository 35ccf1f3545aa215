"""How long the pages of a batch took, stage by stage, and how quickly they came."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sqlalchemy import select

from worker.database.engine import Database
from worker.database.queries import STREAM_ROWS, batch_id_of
from worker.database.tables import DocumentRow, PageRow, PageState

PAUSE_S = 60.0  # nothing was being read where no page was finished for so long
WHOLE_PAGE = "page"
STAGES = ("decode", "find", "cut", "read", "store")  # PostgreSQL's JSON keeps no order


@dataclass(frozen=True, slots=True)
class Spread:
    """Of how many pages, and what half and 19 of 20 of them took at most."""

    pages: int
    median_ms: float
    p95_ms: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Spread:
        median, p95 = np.percentile(milliseconds, (50, 95))
        return cls(len(milliseconds), round(float(median), 2), round(float(p95), 2))


@dataclass(frozen=True, slots=True)
class Timing:
    """Of the pages that were read. Without any, there are no stages and no speed."""

    batch: str
    pages: int
    stages: Mapping[str, Spread]  # in the order in which a page goes through them, then the whole page
    pages_per_second: float | None  # of all processes together, pauses left out


def timing(db: Database, batch: str) -> Timing:
    """Return how long the pages took that were read. Raises UnknownBatch."""
    taken: dict[str, array[float]] = defaultdict(lambda: array("d"))
    whole, ends = array("d"), array("d")
    with db.read() as connection:
        read = (
            select(PageRow.stage_ms, PageRow.finished_at)
            .join(DocumentRow)
            .where(
                DocumentRow.batch_id == batch_id_of(connection, batch),
                PageRow.state.in_((PageState.DONE, PageState.REVIEW)),
                PageRow.stage_ms.is_not(None),
            )
        )
        for stage_ms, finished_at in connection.execute(read.execution_options(yield_per=STREAM_ROWS)):
            for stage, milliseconds in stage_ms.items():
                taken[stage].append(milliseconds)
            whole.append(sum(stage_ms.values()))
            ends.append(finished_at.timestamp())
    in_order = sorted(taken, key=lambda stage: STAGES.index(stage) if stage in STAGES else len(STAGES))
    stages = {stage: Spread.of(taken[stage]) for stage in in_order}
    if whole:
        stages[WHOLE_PAGE] = Spread.of(whole)
    return Timing(batch, len(whole), stages, _pages_per_second(sorted(ends)))


def _pages_per_second(ends: Sequence[float]) -> float | None:
    """Return how many pages were finished a second: after the first one, and after each pause's first one."""
    gaps = [later - sooner for sooner, later in pairwise(ends) if later - sooner < PAUSE_S]
    seconds = sum(gaps)
    return round(len(gaps) / seconds, 2) if seconds > 0 else None
