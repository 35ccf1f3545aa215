"""Write docs/commands.md and docs/settings.md from the commands and settings themselves.

`make reference` runs it. With --check it writes nothing and exits 1 where a file is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from training.cli import cli as digitmill_train
from worker.cli import main as digitmill
from worker.cli.exit_codes import ExitCode
from worker.settings import PREFIX, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"

EXIT_CODES = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "unexpected; `digitmill --debug ...` shows where it comes from",
    ExitCode.USAGE: "the command line, or a query, is not understood",
    ExitCode.PAGES_FAILED: "finished, but some pages failed",
    ExitCode.REVIEW_WAITING: "fields wait for review (only with `--fail-on-review`)",
    ExitCode.PATH_UNREADABLE: "a path or file cannot be read or written",
    ExitCode.UNREACHABLE: "the broker or the database does not answer",
    ExitCode.NO_INPUT: "no usable input: nothing to read, or no such batch",
    ExitCode.BAD_SETTINGS: "a setting, template or model cannot be used, or a system library is missing",
    ExitCode.GATE_MISSED: "an accuracy gate is not met",
    ExitCode.INTERRUPTED: "interrupted",
}

MADE = "<!-- Made by `make reference`; changes belong into the code. -->"


def main() -> None:
    pages = {"commands.md": commands_page(), "settings.md": settings_page()}
    stale = [name for name, page in pages.items() if read(DOCS / name) != page]
    if "--check" in sys.argv[1:]:
        sys.exit(f"Not current: {', '.join(stale)}. Run: make reference" if stale else 0)
    for name in stale:
        (DOCS / name).write_text(pages[name], "utf-8")


def read(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def commands_page() -> str:
    parts = [
        "# Commands",
        MADE,
        "`stdout` carries data, `stderr` talk. Every command says what it can do with `--help`.",
    ]
    for name, group in (("digitmill", digitmill), ("digitmill-train", digitmill_train)):
        parts += describe(group, name, None)
    parts += [
        "## Exit codes of `digitmill`",
        table(("code", "means"), ((str(int(c)), m) for c, m in EXIT_CODES.items())),
    ]
    return "\n\n".join(parts) + "\n"


def describe(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    """Yield the parts of the page that describe a command and those below it."""
    context = click.Context(command, info_name=name, parent=parent)
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    usage = " ".join([context.command_path, *(argument.make_metavar(context) for argument in arguments)])
    yield f"## `{usage}`"
    yield cleandoc(command.help or "").replace("\b\n", "")
    records = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    options = [record for record in records if record is not None]
    if options:
        yield table(("option", ""), ((f"`{flags}`", says) for flags, says in options))
    if isinstance(command, click.Group):
        for subcommand in command.list_commands(context):
            found = command.get_command(context, subcommand)
            if found is not None:
                yield from describe(found, subcommand, context)


def settings_page() -> str:
    rows = (
        (
            f"`{PREFIX}{name.upper()}`",
            default(field.get_default(call_default_factory=True)),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    )
    return (
        "\n\n".join(
            (
                "# Settings",
                MADE,
                "Digitmill reads its settings from the environment; an option of a command wins over it. "
                "`digitmill doctor` says what does not work.",
                table(("variable", "default", ""), rows),
            )
        )
        + "\n"
    )


def default(value: object) -> str:
    return "unset" if value is None else f"`{value}`"


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [
        head,
        tuple("---" for _ in head),
        *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
