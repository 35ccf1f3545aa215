"""`digitmill model`: what a model file says of itself, and whether this version may read with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from worker.cli.options import json_option, path_type
from worker.recogniser import Recogniser


@click.group()
def command() -> None:
    """Look at model files."""


@command.command()
@click.argument("file", type=path_type, required=False)
@json_option
def show(file: Path | None, as_json: bool) -> None:
    """Print the card of a model FILE, by default of the model that ships with Digitmill."""
    recogniser = Recogniser.load(file)
    card = {"sha256": recogniser.sha256, "bytes": recogniser.size, **asdict(recogniser.card)}
    if as_json:
        click.echo(json.dumps(card, indent=1))
        return
    width = max(map(len, card))
    for name, value in card.items():
        click.echo(f"{name:<{width}}  {_in_words(value)}")


@command.command()
@click.argument("file", type=path_type)
def check(file: Path) -> None:
    """Say whether this version can read with a model FILE; where it cannot, why, with exit code 9."""
    recogniser = Recogniser.load(file)
    click.echo(f"{file}: fit to read with, {len(recogniser.card.classes)} classes, {recogniser.sha256}")


def _in_words(value: object) -> str:
    match value:
        case {"thresholds": _, "accepted": (measured, *_), "wrong": (wrong, *_)}:
            return f"{wrong:,} of {measured:,} wrong, fewer by confidence (--json has the curve)"
        case dict():
            return ", ".join(f"{name} {_in_words(entry)}" for name, entry in value.items())
        case tuple():
            return " ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in value)
        case None:
            return "-"
        case float():
            return f"{value:.2%}"
        case _:
            return str(value)
