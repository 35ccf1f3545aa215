"""`digitmill status`: how far batches are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from worker.batches.progress import BatchStatus, status, statuses
from worker.cli.options import database_option, json_option
from worker.cli.output import console_for_data
from worker.database.engine import open_database
from worker.database.workers import count_alive
from worker.settings import Settings


@click.command()
@click.argument("batch", required=False)
@json_option
@database_option
def command(batch: str | None, as_json: bool, settings: Settings) -> None:
    """Show how far BATCH is, or every batch: documents, pages, fields, and what failed and why."""
    with closing(open_database(settings.database_url, must_exist=True)) as db:
        found = (status(db, batch),) if batch else statuses(db)
        workers = count_alive(db)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], default=str, indent=2))
        return
    _print(found)
    if not all(each.finished for each in found):
        click.echo(f"Queue workers seen in the last minute: {workers}", err=True)


def _print(found: Sequence[BatchStatus]) -> None:
    console = console_for_data()
    table = Table("batch", "state", "documents", "pages", "fields", box=None)
    for each in found:
        counts = map(_counts, (each.documents, each.pages, each.fields))
        table.add_row(Text(each.batch), each.state, *counts)
    console.print(table)
    for each in found:
        of_batch = f"{each.batch}: " if len(found) > 1 else ""
        for failure in each.failures:
            console.print(Text(f"{of_batch}{failure}", style="red"), soft_wrap=True)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
