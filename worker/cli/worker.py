"""`digitmill worker`: a pool of processes that read what the queue rings for."""

from __future__ import annotations

import click

from worker.cli.exit_codes import ExitCode
from worker.cli.options import database_option, setting_option
from worker.heartbeat import STALE_S, seconds_since_beat
from worker.settings import Settings


@click.command()
@click.option("--sweeper/--no-sweeper", "sweeping", default=True, help="Ring again for what is overdue.")
@click.option("--check", is_flag=True, help="Start nothing; say whether a worker of this machine is alive.")
@setting_option("--concurrency", "concurrency", type=int, metavar="N", help="Processes; default one a core.")
@database_option
def command(sweeping: bool, check: bool, settings: Settings) -> ExitCode | int:
    """Read pages as the queue rings for them, until SIGTERM or Ctrl-C.

    A worker that is told to end finishes the pages it has in hand. At least one sweeper must run for a queue:
    without it, work whose message or worker was lost stays undone.
    """
    if check:
        return _check()
    from worker.acceptance import refuse_beyond_promise
    from worker.pool import run_pool

    refuse_beyond_promise(settings, None)
    return run_pool(settings, sweeping=sweeping)


def _check() -> ExitCode:
    age = seconds_since_beat()
    if age is None:
        click.echo("No worker runs here.", err=True)
        return ExitCode.UNEXPECTED
    click.echo(f"Last sign of life {age:.0f} s ago.", err=True)
    return ExitCode.OK if age < STALE_S else ExitCode.UNEXPECTED
