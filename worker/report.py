"""A batch on one HTML page: counts, failures, what waits for review, the results. It needs no other file."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from segmentation.geometry import Box
from worker.batches.progress import BatchStatus
from worker.readings import FieldStatus

FAILURES_SHOWN = 500
CROP_MARGIN = 0.35  # of the field's height, so that its surroundings can be seen
CROP_HEIGHT_PX = 144  # twice what is shown, for sharp screens

Grey = npt.NDArray[np.uint8]
Record = Mapping[str, Any]
"""A line of `digitmill results --format jsonl`: one field of a page."""


@dataclass(frozen=True, slots=True)
class WaitingField:
    """A field that a person should look at: its crop as a data URI, or why there is none."""

    record: Record
    crop: str | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DocumentResults:
    name: str
    records: tuple[Record, ...]

    @property
    def size(self) -> int:
        return len(self.records)

    @property
    def waiting(self) -> int:
        return sum(record["status"] == FieldStatus.REVIEW for record in self.records)


def render_report(
    status: BatchStatus,
    waiting: Iterable[WaitingField],
    documents: Iterable[DocumentResults],
    *,
    fields_listed: int,
    made_at: datetime,
) -> str:
    """Return the page. Everything that came from files or people is escaped.

    `waiting` may be the first few only: the page says so, by the counts of `status`. Documents are listed up
    to about `fields_listed` fields, and no more of them are asked for.
    """
    listed = list(_up_to(fields_listed, documents))
    return page_template("report.html").render(
        status=status,
        waiting=list(waiting),
        documents=listed,
        failures_shown=FAILURES_SHOWN,
        made_at=made_at,
    )


def page_template(name: str) -> Template:
    """Return the template of an HTML page. It escapes everything that is put into it."""
    environment = Environment(
        loader=PackageLoader("worker"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["version"] = version("digitmill")
    environment.globals["marks"] = [status.value for status in FieldStatus]
    environment.filters["percent"] = _percent
    environment.filters["minute"] = lambda moment: f"{moment:%Y-%m-%d %H:%M}"
    return environment.get_template(name)


def crop_uri(grey: Grey, box: Box) -> str:
    """Return a field's part of its page, with a margin, as a data URI of a few kilobytes."""
    margin = round(box.height * CROP_MARGIN)
    top, left = max(box.y - margin, 0), max(box.x - margin, 0)
    part = grey[top : box.bottom + margin, left : box.right + margin]
    if part.shape[0] > CROP_HEIGHT_PX:
        scale = CROP_HEIGHT_PX / part.shape[0]
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def _up_to(fields: int, documents: Iterable[DocumentResults]) -> Iterator[DocumentResults]:
    for document in documents:
        yield document
        fields -= document.size
        if fields <= 0:
            return


def _percent(confidence: float) -> str:
    return f"{math.floor(1000 * confidence) / 10:.1f} %"  # never 100 % for what is less
