"""`digitmill doctor`: is everything here that reading needs?"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.cli.exit_codes import ExitCode, as_digitmill_error, exit_code_of
from worker.cli.options import database_option, json_option
from worker.errors import BadSettings, PathUnreadable, ServiceUnreachable
from worker.settings import Settings

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"  # missing, but only some need it
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    verdict: Verdict
    says: str  # of a problem: what is wrong and what mends it
    exit_code: ExitCode = ExitCode.OK


@click.command()
@json_option
@database_option
def command(as_json: bool, settings: Settings) -> ExitCode:
    """Check Python, libraries, model, database, scan roots and broker, and say how to mend what is wrong."""
    findings = list(_examine(settings))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    return next((finding.exit_code for finding in findings if finding.exit_code), ExitCode.OK)


def _examine(settings: Settings) -> Iterator[Finding]:
    checks: dict[str, Callable[[Settings], str]] = {
        "Python": _check_python,
        "OpenCV": _check_opencv,
        "model": _check_model,
        "database": _check_database,
        "scan roots": _check_scan_roots,
        "broker": _check_broker,
    }
    for subject, check in checks.items():
        try:
            yield Finding(subject, Verdict.OK, check(settings))
        except Exception as error:
            known = as_digitmill_error(error)
            if known is None:
                raise
            if isinstance(known, ServiceUnreachable) and _is_spare(subject, settings):
                yield Finding(subject, Verdict.NOTE, f"{known} Only submit and worker need it; run does not.")
            else:
                yield Finding(subject, Verdict.PROBLEM, str(known), exit_code_of(known))


def _is_spare(subject: str, settings: Settings) -> bool:
    """Whether nobody has said that this service is meant to be there."""
    return subject == "broker" and "broker_url" not in settings.model_fields_set


def _check_python(settings: Settings) -> str:
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        raise BadSettings(f"Python {platform.python_version()}: Digitmill needs 3.11, 3.12 or 3.13")
    return f"{platform.python_version()}, {settings.processes} processes read pages"


def _check_opencv(_settings: Settings) -> str:
    import cv2

    return str(cv2.__version__)


def _check_model(settings: Settings) -> str:
    from worker.recogniser import Recogniser

    recogniser = Recogniser.load(settings.model)
    return f"{recogniser.card.architecture}, reads glyphs of the recipe {recogniser.card.glyph_recipe}"


def _check_database(settings: Settings) -> str:
    from worker.database.engine import check, parse_url

    url = parse_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        for path in (file.parent, file):  # SQLite writes its journal beside the file
            if path.exists() and not os.access(path, os.W_OK):
                raise PathUnreadable(f"{path.absolute()}: cannot be written; name another database with --db")
        if file.parent.is_dir() and not file.exists():
            return f"{file} is not there yet; digitmill run makes it"
    return f"schema {check(settings.database_url)}"


def _check_scan_roots(settings: Settings) -> str:
    for name, folder in settings.scan_roots.items():
        if not os.access(folder, os.R_OK | os.X_OK):
            raise PathUnreadable(f"{name}: {folder} is not there or cannot be read; see DIGITMILL_SCAN_ROOTS")
    return ", ".join(f"{name}: {folder}" for name, folder in settings.scan_roots.items()) or "none named"


def _check_broker(settings: Settings) -> str:
    from worker.celery_app import check_broker

    check_broker(settings.broker_url)
    return "answers"


def _print(findings: list[Finding]) -> None:
    styles = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.PROBLEM: "bold red"}
    table = Table(box=None, show_header=False)
    for finding in findings:
        table.add_row(
            finding.subject, Text(finding.verdict, style=styles[finding.verdict]), Text(finding.says)
        )
    Console().print(table)
