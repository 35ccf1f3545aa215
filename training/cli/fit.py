"""`digitmill-train fit`: one model, on MNIST or on a user's own digits."""

from __future__ import annotations

from pathlib import Path

import click

from training.cli.options import load, path_type, read_weights, weights_in
from training.cli.own import OwnFit, fit_own
from training.cli.talk import progress, talk
from training.distortions import Distortion
from training.own_digits import is_own_digits
from training.recipe import Recipe


@click.command()
@click.option("--architecture", help="A file of training/architectures, such as deep, to train from nothing.")
@click.option("--seed", default=0, show_default=True)
@click.option("--epochs", default=10, show_default=True)
@click.option("--distorted", is_flag=True, help="Turn, slant, scale and shift each of MNIST's digits.")
@click.option(
    "--data",
    type=path_type,
    help="Own digits: a folder with a folder for each label, or a CSV of image files and labels. Or MNIST, "
    "as compare takes it.",
)
@read_weights
@click.option(
    "--mnist", type=path_type, help="Own digits: MNIST, to rehearse what is known. Default: Keras' copy."
)
@click.option("--replace", type=path_type, help="Own digits: the model to replace. Default: OUT/model.onnx.")
@click.option("--even-if-worse", is_flag=True, help="Own digits: replace the model whatever the tests say.")
@click.option(
    "--out",
    type=path_type,
    required=True,
    help="Folder of this run; a stopped run in it goes on. MobileNet's frozen features are kept beside it.",
)
def command(
    *,
    architecture: str | None,
    seed: int,
    epochs: int,
    distorted: bool,
    data: Path | None,
    weights: Path | None,
    mnist: Path | None,
    replace: Path | None,
    even_if_worse: bool,
    out: Path,
) -> None:
    """Train one model and export it to OUT/model.onnx.

    On MNIST it leaves its scorecard there, and a model that is not calibrated; export makes one to ship. On
    digits of your own it starts from the shipped model, and replaces a model only where it reads images
    better that are set aside for good, and old tests no worse; else it ends with exit code 10. What the model
    has learnt already is not learnt again.
    """
    if data and is_own_digits(data):
        wish = OwnFit(
            data, out, replace or out / "model.onnx", architecture, seed, epochs, mnist, even_if_worse
        )
        fit_own(wish)
        return
    if architecture is None:
        raise click.UsageError("--architecture is needed, except for own digits (a folder for each label)")
    dataset = load(data)
    from training.compare import train_and_export

    distortion = Distortion() if distorted else None
    falling = epochs > 1  # else what normalises batches ends on whatever the last few were like
    recipe = Recipe(architecture, seed, epochs, distortion=distortion, falling=falling)
    with progress() as watch:
        card = train_and_export(
            recipe, dataset, out, cache=out.resolve().parent, weights=weights_in(weights), watch=watch
        )
    talk.print(f"{card.validation.accuracy:.2%} of the validation digits right: {out / 'model.onnx'}")
