"""`digitmill query`: SQL for analysts, read-only."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from worker.cli.options import database_option
from worker.cli.output import format_option, opened, output_option, write_rows
from worker.database.engine import open_database
from worker.database.read_only import ask
from worker.settings import Settings


@click.command()
@click.argument("sql")
@format_option
@output_option
@database_option
def command(sql: str, form: str, output: Path | None, settings: Settings) -> None:
    """Ask the database one question in SQL. It cannot change anything.

    The views v_fields (one row a field) and v_digits (one row a printed box) hold what was read.
    """
    with (
        closing(open_database(settings.database_url, must_exist=True)) as db,
        ask(db, sql) as answer,
        opened(output) as out,
    ):
        write_rows(answer.columns, answer.rows, form, out)
