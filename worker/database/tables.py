"""The tables. Batches hold documents, documents hold pages, pages have readings, readings have fields.

Times are UTC. `migrations/` makes the same schema, and the views v_fields and v_digits over it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from worker.database.columns import BigId, Json, SortedText, UtcTime, short_text
from worker.readings import FieldStatus

SCHEMA_REVISION = "0002"  # the newest file in migrations/versions; this program works with no other


class BatchState(StrEnum):
    SUBMITTING = "submitting"
    SEALED = "sealed"  # everything is submitted, not everything is read
    DONE = "done"
    CANCELLED = "cancelled"


class DocumentState(StrEnum):
    QUEUED = "queued"
    OPENING = "opening"
    OPEN = "open"  # its pages are known, not all are finished
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PageState(StrEnum):
    QUEUED = "queued"
    READING = "reading"
    DONE = "done"
    REVIEW = "review"  # read, and some field waits for a person, or all of it for the reason that is given
    FAILED = "failed"
    CANCELLED = "cancelled"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads a plain class attribute)
        datetime: UtcTime,
        str: Text,
        dict[str, Any]: Json,
        list[str]: Json,
        list[float]: Json,
        BatchState: short_text(BatchState, "state"),
        DocumentState: short_text(DocumentState, "state"),
        PageState: short_text(PageState, "state"),
        FieldStatus: short_text(FieldStatus, "status"),
    }


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows that meet a condition, the same on both databases."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Leased:
    """Columns of work that one process at a time may hold.

    Whoever holds `lease_token` may write; a holder whose token was replaced writes nothing (a fencing token).
    """

    attempt: Mapped[int] = mapped_column(default=0)  # counted as the work is claimed
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_holder: Mapped[str | None]  # host:process id
    lease_until: Mapped[datetime | None]
    published_at: Mapped[datetime]  # when the queue was last rung for it
    # Why it failed, or why a person has to look at the page; while queued: why the last attempt failed.
    reason: Mapped[str | None]


class BatchRow(Base):
    __tablename__ = "batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(SortedText, unique=True)
    state: Mapped[BatchState]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    target_error: Mapped[float | None]  # of accepted fields, 0 to 1; None: as the workers' settings say


class DocumentRow(Leased, Base):
    """A scan file: one page or many. Two files with the same bytes are two documents."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("batch_id", "root", "path"),
        partial_index("ix_documents_unfinished", "batch_id", where="state IN ('queued', 'opening', 'open')"),
        partial_index("ix_documents_queued", "published_at", where="state = 'queued'"),
        partial_index("ix_documents_leased", "lease_until", where="state = 'opening'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"))
    root: Mapped[str]  # name of a scan root, or an absolute folder
    path: Mapped[str] = mapped_column(SortedText)  # relative to the root, with /
    sha256: Mapped[str | None] = mapped_column(String(64))  # None where it could not be read
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[DocumentState]
    page_count: Mapped[int | None]
    submitted_at: Mapped[datetime]


class PageRow(Leased, Base):
    __tablename__ = "pages"
    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        partial_index("ix_pages_queued", "published_at", where="state = 'queued'"),
        partial_index("ix_pages_leased", "lease_until", where="state = 'reading'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    number: Mapped[int]  # from 1
    state: Mapped[PageState]
    width: Mapped[int | None]  # pixels
    height: Mapped[int | None]
    dpi: Mapped[float | None]  # as the file claims
    skew_degrees: Mapped[float | None]  # clockwise is positive
    registration: Mapped[dict[str, Any] | None]  # how the page lies on its template
    stage_ms: Mapped[dict[str, Any] | None]  # stage -> milliseconds
    finished_at: Mapped[datetime | None]


class ModelVersionRow(Base):
    __tablename__ = "model_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(71), unique=True)  # sha256:<64 hex>
    architecture: Mapped[str]
    glyph_recipe: Mapped[str]
    card: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime]


class TemplateRow(Base):
    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class ReadingRow(Base):
    """What one reader read on a page. Another reader adds a row of its own; one of them is current."""

    __tablename__ = "readings"
    __table_args__ = (
        UniqueConstraint("page_id", "reader_key"),
        partial_index("uq_readings_current", "page_id", where="is_current", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id", ondelete="CASCADE"))
    # A hash of model, template or "none", glyph recipe, segmentation version and reading rules.
    reader_key: Mapped[str] = mapped_column(String(64))
    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), index=True)
    template_id: Mapped[int | None] = mapped_column(ForeignKey("templates.id"), index=True)
    segmentation_version: Mapped[str]
    rules: Mapped[dict[str, Any]]
    is_current: Mapped[bool]
    read_at: Mapped[datetime]


class FieldRow(Base):
    """What the machine read in a field. Never overwritten: what a person decides is a correction."""

    __tablename__ = "fields"
    __table_args__ = (UniqueConstraint("reading_id", "position"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.id", ondelete="CASCADE"))
    position: Mapped[int]  # in reading order, from 1
    name: Mapped[str] = mapped_column(index=True)
    value: Mapped[str]
    confidence: Mapped[float]
    status: Mapped[FieldStatus]
    reasons: Mapped[list[str]]
    cells: Mapped[list[str]]  # one label a printed box, "" for a blank one
    confidences: Mapped[list[float]]  # one a printed box
    x: Mapped[int]
    y: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    detail: Mapped[bytes] = mapped_column(LargeBinary)  # worker.database.packing: boxes and probabilities


class CorrectionRow(Base):
    """What a person decided about a field. The newest counts; a trigger refuses to change or delete any."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    field_id: Mapped[int] = mapped_column(BigId, ForeignKey("fields.id"), index=True)
    value: Mapped[str]
    cells: Mapped[list[str]]
    status: Mapped[FieldStatus]
    author: Mapped[str]
    note: Mapped[str | None]
    created_at: Mapped[datetime]


class WorkerRow(Base):
    """A worker process and its last sign of life."""

    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # host:process id
    version: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
