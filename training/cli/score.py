"""`digitmill-train score`: how an exported model reads labelled digits."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from training.calibrate import calibrated, error_curve
from training.cli.options import load, path_type, read_data
from training.errors import DatasetUnreadable
from training.score import BATCH_SIZES, classify, digits_per_second, open_model, score


@click.command()
@click.argument("model", type=path_type)
@read_data
@click.option("--split", type=click.Choice(["validation", "test"]), default="validation", show_default=True)
def command(model: Path, data: Path | None, split: str) -> None:
    """Print how well and how fast an exported MODEL reads labelled digits, as JSON.

    The error-reject curve says of each confidence how many digits are at least so sure and how many of them
    are wrong, after the model's own calibration.
    """
    opened = open_model(model)
    dataset = load(data)
    digits = dataset.test if split == "test" else dataset.validation
    if not len(digits):
        raise DatasetUnreadable(f"the data holds no images to {split}; name other data or another --split")
    probabilities = classify(opened.session, digits.glyphs)
    result = score(probabilities, digits)
    speeds = {str(n): round(digits_per_second(opened.session, digits.glyphs, n)) for n in BATCH_SIZES}
    curve = error_curve(calibrated(probabilities, opened.card.calibration), digits.labels)
    click.echo(
        json.dumps(
            {
                "split": split,
                "accuracy": result.accuracy,
                "digits_per_second": speeds,
                "error_reject": asdict(curve),
                **asdict(result),
            }
        )
    )
