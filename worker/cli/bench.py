"""`digitmill bench`: accuracy and speed on the user's own forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from worker.bench import bench
from worker.bench_report import (
    CURVE_HEADINGS,
    FIELD_HEADINGS,
    Row,
    cause_rows,
    curve_rows,
    draw_curves,
    field_rows,
    measure_rows,
    render_bench,
    summary,
)
from worker.cli.exit_codes import ExitCode
from worker.cli.options import jobs_option, json_option, pass_settings, path_type
from worker.cli.output import console_for_data, opened
from worker.gates import AT_LEAST, AT_MOST, Gate, parse_gates
from worker.intake import find_scans
from worker.local_run import Progress
from worker.settings import Settings
from worker.truth import read_truth

Gates = tuple[Gate, ...]


def _gates(measures: Sequence[str]) -> Callable[[click.Context, click.Parameter, str | None], Gates]:
    def gates(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Gates:
        try:
            return () if text is None else parse_gates(text, measures)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return gates


@click.command()
@click.argument("scans", nargs=-1, required=True, type=path_type)
@click.option(
    "--truth", type=path_type, required=True, metavar="FILE", help="What stands on them: JSONL or CSV."
)
@click.option(
    "-o",
    "--output",
    type=path_type,
    metavar="DIR",
    help="Write bench.json, bench.html and error-reject.svg there.",
)
@click.option(
    "--html", type=path_type, metavar="FILE", help="Write all of it as one HTML page, with the wrong fields."
)
@click.option(
    "--crops",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="How many wrong fields the page shows.",
)
@click.option(
    "--at-least",
    callback=_gates(AT_LEAST),
    metavar="MEASURE=LIMIT,...",
    help=f"Exit 10 unless they come to it, such as exact=95%: {', '.join(AT_LEAST)}.",
)
@click.option(
    "--at-most",
    callback=_gates(AT_MOST),
    metavar="MEASURE=LIMIT,...",
    help=f"Exit 10 if they come to more, such as digit_error=1%: {', '.join(AT_MOST)}.",
)
@jobs_option
@json_option
@pass_settings
def command(
    *,
    scans: tuple[Path, ...],
    truth: Path,
    output: Path | None,
    html: Path | None,
    crops: int,
    at_least: Gates,
    at_most: Gates,
    as_json: bool,
    settings: Settings,
) -> ExitCode:
    """Read SCANS as run does, and say how well and how fast, by a file that says what truly stands on them.

    A line of the file for each page: {"file": "1.png", "page": 1, "fields": [{"name": "votes", "value":
    "_275", "box": [388, 232, 72, 28]}]}, or a CSV with the columns file, page, field, value and box. A value
    has one character a printed box: 0-9, _ blank, X struck out, ? not readable. The box, in pixels of the
    page, may be left out. Nothing is kept but what -o and --html name; their page holds parts of the scans.
    """
    gates = (*at_least, *at_most)
    pages = read_truth(truth)
    intake = find_scans(scans, settings.scan_roots)
    console = Console(stderr=True)
    columns = TextColumn("Reading pages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        shown = bar.add_task("", total=None)

        def show(now: Progress) -> None:
            bar.update(shown, completed=now.finished, total=now.known)

        found = bench(intake.scans, pages, settings, show, crops=crops if output or html else 0)
    for page in found.without_scan:
        console.print(Text(f"{page}: in the truth, and not among the scans"), soft_wrap=True)
    for failure in found.failures:
        console.print(Text(str(failure), style="red"), soft_wrap=True)
    as_text = json.dumps(summary(found, gates), indent=2)
    files = {html: render_bench(found, gates, made_at=datetime.now(UTC))} if html else {}
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        files[output / "bench.json"] = as_text + "\n"
        files[output / "bench.html"] = render_bench(found, gates, made_at=datetime.now(UTC))
        files[output / "error-reject.svg"] = draw_curves(found)
    for path, content in files.items():
        with opened(path) as file:
            file.write(content)
    if as_json:
        click.echo(as_text)
    else:
        _print(("measure", "", "95 %"), measure_rows(found))
        _print(("not read exactly because", "fields"), cause_rows(found))
        _print(FIELD_HEADINGS, field_rows(found))
        _print(CURVE_HEADINGS, curve_rows(found))
    missed = [gate for gate in gates if not gate.holds(found.gated)]
    for gate in missed:
        value = found.gated[gate.measure]
        console.print(Text(f"gate missed: {gate}, and it is {value:.6g}", style="red"), soft_wrap=True)
    if missed:
        return ExitCode.GATE_MISSED
    return ExitCode.PAGES_FAILED if found.failures else ExitCode.OK


def _print(headings: Sequence[str], rows: Iterable[Row]) -> None:
    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console = console_for_data()
    console.print(table)
    console.print()
