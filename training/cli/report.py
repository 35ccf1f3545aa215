"""`digitmill-train report`: the model card as a page."""

from __future__ import annotations

from pathlib import Path

import click

from training.cli.options import path_type
from training.cli.talk import talk


@click.command()
@click.option("--scorecards", type=path_type, default=Path("training/scorecards"), show_default=True)
@click.option("-o", "--output", type=path_type, default=Path("docs/model-card.md"), show_default=True)
def command(scorecards: Path, output: Path) -> None:
    """Write the model card: tables, curves, confusion matrix, sample predictions, worst mistakes."""
    from training.report import write_model_card

    write_model_card(scorecards, output)
    talk.print(f"{output} and its pictures in {output.with_suffix('')}")
