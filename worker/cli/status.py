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
from worker.batches.timing import Timing, timing
from worker.cli.options import database_option, json_option
from worker.cli.output import console_for_data
from worker.database.engine import open_database
from worker.database.workers import count_alive
from worker.settings import Settings


@click.command()
@click.argument("batch", required=False)
@click.option("--timing", "timed", is_flag=True, help="Show also how long the stages of a page took.")
@json_option
@database_option
def command(batch: str | None, timed: bool, as_json: bool, settings: Settings) -> None:
    """Show how far BATCH is, or every batch: documents, pages, fields, and what failed and why.

    With --timing also, of the pages that were read, the median and the 95th percentile of each stage in
    milliseconds, and how many pages a second all processes finished together.
    """
    with closing(open_database(settings.database_url, must_exist=True)) as db:
        found = (status(db, batch),) if batch else statuses(db)
        workers = count_alive(db)
        timings = [timing(db, each.batch) for each in found] if timed else []
    if as_json:
        records = [asdict(each) for each in found]
        for record, times in zip(records, timings, strict=False):
            record["timing"] = asdict(times)
        click.echo(json.dumps(records, default=str, indent=2))
        return
    _print(found)
    for times in timings:
        _print_timing(times)
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
        for style, listed in (("red", each.failures), ("yellow", each.unclear)):
            for failure in listed:
                console.print(Text(f"{of_batch}{failure}", style=style), soft_wrap=True)


def _print_timing(times: Timing) -> None:
    console = console_for_data()
    speed = f", {times.pages_per_second} pages/s" if times.pages_per_second is not None else ""
    console.print(Text(f"\n{times.batch}: {times.pages} pages read{speed}"), soft_wrap=True)
    if times.stages:
        table = Table("stage", box=None)
        for heading in ("pages", "median ms", "p95 ms"):
            table.add_column(heading, justify="right")
        for stage, spread in times.stages.items():
            figures = f"{spread.median_ms:.1f}", f"{spread.p95_ms:.1f}"
            table.add_row(stage, str(spread.pages), *figures)
        console.print(table)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
