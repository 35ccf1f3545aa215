"""The command line `digitmill`: one file a command, loaded when it is called.

`digitmill NAME` calls `command` of worker/cli/NAME.py. A command returns its ExitCode (None is OK), raises
worker.errors for what a person can mend, and KeyboardInterrupt("how to go on") where there is more to say.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import Any

import click

from worker.cli.exit_codes import ExitCode, as_digitmill_error, exit_code_of

# In the order of a working day. The lines stand here so that `--help` imports no command.
COMMANDS = {
    "run": "Read scans here and now; no broker needed.",
    "submit": "Store a batch and ring the queue.",
    "worker": "Start a pool of queue workers.",
    "status": "Show how far batches are.",
    "wait": "Wait until a batch is done.",
    "resume": "Ring again for what is unfinished.",
    "results": "Write what was read: table, csv, json or jsonl.",
    "query": "Ask the database in SQL, read-only.",
    "overlay": "Draw boxes, digits and confidence on the scans.",
    "report": "Make an HTML page of a batch.",
    "bench": "Measure accuracy and speed on your own forms.",
    "model": "Look at model files.",
    "db": "Create, upgrade and check the database.",
    "doctor": "Check this machine, and say how to mend it.",
}

_log = logging.getLogger(__name__)


class DigitmillGroup(click.Group):
    """The commands above, each imported when it is called. Every error ends here, as a sentence and code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"worker.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            outcome = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has seen enough (`| head`); the interpreter must not complain of it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.OK
        return outcome

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and leave with its exit code."""
        extra["standalone_mode"] = False
        try:
            outcome = super().main(*args, **extra)
        except Exception as error:  # noqa: BLE001 (nothing may pass as a stack trace)
            sys.exit(_report(error))
        sys.exit(outcome if isinstance(outcome, int) else ExitCode.OK)


def _report(error: Exception) -> int:
    """Say on stderr what went wrong and return the exit code."""
    _log.debug("The command ended in an error", exc_info=error)  # seen with --debug
    if isinstance(error, click.Abort):  # click's word for Ctrl-C; its cause has our own
        how_to_go_on = str(error.__cause__ or "") or "The same command again goes on where it stopped."
        click.echo(f"\nInterrupted. {how_to_go_on}", err=True)
        return ExitCode.INTERRUPTED
    if (known := as_digitmill_error(error)) is not None:
        click.echo(str(known), err=True)
        return exit_code_of(known)
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    click.echo(
        f"Unexpected {type(error).__name__}: {error}\n"
        "This is a defect of Digitmill. To see where it comes from: digitmill --debug ...",
        err=True,
    )
    return ExitCode.UNEXPECTED


@click.group(cls=DigitmillGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--debug",
    is_flag=True,
    envvar="DIGITMILL_DEBUG",
    show_envvar=True,
    help="Show where errors come from.",
)
@click.version_option(package_name="digitmill")
def main(debug: bool) -> None:
    """Read handwritten digits off scanned forms into a database."""
    # Commands talk to people by themselves; the log is for those who look for a defect.
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.ERROR)
