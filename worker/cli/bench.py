"""`digitmill bench`: accuracy and speed on the user's own forms."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from training.model_card import ErrorCurve
from worker.bench import Bench, bench
from worker.cli.exit_codes import ExitCode
from worker.cli.options import jobs_option, json_option, pass_settings, path_type
from worker.cli.output import console_for_data, opened
from worker.error_curve_picture import draw_error_curves
from worker.intake import find_scans
from worker.local_run import Progress
from worker.measures import wilson
from worker.reliability import (
    LEAST_IN_BIN,
    Bin,
    Outcome,
    expected_calibration_error,
    log_loss,
    reliability,
)
from worker.settings import Settings
from worker.truth import read_truth

SHOWN_THRESHOLDS = (0.0, 0.9, 0.99, 0.999, 0.9999)  # of the curve, in the table; all are in the JSON


@click.command()
@click.argument("scans", nargs=-1, required=True, type=path_type)
@click.option(
    "--truth", type=path_type, required=True, metavar="FILE", help="What stands on them: JSONL or CSV."
)
@click.option(
    "-o", "--output", type=path_type, metavar="DIR", help="Write bench.json and error-reject.svg there."
)
@jobs_option
@json_option
@pass_settings
def command(
    scans: tuple[Path, ...], truth: Path, output: Path | None, as_json: bool, settings: Settings
) -> ExitCode:
    """Read SCANS as run does, and say how well and how fast, by a file that says what truly stands on them.

    A line of the file for each page: {"file": "1.png", "page": 1, "fields": [{"name": "votes", "value":
    "_275", "box": [388, 232, 72, 28]}]}, or a CSV with the columns file, page, field, value and box. A value
    has one character a printed box: 0-9, _ blank, X struck out, ? not readable. The box, in pixels of the
    page, may be left out. Nothing is kept but what -o names.
    """
    pages = read_truth(truth)
    intake = find_scans(scans, settings.scan_roots)
    console = Console(stderr=True)
    columns = TextColumn("Reading pages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        shown = bar.add_task("", total=None)

        def show(now: Progress) -> None:
            bar.update(shown, completed=now.finished, total=now.known)

        found = bench(intake.scans, pages, settings, show)
    for page in found.without_scan:
        console.print(Text(f"{page}: in the truth, and not among the scans"), soft_wrap=True)
    for failure in found.failures:
        console.print(Text(str(failure), style="red"), soft_wrap=True)
    summary = json.dumps(_summary(found), indent=2)
    if output is not None:
        _write(output, summary, found)
    if as_json:
        click.echo(summary)
    else:
        for table in (_measures(found), _curve_table(found)):
            console_for_data().print(table)
    return ExitCode.PAGES_FAILED if found.failures else ExitCode.OK


def _write(folder: Path, summary: str, found: Bench) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with opened(folder / "bench.json") as file:
        file.write(summary + "\n")
    with opened(folder / "error-reject.svg") as file:
        file.write(draw_error_curves({"digits": found.digits, "fields": found.fields}))


def _summary(found: Bench) -> dict[str, Any]:
    counts, speed, bins = found.tally, found.speed, reliability(found.digits)
    return {
        "pages": counts.pages,
        "pages_failed": len(found.failures),
        "truth_without_scan": list(found.without_scan),
        "fields": counts.fields,
        "fields_found": counts.found,
        "fields_exact": counts.exact,
        "digits": counts.digits,
        "digit_errors": counts.digit_errors,
        "digit_error": _number(counts.digit_error),
        "spurious_fields": counts.spurious,
        "blank_cells": counts.blank_cells,
        "blanks_read_as_digits": counts.blanks_read,
        "digit_cells": counts.digit_cells,
        "digits_read_as_blank": counts.digits_overlooked,
        "accepted": len(found.accepted),
        "accepted_wrong": found.accepted.count(False),
        "error_reject": {"fields": _curve(found.fields), "digits": _curve(found.digits)},
        "calibration": {
            "digits": len(found.digits),
            "expected_error": _number(expected_calibration_error(bins)),
            "log_loss": _number(log_loss(found.digits)),
            "bins": [asdict(each) for each in bins],
        },
        "seconds": round(speed.seconds, 3),
        "processes": speed.processes,
        "pages_per_second": round(speed.pages_per_second, 3),
        "pages_per_second_and_core": round(speed.pages_per_second_and_core, 3),
        "peak_bytes": speed.peak_bytes,
    }


def _curve(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"of": len(outcomes), **asdict(ErrorCurve.count(outcomes))}


def _number(value: float) -> float | None:
    """JSON has no nan."""
    return None if math.isnan(value) else round(value, 6)


def _measures(found: Bench) -> Table:
    counts, speed, accepted = found.tally, found.speed, found.accepted
    bins = reliability(found.digits)
    table = Table("measure", "", "95 %", box=None, header_style="bold", pad_edge=False)
    rows = (
        ("pages", str(counts.pages), ""),
        ("fields found", *_share(counts.found, counts.fields)),
        ("fields exact", *_share(counts.exact, counts.fields)),
        ("digits wrong", *_share(min(counts.digit_errors, counts.digits), counts.digits)),
        ("fields where none is", str(counts.spurious), ""),
        ("blank boxes read as a digit", *_share(counts.blanks_read, counts.blank_cells)),
        ("digits read as blank", *_share(counts.digits_overlooked, counts.digit_cells)),
        ("accepted fields wrong", *_share(accepted.count(False), len(accepted))),
        ("calibration error of digits", f"{expected_calibration_error(bins):.2%}" if bins else "none", ""),
        ("largest gap in a bin", _largest_gap(bins), ""),
        ("log-loss of digits", f"{log_loss(found.digits):.4f}" if bins else "none", ""),
        ("pages a second", f"{speed.pages_per_second:.2f}, {speed.processes} processes", ""),
        ("pages a second and core", f"{speed.pages_per_second_and_core:.2f}", ""),
        ("peak memory of a process", f"{speed.peak_bytes / 2**20:.0f} MiB", ""),
    )
    for row in rows:
        table.add_row(*row)
    return table


def _largest_gap(bins: Sequence[Bin]) -> str:
    gaps = [each.gap for each in bins if each.count >= LEAST_IN_BIN]
    return f"{max(gaps):.2%}" if gaps else f"no bin of {LEAST_IN_BIN}"


def _curve_table(found: Bench) -> Table:
    """The error-reject curve: whoever accepts from this confidence on leaves so many to a person."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("accepted from", justify="right")
    for what in ("fields", "digits"):
        for heading in (f"{what} left", f"{what} wrong", "95 %"):
            table.add_column(heading, justify="right")
    curves = [(len(outcomes), ErrorCurve.count(outcomes)) for outcomes in (found.fields, found.digits)]
    for place, threshold in enumerate(curves[0][1].thresholds):
        if threshold in SHOWN_THRESHOLDS:
            cells = [f"{threshold:g}"]
            for total, curve in curves:
                accepted, wrong = curve.accepted[place], curve.wrong[place]
                cells += [f"{(total - accepted) / total:.1%}" if total else "", *_share(wrong, accepted)]
            table.add_row(*cells)
    return table


def _share(part: int, whole: int) -> tuple[str, str]:
    if not whole:
        return "none", ""
    interval = wilson(part, whole)
    return f"{part} of {whole}, {part / whole:.2%}", f"{interval.low:.2%} to {interval.high:.2%}"
