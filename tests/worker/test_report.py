from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import cv2
import numpy as np

from segmentation.geometry import Box
from worker.batches.progress import BatchStatus, Failure
from worker.readings import FieldStatus
from worker.report import FAILURES_SHOWN, DocumentResults, WaitingField, crop_uri, render_report

HOSTILE = "<script>alert('x')</script>&\"'"
MADE = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def batch_status(failures: int = 0, unclear: int = 0, **fields: int) -> BatchStatus:
    counts = {status.value: fields.get(status.value, 0) for status in FieldStatus}
    return BatchStatus(
        batch=HOSTILE,
        state="done",
        created_at=MADE,
        finished_at=None,
        documents={"done": 2, "failed": failures},
        pages={"done": 3, "failed": 0},
        fields=counts,
        failures=tuple(Failure(f"{HOSTILE}{n}.png", None, "the file is empty") for n in range(failures)),
        unclear=tuple(Failure(f"{HOSTILE}{n}.png", 7, "too dark") for n in range(unclear)),
    )


def record(document: str = "north/scan-0001.tif", status: str = "review", **values: Any) -> dict[str, Any]:
    return {
        "document": document,
        "page": 1,
        "field": "r01c01",
        "value": "275",
        "confidence": 0.9999,
        "status": status,
        "reasons": ["low confidence"],
    } | values


def render(status: BatchStatus, *records: dict[str, Any], fields_listed: int = 1000) -> str:
    waiting = [WaitingField(each, crop=None, trouble="the file is gone") for each in records]
    documents = [DocumentResults(each["document"], (each,)) for each in records]
    return render_report(status, waiting, documents, fields_listed=fields_listed, made_at=MADE)


def text_of(page: str) -> str:
    """The page as it is read: without tags and styles, white space folded."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.split("</style>")[1]).split())


class References(HTMLParser):
    """Collects what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("src", "href", "data", "srcset")]
        if tag in ("script", "link", "iframe", "object"):
            self.found.append(tag)


def test_the_counts_of_the_batch_are_told() -> None:
    text = text_of(render(batch_status(accepted=30, review=10), record()))

    assert "3 pages" in text
    assert "accepted 30 75.0 %" in text
    assert "10 fields wait for review" in text


def test_everything_that_came_from_files_is_escaped() -> None:
    page = render(
        batch_status(failures=1, review=1), record(HOSTILE, value=HOSTILE, field=HOSTILE, reasons=[HOSTILE])
    )

    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6


def test_the_page_fetches_nothing() -> None:
    crop = crop_uri(np.zeros((50, 50), np.uint8), Box(10, 10, 20, 20))
    page = render_report(
        batch_status(review=1), [WaitingField(record(), crop)], [], fields_listed=1, made_at=MADE
    )

    references = References()
    references.feed(page)

    assert references.found == [crop]
    assert "url(" not in page
    assert "@import" not in page


def test_pages_that_are_unclear_as_a_whole_are_listed_with_their_reasons() -> None:
    assert "7 too dark" in text_of(render(batch_status(unclear=1)))
    assert "Pages to look at" not in render(batch_status())


def test_failures_are_listed_with_their_reasons_and_a_long_list_says_it_is_cut() -> None:
    assert "the file is empty" in render(batch_status(failures=1))
    long = text_of(render(batch_status(failures=FAILURES_SHOWN + 3)))
    assert f"The first {FAILURES_SHOWN} of {FAILURES_SHOWN + 3}" in long


def test_fewer_crops_than_waiting_fields_are_owned_up_to() -> None:
    assert "The first 1 of 7" in text_of(render(batch_status(review=7), record()))
    assert "The first" not in text_of(render(batch_status(review=1), record()))


def test_documents_are_listed_up_to_the_limit_and_the_page_says_so() -> None:
    records = [record(f"scan-{number}.tif", status="accepted") for number in range(5)]

    text = text_of(render(batch_status(accepted=5), *records, fields_listed=2))

    assert "scan-1.tif 1 field" in text
    assert "scan-2.tif 1 field" not in text
    assert "The first 2 of 5 fields" in text


def test_a_field_whose_scan_is_gone_is_listed_with_the_reason() -> None:
    assert "the file is gone" in render(batch_status(review=1), record())


def test_confidence_is_never_rounded_up_to_certainty() -> None:
    assert "99.9 %" in text_of(render(batch_status(review=1), record(confidence=0.99999)))


def test_a_crop_shows_the_field_with_a_margin_even_at_the_edge_of_the_page() -> None:
    grey = np.full((300, 400), 255, np.uint8)
    grey[0:40, 340:400] = 0

    jpeg = base64.b64decode(crop_uri(grey, Box(340, 0, 60, 40)).partition(",")[2])
    crop = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE))

    assert crop.shape == (54, 74)
    assert crop[10, 60] < 30
    assert crop[50, 5] > 220


def test_an_empty_batch_makes_a_page_too() -> None:
    assert "0 fields" in text_of(render(batch_status()))
