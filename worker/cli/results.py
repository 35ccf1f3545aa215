"""`digitmill results`: what was read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click

from worker.cli.options import database_option
from worker.cli.output import format_option, opened, output_option, write_json, write_rows
from worker.database.engine import open_database
from worker.database.queries import iterate_results
from worker.readings import FieldStatus
from worker.settings import Settings

TABLE_COLUMNS = ("document", "page", "field", "value", "status", "confidence", "reasons")
CSV_COLUMNS = (
    *("batch", "document", "page", "field", "value", "machine_value", "cells", "status", "confidence"),
    *("reasons", "box_x", "box_y", "box_width", "box_height"),
    *("digit_confidences", "digit_runners_up", "digit_boxes"),  # one entry a cell, as in `cells`
    *("model", "template"),
)


def moment(text: str) -> datetime:
    """Read a date or time in ISO 8601, UTC where it does not say otherwise."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not like 2026-11-22 or 2026-11-22T09:30+01:00") from error
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


@click.command()
@click.argument("batch", required=False)
@format_option
@output_option
@click.option("--field", "fields", multiple=True, help="Only fields of this name; may be repeated.")
@click.option("--document", "documents", multiple=True, help="Only this document; may be repeated.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in FieldStatus]),
    help="Only fields of this status; may be repeated.",
)
@click.option(
    "--since",
    type=moment,
    metavar="TIME",
    help="Only what was read or corrected since that time, UTC if it does not say.",
)
@database_option
def command(
    batch: str | None,
    *,
    form: str,
    output: Path | None,
    fields: tuple[str, ...],
    documents: tuple[str, ...],
    statuses: tuple[str, ...],
    since: datetime | None,
    settings: Settings,
) -> None:
    """Write what was read in BATCH, or in all: one row a field, by document, page and reading order."""
    with closing(open_database(settings.database_url, must_exist=True)) as db, opened(output) as out:
        records = iterate_results(
            db,
            batch,
            fields=fields,
            documents=documents,
            statuses=[FieldStatus(status) for status in statuses],
            since=since,
        )
        _write(records, form, out)


def _write(records: Iterable[dict[str, Any]], form: str, out: TextIO) -> None:
    if form in ("json", "jsonl"):
        write_json(records, form, out)
    elif form == "csv":
        write_rows(CSV_COLUMNS, map(_flatten, records), form, out)
    else:
        write_rows(TABLE_COLUMNS, map(_summarise, records), form, out)


def _summarise(record: dict[str, Any]) -> list[Any]:
    return [
        f"{value:.4f}" if column == "confidence" else value
        for column, value in ((column, record[column]) for column in TABLE_COLUMNS)
    ]


def _flatten(record: dict[str, Any]) -> list[Any]:
    by_cell = {digit["cell"]: digit for digit in record["digits"]}
    digits = [by_cell.get(cell) for cell in range(len(record["cells"]))]
    flat = {
        **record,
        **dict(zip(("box_x", "box_y", "box_width", "box_height"), record["box"], strict=True)),
        "digit_confidences": [digit and digit["confidence"] for digit in digits],
        "digit_runners_up": [digit and digit["runner_up"] for digit in digits],
        "digit_boxes": [digit and " ".join(map(str, digit["box"])) for digit in digits],
    }
    return [flat[column] for column in CSV_COLUMNS]
