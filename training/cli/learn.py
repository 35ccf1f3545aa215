"""`digitmill-train learn`: runs of the comparison trained apart from it, on a machine with a GPU say."""

from __future__ import annotations

from pathlib import Path

import click

from training.cli.options import load, path_type, read_data, read_weights, weights_in
from training.cli.talk import progress


@click.command()
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@read_data
@read_weights
@click.option("--out", type=path_type, required=True, help="Folder for runs, as compare has it.")
def command(*, names: tuple[str, ...], data: Path | None, weights: Path | None, out: Path) -> None:
    """Train runs of the comparison, such as residual-distorted-digits-pens-marks-seed0, and export nothing.

    Any backend of Keras will do (KERAS_BACKEND=jax on a GPU). The run that a run begins with must be in
    --out and at its end. A stopped run goes on. Then compare with the same --out takes the runs as
    trained: it measures, chooses and exports.
    """
    from training.experiments import RECIPES

    known = {recipe.name: recipe for recipe in RECIPES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no run is called {', '.join(unknown)}; there are {', '.join(known)}")
    dataset = load(data)
    from training.runs import learn

    with progress() as watch:
        for name in names:
            learn(known[name], dataset, out, folder=out / name, weights=weights_in(weights), watch=watch)
