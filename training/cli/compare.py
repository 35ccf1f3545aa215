"""`digitmill-train compare`: all models side by side, the winner exported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.cli.options import load, path_type, read_data, read_weights, weights_in
from training.cli.talk import progress, talk

if TYPE_CHECKING:
    from training.model_card import ModelCard


@click.command()
@read_data
@read_weights
@click.option(
    "--shared",
    type=path_type,
    help="Folder with digits/ (optdigits, semeion) and forms/ (real scans): they are measured on too.",
)
@click.option("--out", type=path_type, required=True, help="Folder for runs, scorecards and the winner.")
@click.option("--trained-only", is_flag=True, help="Train nothing: compare those runs that --out holds.")
def command(
    *, data: Path | None, weights: Path | None, shared: Path | None, out: Path, trained_only: bool
) -> None:
    """Train all models, choose the winner on drawn pages, test all of them once, export the winner.

    Takes about eight hours on two cores that are quick at bfloat16, many more on others. Killed and started
    again with the same --out, it goes on after the last finished epoch.
    """
    dataset = load(data)
    from training.calibrate import certain_card
    from training.calibration_pages import calibration_pages
    from training.compare import compare
    from training.experiments import ABLATION, RECIPES
    from training.kept import PAPER
    from training.trials import load_trials

    def certify(card: ModelCard, model: bytes) -> ModelCard:
        return certain_card(card, model, calibration_pages(dataset.validation, out / PAPER))

    with progress() as watch:
        gallery = compare(
            dataset,
            out,
            RECIPES,
            ABLATION,
            trials=load_trials(shared, dataset.validation, out / PAPER),
            certify=certify,
            weights=weights_in(weights),
            watch=watch,
            trained_only=trained_only,
        )
    talk.print(f"the winner is {gallery.run}: {out / 'digits.onnx'}; scorecards in {out / 'scorecards'}")
