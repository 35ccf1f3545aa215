"""`digitmill-train export`: the model of a finished run as a file to ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from training.cli.options import load, path_type, read_data, read_weights, weights_in, write_model
from training.cli.talk import progress, talk


@click.command()
@click.argument("run", type=path_type)
@read_data
@read_weights
@write_model
def command(run: Path, data: Path | None, weights: Path | None, output: Path) -> None:
    """Export the model of the folder RUN, finished by fit or compare, as a file to ship.

    In 8 bits where that reads the validation digits as well, else in float32; calibrated on drawn pages (they
    take minutes, and are kept in a folder `paper` beside RUN); with the card of RUN's scorecard.
    """
    from training import export
    from training.calibrate import certain_card
    from training.calibration_pages import calibration_pages
    from training.compare import exported_model, model_card
    from training.fit import fit
    from training.kept import PAPER
    from training.scorecard import Scorecard

    scorecard = Scorecard.read(run / "scorecard.json")
    dataset = load(data)
    cache = run.resolve().parent  # where compare and fit keep what was drawn for RUN
    with progress() as watch:
        trained = fit(scorecard.recipe, dataset, run, cache=cache, weights=weights_in(weights), watch=watch)
    exported = exported_model(trained, dataset.validation)
    pages = calibration_pages(dataset.validation, cache / PAPER)
    card = model_card(replace(scorecard, validation=exported.validation))
    export.save(exported.graph, certain_card(card, exported.graph.SerializeToString(), pages), output)
    talk.print(f"{output}: {output.stat().st_size:,} bytes {exported.why_float}".strip(), soft_wrap=True)
