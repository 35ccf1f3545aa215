"""How commands write rows: to stdout or a file, as a table, CSV, JSON or JSON lines, as the rows come."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from worker.cli.options import path_type
from worker.errors import PathUnreadable, QueryRefused

FORMATS = ("table", "csv", "json", "jsonl")
TABLE_ROWS = 500  # laid out at a time, so that a long table need not fit into memory
WIDE = 200  # characters where the output is no terminal, so that nothing is cut off

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to write the rows.",
)

output_option = click.option(
    "-o", "--output", type=path_type, metavar="FILE", help="Write to a file, not to stdout."
)


def console_for_data(output: TextIO | None = None) -> Console:
    """Return a console on stdout or `output`, wide where nobody looks at it."""
    console = Console(file=output)
    if not console.is_terminal:
        console.width = WIDE
    return console


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str, output: TextIO) -> None:
    """Write rows in one of FORMATS. Lists stay lists in JSON; elsewhere their items are joined by |.

    Raises QueryRefused for JSON with two columns of one name: a record holds only one of them.
    """
    match form:
        case "csv":
            writer = csv.writer(output, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_as_text(value) for value in row] for row in rows)
        case "json" | "jsonl":
            if len(set(columns)) < len(columns):
                twice = next(column for column, times in Counter(columns).items() if times > 1)
                raise QueryRefused(f"two columns are called {twice}, and JSON holds one; rename one with AS")
            write_json((dict(zip(columns, row, strict=True)) for row in rows), form, output)
        case _:
            _write_table(columns, rows, output)


def write_json(records: Iterable[Mapping[str, Any]], form: str, output: TextIO) -> None:
    """Write records as one JSON array with a record a line ("json"), or as JSON lines ("jsonl")."""
    if form == "jsonl":
        for record in records:
            output.write(_as_json(record) + "\n")
        return
    separator = "[\n"
    for record in records:
        output.write(separator + _as_json(record))
        separator = ",\n"
    output.write("[]\n" if separator == "[\n" else "\n]\n")


@contextmanager
def opened(file: Path | None) -> Iterator[TextIO]:
    """Give stdout, or a file that appears whole as the block ends, and not at all where the block fails.

    Raises PathUnreadable where the file cannot be written.
    """
    if file is None:
        yield sys.stdout
        return
    try:
        if file.exists() and not file.is_file():  # a pipe or device: nothing that could be renamed over
            with file.open("w", encoding="utf-8", newline="") as output:
                yield output
            return
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with unfinished.open("x", encoding="utf-8", newline="") as output:
                yield output
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise PathUnreadable(f"cannot write {file}: {error.strerror}") from error


def _write_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], output: TextIO) -> None:
    console = console_for_data(output)
    remaining = iter(rows)
    part = list(islice(remaining, TABLE_ROWS))
    while True:
        table = Table(*map(escape, columns), box=None, header_style="bold", pad_edge=False)
        for row in part:
            table.add_row(*(_printable(value) for value in row))
        with console.capture() as laid_out:  # rich would end the program where a reader has gone
            console.print(table)
        output.write(laid_out.get())
        part = list(islice(remaining, TABLE_ROWS))
        if not part:
            return


def _as_json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, default=_plain)


def _as_text(value: Any) -> Any:
    """Return a value as CSV holds it: lists joined, times as ISO 8601, bytes as hex; others as they are."""
    match value:
        case list() | tuple():
            return "|".join("" if item is None else str(item) for item in value)
        case dict():
            return _as_json(value)
        case _:
            return _plain(value)


def _plain(value: Any) -> Any:
    """Return what a database gives as what JSON can hold: PostgreSQL has numbers and times of its own."""
    match value:
        case None | str() | int() | float():
            return value
        case Decimal() if value.is_finite() and value == int(value):  # PostgreSQL's sum of integers
            return int(value)
        case Decimal():
            return float(value)
        case date() | time():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            return str(value)


def _printable(value: Any) -> str:
    return "" if value is None else escape(str(_as_text(value)))
