"""`digitmill submit`: store a batch of scans and ring the queue for them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from worker.acceptance import refuse_beyond_promise
from worker.batches.submission import Submission, submit
from worker.celery_app import Doorbell, check_broker, make_app
from worker.cli.exit_codes import ExitCode
from worker.cli.options import (
    batch_option,
    database_option,
    json_option,
    path_type,
    target_error_option,
    tell_of_target_error,
)
from worker.database.engine import open_database
from worker.errors import ServiceUnreachable
from worker.intake import Intake, ScanFile, find_scans, name_batch
from worker.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, required=True, type=path_type)
@batch_option
@target_error_option
@json_option
@database_option
def command(
    paths: tuple[Path, ...],
    batch: str | None,
    target_error: float | None,
    as_json: bool,
    settings: Settings,
) -> ExitCode:
    """Store the scans below PATHS as a batch and ring the queue.

    Scans that the batch has already are not taken again. `digitmill wait` waits until the batch is read.
    """
    refuse_beyond_promise(settings, target_error)
    check_broker(settings.broker_url)  # before anything is stored that nobody could be told of
    intake = find_scans(paths, settings.scan_roots)
    with closing(open_database(settings.database_url)) as db:
        submission = submit(db, batch or name_batch(paths), _track(intake.scans), target_error=target_error)
    try:
        Doorbell(make_app(settings)).ring_documents(submission.new_documents)
    except ServiceUnreachable as error:
        raise ServiceUnreachable(
            f"{error} The batch is stored; `digitmill resume {shlex.quote(submission.batch)}` rings again."
        ) from error
    tell_of_target_error(submission.read_before, submission.batch)
    if as_json:
        click.echo(json.dumps(_summary(submission, intake)))
    else:
        _tell(submission, intake)
    lost = submission.unreadable or any(skipped.may_hold_scans for skipped in intake.skipped)
    return ExitCode.PAGES_FAILED if lost else ExitCode.OK


def _track(scans: Sequence[ScanFile]) -> Iterable[ScanFile]:
    """Show on a terminal how many scans are stored: each is read whole, for its hash."""
    console = Console(stderr=True)
    return track(scans, "Storing scans", console=console, disable=not console.is_terminal, transient=True)


def _summary(submission: Submission, intake: Intake) -> dict[str, object]:
    return {
        "batch": submission.batch,
        "new": len(submission.new_documents),
        "known": submission.known,
        "changed": list(submission.changed),
        "unreadable": list(submission.unreadable),
        "skipped": {skipped.path: skipped.reason for skipped in intake.skipped},
    }


def _tell(submission: Submission, intake: Intake) -> None:
    for path in submission.changed:
        click.echo(f"{path}: changed since it was submitted; not taken again", err=True)
    batch = shlex.quote(submission.batch)
    for path in submission.unreadable:
        click.echo(f"{path}: cannot be read; `digitmill status {batch}` says why", err=True)
    for skipped in intake.skipped:
        click.echo(f"{skipped.path}: skipped, {skipped.reason}", err=True)
    click.echo(
        f"{submission.batch}: {len(submission.new_documents)} new, {submission.known} known before, "
        f"{len(submission.changed)} changed, {len(submission.unreadable)} unreadable, "
        f"{len(intake.skipped)} skipped"
    )
