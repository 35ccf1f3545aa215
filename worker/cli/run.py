"""`digitmill run`: read scans here and now."""

from __future__ import annotations

import json
import shlex
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from worker.acceptance import refuse_beyond_promise
from worker.batches.progress import BatchStatus, status
from worker.batches.submission import Submission, submit
from worker.cli.exit_codes import ExitCode
from worker.cli.options import (
    batch_option,
    database_option,
    jobs_option,
    json_option,
    path_type,
    repeat_database_option,
    target_error_option,
    tell_of_target_error,
)
from worker.database.engine import Database, open_database
from worker.intake import Intake, find_scans, name_batch
from worker.local_run import read_batch
from worker.settings import Settings

SETTLED = ("done", "review", "failed")  # states of a page that has been read, or never will be
FAILURES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found and left behind."""

    intake: Intake
    submission: Submission
    after: BatchStatus
    pages_read: int  # in this run
    seconds: float

    @property
    def pages_per_second(self) -> float:
        return self.pages_read / self.seconds


@click.command()
@click.argument("paths", nargs=-1, required=True, type=path_type)
@batch_option
@target_error_option
@jobs_option
@click.option("--fail-on-review", is_flag=True, help="Exit 4 where something waits for a person's look.")
@json_option
@database_option
def command(
    *,
    paths: tuple[Path, ...],
    batch: str | None,
    target_error: float | None,
    fail_on_review: bool,
    as_json: bool,
    settings: Settings,
) -> ExitCode:
    """Read the scans below PATHS into the database, without a broker.

    PATHS are files and folders with PNG, JPEG, TIFF and PDF scans. The same command again goes on where it
    stopped, takes what is new and reads nothing twice. Exits 3 where pages could not be read.
    """
    console = Console(stderr=True)
    refuse_beyond_promise(settings, target_error)
    intake = find_scans(paths, settings.scan_roots)
    with closing(open_database(settings.database_url)) as db:
        run = _run(db, settings, batch or name_batch(paths), intake, console, target_error=target_error)
        tell_of_target_error(run.submission.read_before, run.after.batch)
        if as_json:
            click.echo(json.dumps(_summary(run, db), indent=2))
        else:
            _tell(run, db, settings, console)
    if run.after.failures or any(skipped.may_hold_scans for skipped in intake.skipped):
        return ExitCode.PAGES_FAILED
    if fail_on_review and run.after.pages["review"]:
        return ExitCode.REVIEW_WAITING
    return ExitCode.OK


def _run(
    db: Database,
    settings: Settings,
    batch: str,
    intake: Intake,
    console: Console,
    *,
    target_error: float | None,
) -> Run:
    started = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        try:
            scans = progress.track(intake.scans, description="Storing scans")
            submission = submit(db, batch, scans, target_error=target_error)
            before = status(db, batch)
            shown = progress.add_task("Reading pages", total=None)
            with closing(read_batch(db, settings, batch)) as reading:
                for done in reading:
                    progress.update(shown, completed=done.finished, total=done.known)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"What was read is in {db.place}; the same command again goes on where this one stopped."
            ) from None
    after = status(db, batch)
    return Run(intake, submission, after, _settled(after) - _settled(before), time.monotonic() - started)


def _settled(seen: BatchStatus) -> int:
    return sum(seen.pages[state] for state in SETTLED)


def _summary(run: Run, db: Database) -> dict[str, object]:
    return {
        "batch": run.after.batch,
        "database": db.place,
        "new_documents": len(run.submission.new_documents),
        "known_documents": run.submission.known,
        "changed_documents": list(run.submission.changed),
        "documents": dict(run.after.documents),
        "pages": dict(run.after.pages),
        "fields": dict(run.after.fields),
        "failures": [asdict(failure) for failure in run.after.failures],
        "unclear": [asdict(page) for page in run.after.unclear],
        "skipped": {skipped.path: skipped.reason for skipped in run.intake.skipped},
        "pages_read": run.pages_read,
        "seconds": round(run.seconds, 3),
        "pages_per_second": round(run.pages_per_second, 2),
    }


def _tell(run: Run, db: Database, settings: Settings, console: Console) -> None:
    """Print the outcome: what was passed over, what failed and why, the counts, and what to type next."""
    after, submission = run.after, run.submission
    for skipped in run.intake.skipped:
        console.print(Text(f"{skipped.path}: skipped, {skipped.reason}"), soft_wrap=True)
    for path in submission.changed:
        console.print(
            Text(f"{path}: changed since it was read, kept as it was; another --batch reads it anew"),
            soft_wrap=True,
        )
    if submission.known:
        console.print(
            Text(
                f"{submission.known} documents were in batch {after.batch} before; nothing is stored twice."
            ),
            soft_wrap=True,
        )
    this_batch = f"{shlex.quote(after.batch)}{repeat_database_option(settings)}"
    for style, listed in (("red", after.failures), ("yellow", after.unclear)):
        for failure in listed[:FAILURES_SHOWN]:
            console.print(Text(str(failure), style=style), soft_wrap=True)
        if len(listed) > FAILURES_SHOWN:
            more = len(listed) - FAILURES_SHOWN
            console.print(Text(f"... and {more} more: digitmill status {this_batch}"), soft_wrap=True)
    counts = Table(show_header=False, box=None)
    counts.add_row("documents", f"{sum(after.documents.values())}, {after.documents['failed']} failed")
    counts.add_row(
        "pages",
        f"{after.pages['done'] + after.pages['review']} read, {after.pages['failed']} failed; "
        f"{run.pages_read} in this run, {run.seconds:.1f} s, {run.pages_per_second:.1f} pages/s",
    )
    fields = after.fields
    counts.add_row(
        "fields",
        f"{fields['accepted']} accepted, {fields['review']} to review, {fields['blank']} blank, "
        f"{fields['struck']} struck",
    )
    console.print(counts)
    for what, says in (("database", db.place), ("next", f"digitmill results {this_batch}")):
        console.print(Text(f" {what:<9}  {says}"), soft_wrap=True)  # in one line, to be copied
