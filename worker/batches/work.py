"""Opening documents and reading pages: claim, work with no transaction open, finish in one short one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, insert, select

from segmentation.page import Page
from worker.batches.mill import Mill
from worker.database import leases
from worker.database.leases import DOCUMENTS, PAGES, Claim, Kind
from worker.database.tables import BatchRow, DocumentRow, DocumentState, PageRow, PageState
from worker.database.writes import store_reading
from worker.errors import DigitmillError
from worker.pipeline import read_page
from worker.reader import Reader
from worker.readings import FieldStatus, PageReading
from worker.stopwatch import Stopwatch

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

# Put together once, since every page goes through them.
_SOURCE = select(
    DocumentRow.root, DocumentRow.path, DocumentRow.sha256, DocumentRow.id, BatchRow.target_error
).join(BatchRow)
_SOURCE_OF_DOCUMENT = _SOURCE.where(DocumentRow.id == bindparam("document"))
_SOURCE_OF_PAGE = (
    select(PageRow.number, *_SOURCE.selected_columns)
    .join_from(PageRow, DocumentRow)
    .join(BatchRow)
    .where(PageRow.id == bindparam("page"))
)
_ADD_PAGES = insert(PageRow).returning(PageRow.id, sort_by_parameter_order=True)
_ADD_PAGE = insert(PageRow).returning(PageRow.id)


@dataclass(frozen=True, slots=True)
class _Source:
    root: str
    path: str
    sha256: str | None  # a document without one has failed, and is never queued
    document_id: int
    target_error: float | None  # of its batch


@dataclass(frozen=True, slots=True)
class _PageRead:
    page: Page
    reader: Reader
    reading: PageReading


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """What came of opening a document: pages to be read, or its only page, claimed already."""

    page_ids: tuple[int, ...] = ()
    only_page: Claim | None = None


def work_on_document(mill: Mill, document_id: int) -> tuple[int, ...]:
    """Open a document: check its hash, count its pages, make their rows. Return the pages to be read.

    The page of a one-page document is read at once. Returns () where the document is not there for the
    taking. What cannot be read becomes the document's state and reason.
    """
    with mill.db.write() as connection:
        claimed = _claim(mill, connection, DOCUMENTS, document_id)
        if claimed is None:
            return ()
        source = _Source(*connection.execute(_SOURCE_OF_DOCUMENT, {"document": document_id}).one())

    def count() -> int:
        return mill.originals.count_pages(source.root, source.path, source.sha256)

    opened = _finish_document(mill, claimed, _attempt(count, source.path))
    if opened.only_page is not None:  # its bytes are still at hand
        _read_page(mill, opened.only_page, source, 1)
    return opened.page_ids


def work_on_page(mill: Mill, page_id: int) -> None:
    """Read a page that is queued, and no other. An error becomes the page's state and reason."""
    with mill.db.write() as connection:
        claimed = _claim(mill, connection, PAGES, page_id)
        if claimed is None:
            return
        number, *columns = connection.execute(_SOURCE_OF_PAGE, {"page": page_id}).one()
    _read_page(mill, claimed, _Source(*columns), number)


def _read_page(mill: Mill, claimed: Claim, source: _Source, number: int) -> None:
    stopwatch = Stopwatch()
    reader = mill.reader_for(source.target_error)

    def read() -> _PageRead:
        with stopwatch("decode"):
            page = mill.originals.load_page(source.root, source.path, source.sha256, number)
        return _PageRead(page, reader, read_page(page, mill.recogniser, reader.rules, stage=stopwatch))

    outcome = _attempt(read, f"{source.path} page {number}")
    _finish_page(mill, claimed, source.document_id, outcome, stopwatch)


def _claim(mill: Mill, connection: Connection, kind: Kind, work_id: int) -> Claim | None:
    now = mill.db.now(connection)
    return leases.claim(connection, kind, work_id, holder=mill.holder, now=now, lease_s=mill.settings.lease_s)


def _attempt(work: Callable[[], Result], what: str) -> Result | _Failed:
    """Return the result, or why there is none: a page that cannot be read costs itself, never its batch."""
    try:
        return work()
    except DigitmillError as error:
        return _Failed(str(error))
    except MemoryError:
        return _Failed("it needs more memory than this machine gives; scan it at a lower resolution")
    except Exception as error:  # noqa: BLE001 (one page's defect must not stop the others)
        _log.exception("%s: a defect of Digitmill", what)
        return _Failed(f"{type(error).__name__}: {error}")


def _finish_document(mill: Mill, claimed: Claim, count: int | _Failed) -> _Opened:
    """Store how many pages a document has, or why it cannot be opened."""
    with mill.db.write() as connection:
        if not leases.holds(connection, DOCUMENTS, claimed):
            _log.warning("document %d: taken over by another worker, nothing written", claimed.id)
            return _Opened()
        now = mill.db.now(connection)
        if isinstance(count, _Failed):
            leases.end(connection, DOCUMENTS, claimed, state=DocumentState.FAILED, reason=count.reason)
            batch_id = select(DocumentRow.batch_id).where(DocumentRow.id == claimed.id)
            leases.close_batch(connection, connection.execute(batch_id).scalar_one(), now)
            return _Opened()
        leases.end(connection, DOCUMENTS, claimed, state=DocumentState.OPEN, reason=None, page_count=count)
        page = {"document_id": claimed.id, "number": 1, "published_at": now}
        if count == 1:  # whoever opens it reads it: one transaction less than a claim by itself
            lease = leases.new_lease(mill.holder, now, mill.settings.lease_s)
            held = {**page, "state": PageState.READING, "attempt": 1, **lease}
            page_id = connection.execute(_ADD_PAGE, held).scalar_one()
            return _Opened(only_page=Claim(page_id, lease["lease_token"]))
        queued = [{**page, "state": PageState.QUEUED, "number": number} for number in range(1, count + 1)]
        return _Opened(page_ids=tuple(connection.scalars(_ADD_PAGES, queued)))


def _finish_page(
    mill: Mill, claimed: Claim, document_id: int, outcome: _PageRead | _Failed, stopwatch: Stopwatch
) -> None:
    """Store what was read, or why it was not. Writes nothing where another worker has the page by now."""
    with mill.db.write() as connection:
        if not leases.holds(connection, PAGES, claimed):
            _log.warning("page %d: taken over by another worker, nothing written", claimed.id)
            return
        now = mill.db.now(connection)
        if isinstance(outcome, _Failed):
            columns: dict[str, Any] = {"state": PageState.FAILED, "reason": outcome.reason}
        else:
            with stopwatch("store"):
                _store(mill, connection, claimed.id, outcome, now)
            columns = _columns(outcome)
        leases.end(connection, PAGES, claimed, **columns, stage_ms=stopwatch.milliseconds, finished_at=now)
        leases.close_documents(connection, [document_id], now)


def _store(mill: Mill, connection: Connection, page_id: int, read: _PageRead, now: datetime) -> None:
    store_reading(
        connection,
        read.reading,
        page_id=page_id,
        reader_key=read.reader.key,
        model_id=mill.model_id,
        segmentation_version=read.reader.segmentation_version,
        rules=asdict(read.reader.rules),
        read_at=now,
    )


def _columns(read: _PageRead) -> dict[str, Any]:
    reason = read.reading.reason or None
    waits = reason is not None or any(field.status is FieldStatus.REVIEW for field in read.reading.fields)
    height, width = read.page.grey.shape
    return {
        "state": PageState.REVIEW if waits else PageState.DONE,
        "reason": reason,
        "width": width,
        "height": height,
        "dpi": read.page.dpi,
        "skew_degrees": round(read.reading.skew_degrees, 3),
    }
