"""`digitmill-train calibrate`: a finished model learns how sure it may be."""

from __future__ import annotations

from pathlib import Path

import click

from training.calibrate import certain_card
from training.cli.options import load, path_type, read_data, write_model
from training.cli.talk import talk
from training.score import open_model


@click.command()
@click.argument("model", type=path_type)
@read_data
@write_model
def command(model: Path, data: Path | None, output: Path) -> None:
    """Fit the probabilities of a finished MODEL to drawn pages; write it with the numbers in its card.

    Drawing the pages takes minutes; they are kept in a folder `pages` beside the output.
    """
    opened = open_model(model)
    dataset = load(data)
    import onnx

    from training import export
    from training.calibration_pages import calibration_pages

    pages = calibration_pages(dataset.validation, output.parent / "pages")
    card = certain_card(opened.card, opened.content, pages)
    export.save(onnx.load_from_string(opened.content), card, output)
    talk.print(f"{output}: calibrated on {card.calibration.cells if card.calibration else 0}")
