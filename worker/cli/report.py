"""`digitmill report`: a batch on one HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path

import click
from rich.console import Console

from segmentation.geometry import Box
from worker.batches.progress import status
from worker.cli.options import database_option, path_type
from worker.cli.output import opened
from worker.database.engine import Database, open_database
from worker.database.queries import page_results, read_pages
from worker.database.tables import PageState
from worker.errors import DigitmillError
from worker.originals import Originals
from worker.readings import FieldStatus
from worker.report import DocumentResults, WaitingField, crop_uri, render_report
from worker.settings import Settings

MOST_FIELDS_LISTED = 20_000  # a browser opens a page of that many rows at once


@click.command()
@click.argument("batch")
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=path_type,
    metavar="FILE.html",
    help="Where the page goes.",
)
@click.option(
    "--crops",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="How many of the fields that wait for review are shown.",
)
@database_option
def command(batch: str, file: Path, crops: int, settings: Settings) -> None:
    """Make one HTML page of BATCH: counts, failures, fields that wait for review with their crops, results.

    The page needs no other file, so it can be sent by mail. It holds parts of the scans: send it accordingly.
    """
    with closing(open_database(settings.database_url, must_exist=True)) as db:
        page = render_report(
            status(db, batch),
            list(islice(_waiting_fields(db, batch, settings), crops)),
            _documents(db, batch),
            fields_listed=MOST_FIELDS_LISTED,
            made_at=datetime.now(UTC),
        )
    with opened(file) as output:
        output.write(page)
    Console(stderr=True).print(f"The report is in {file}", markup=False, highlight=False, soft_wrap=True)


def _waiting_fields(db: Database, batch: str, settings: Settings) -> Iterator[WaitingField]:
    originals = Originals.of(settings)
    for page in read_pages(db, batch, [PageState.REVIEW]):
        waiting = [record for record in page_results(db, page.id) if record["status"] == FieldStatus.REVIEW]
        try:
            grey = originals.load_page(page.root, page.document, page.sha256, page.number).grey
        except DigitmillError as error:
            yield from (WaitingField(record, crop=None, trouble=str(error)) for record in waiting)
        else:
            yield from (WaitingField(record, crop_uri(grey, Box(*record["box"]))) for record in waiting)


def _documents(db: Database, batch: str) -> Iterator[DocumentResults]:
    """Yield the results document by document, as they are asked for."""
    for (_, name), pages in groupby(read_pages(db, batch), key=lambda page: (page.root, page.document)):
        yield DocumentResults(name, tuple(record for page in pages for record in page_results(db, page.id)))
