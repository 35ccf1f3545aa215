"""`digitmill wait`: return when a batch is done."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import closing

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from worker.batches.progress import BatchStatus, status
from worker.cli.exit_codes import ExitCode
from worker.cli.options import database_option
from worker.database.engine import Database, open_database
from worker.database.workers import count_alive
from worker.errors import DigitmillError
from worker.settings import Settings

POLL_S = 0.5


@click.command()
@click.argument("batch")
@click.option("--timeout", type=float, metavar="SECONDS", help="Give up after so long, with exit code 1.")
@database_option
def command(batch: str, timeout: float | None, settings: Settings) -> ExitCode:
    """Wait until every page of BATCH is read. Exits 3 where some could not be."""
    console = Console(stderr=True)
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with (
        closing(open_database(settings.database_url, must_exist=True)) as db,
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
    ):
        if not status(db, batch).finished and count_alive(db) == 0:
            click.echo(
                "No queue worker was seen in the last minute; `digitmill worker` starts one.", err=True
            )
        bar = progress.add_task(batch, total=None)
        try:
            for seen in _follow(db, batch, timeout):
                total = sum(seen.pages.values())
                progress.update(bar, completed=total - _waiting(seen), total=total)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"The batch goes on; `digitmill wait {shlex.quote(batch)}` waits again."
            ) from None
    if seen.failures:
        click.echo(
            f"{batch}: done, {len(seen.failures)} failed; `digitmill status {shlex.quote(batch)}` says why",
            err=True,
        )
        return ExitCode.PAGES_FAILED
    unclear = f", {len(seen.unclear)} pages to look at" if seen.unclear else ""
    click.echo(f"{batch}: done{unclear}", err=True)
    return ExitCode.OK


def _follow(db: Database, batch: str, timeout: float | None) -> Iterator[BatchStatus]:
    """Yield what is to be seen until the batch is finished. Raises DigitmillError when the time is over."""
    end = time.monotonic() + timeout if timeout is not None else None
    while True:
        seen = status(db, batch)
        yield seen
        if seen.finished:
            return
        if end is not None and time.monotonic() > end:
            unopened = seen.documents["queued"] + seen.documents["opening"]
            raise DigitmillError(
                f"{batch} is not done after {timeout:g} s: {unopened} documents are still to be opened "
                f"and {_waiting(seen)} pages to be read"
            )
        time.sleep(POLL_S)


def _waiting(seen: BatchStatus) -> int:
    return seen.pages["queued"] + seen.pages["reading"]
