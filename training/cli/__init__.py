"""`digitmill-train`: makes the model file. Needs TensorFlow, which the worker does without."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.calibrate import calibrated, error_curve
from training.cli_own import OwnFit, fit_own
from training.dataset import Dataset, check, load_dataset
from training.distortions import Distortion
from training.errors import (
    DatasetUnreadable,
    ExportRefused,
    GateMissed,
    ModelUnreadable,
    RunMismatch,
    TrainingError,
    WeightsUnreadable,
)
from training.model_card import ModelCard
from training.own_digits import is_own_digits
from training.recipe import Recipe
from training.score import BATCH_SIZES, classify, digits_per_second, open_session
from training.score import score as score_of

if TYPE_CHECKING:
    from training.mixture import Watch
    from training.model_card import ModelCard

talk = Console(stderr=True)
TRAINING_EXTRA = ("tensorflow", "keras", "h5py", "tf2onnx", "onnx", "matplotlib")
EXIT_CODES = {
    WeightsUnreadable: 5,
    RunMismatch: 5,
    DatasetUnreadable: 8,
    ExportRefused: 9,
    GateMissed: 10,
    ModelUnreadable: 9,
}

path_type = click.Path(readable=False, path_type=Path)  # whoever opens it says what cannot be read
read_data = click.option(
    "--data",
    type=path_type,
    help="mnist.npz, Kaggle's train.csv, IDX files, or a folder of them. Without it: Keras' copy.",
)
read_weights = click.option(
    "--mobilenet-weights",
    "weights",
    type=path_type,
    help="MobileNet's ImageNet weights, a file or its folder. Without it: Keras downloads them.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train, compare, score and export the networks that read the digits."""


@cli.command()
@read_data
@read_weights
@click.option(
    "--shared",
    type=path_type,
    help="Folder with digits/ (optdigits, semeion) and forms/ (real scans): they are measured on too.",
)
@click.option("--out", type=path_type, required=True, help="Folder for runs, scorecards and the winner.")
def compare(data: Path | None, weights: Path | None, shared: Path | None, out: Path) -> None:
    """Train all models, choose the winner on drawn pages, test all of them once, export the winner.

    Takes about two hours on two cores. Killed and started again with the same --out, it goes on after the
    last finished epoch.
    """
    dataset = _load(data)
    from training.calibrate import certain_card
    from training.calibration_pages import calibration_pages
    from training.compare import compare as compare_all
    from training.experiments import ABLATION, RECIPES
    from training.trials import load_trials

    def certify(card: ModelCard, model: bytes) -> ModelCard:
        return certain_card(card, model, calibration_pages(dataset.validation, out / "paper"))

    with _progress() as watch:
        gallery = compare_all(
            dataset,
            out,
            RECIPES,
            ABLATION,
            trials=load_trials(shared, dataset.validation, out / "paper"),
            certify=certify,
            weights=_weights_in(weights),
            watch=watch,
        )
    talk.print(f"the winner is {gallery.run}: {out / 'digits.onnx'}; scorecards in {out / 'scorecards'}")


@cli.command()
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
@click.option("--out", type=path_type, required=True, help="Folder of this run; a stopped run in it goes on.")
def fit(
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

    On MNIST it leaves its scorecard there. On digits of your own it starts from the shipped model, and
    replaces a model only where it reads images better that are set aside for good, and old tests no worse;
    else it ends with exit code 10.
    """
    if data and is_own_digits(data):
        wish = OwnFit(
            data, out, replace or out / "model.onnx", architecture, seed, epochs, mnist, even_if_worse
        )
        fit_own(wish, talk, _progress)
        return
    if architecture is None:
        raise click.UsageError("--architecture is needed, except for own digits (a folder for each label)")
    dataset = _load(data)
    from training.compare import train_and_export

    recipe = Recipe(architecture, seed, epochs, distortion=Distortion() if distorted else None)
    with _progress() as watch:
        card = train_and_export(recipe, dataset, out, _weights_in(weights), watch)
    talk.print(f"{card.validation.accuracy:.2%} of the validation digits right: {out / 'model.onnx'}")


@cli.command()
@click.argument("model", type=path_type)
@read_data
@click.option("--split", type=click.Choice(["validation", "test"]), default="validation", show_default=True)
def score(model: Path, data: Path | None, split: str) -> None:
    """Print how well and how fast an exported MODEL reads labelled digits, as JSON.

    The error-reject curve says of each confidence how many digits are at least so sure and how many of them
    are wrong, after the model's own calibration.
    """
    content = model.read_bytes()
    dataset = _load(data)
    digits = dataset.test if split == "test" else dataset.validation
    if not len(digits):
        raise DatasetUnreadable(f"the data holds no images to {split}; name other data or another --split")
    with _model_that_reads(model):
        session = open_session(content)
        card = ModelCard.from_metadata(session.get_modelmeta().custom_metadata_map)
        probabilities = classify(session, digits.glyphs)
    result = score_of(probabilities, digits)
    speeds = {str(n): round(digits_per_second(session, digits.glyphs, n)) for n in BATCH_SIZES}
    curve = error_curve(calibrated(probabilities, card.calibration), digits.labels)
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


@cli.command()
@click.argument("run", type=path_type)
@read_data
@read_weights
@click.option("-o", "--output", type=path_type, required=True, help="The .onnx file to write.")
def export(run: Path, data: Path | None, weights: Path | None, output: Path) -> None:
    """Export the finished model of the folder RUN again, with the card of its scorecard."""
    from training import export as onnx_export
    from training.compare import model_card
    from training.fit import fit as fit_model
    from training.scorecard import Scorecard

    card = Scorecard.read(run / "scorecard.json")
    dataset = _load(data)
    trained = fit_model(card.recipe, dataset, run, weights=_weights_in(weights))
    onnx_export.save(onnx_export.convert(trained.model, dataset.validation.glyphs), model_card(card), output)
    talk.print(f"{output}: {output.stat().st_size:,} bytes")


@cli.command()
@click.argument("model", type=path_type)
@read_data
@click.option("-o", "--output", type=path_type, required=True, help="The .onnx file to write.")
def calibrate(model: Path, data: Path | None, output: Path) -> None:
    """Fit the probabilities of a finished MODEL to drawn pages; write it with the numbers in its card.

    Drawing the pages takes minutes; they are kept in a folder `pages` beside the output.
    """
    content = model.read_bytes()
    dataset = _load(data)
    import onnx

    from training import export as onnx_export
    from training.calibrate import certain_card
    from training.calibration_pages import calibration_pages

    with _model_that_reads(model):
        card = ModelCard.from_metadata(open_session(content).get_modelmeta().custom_metadata_map)
    pages = calibration_pages(dataset.validation, output.parent / "pages")
    card = certain_card(card, content, pages)
    onnx_export.save(onnx.load_from_string(content), card, output)
    talk.print(f"{output}: calibrated on {card.calibration.cells if card.calibration else 0}")


@cli.command()
@click.option("--scorecards", type=path_type, default=Path("training/scorecards"), show_default=True)
@click.option("-o", "--output", type=path_type, default=Path("docs/model-card.md"), show_default=True)
def report(scorecards: Path, output: Path) -> None:
    """Write the model card: tables, curves, confusion matrix, sample predictions, worst mistakes."""
    from training.report import write_model_card

    write_model_card(scorecards, output)
    talk.print(f"{output} and its pictures in {output.with_suffix('')}")


def main() -> None:
    """Run the command line; errors become exit codes here only."""
    try:
        cli(standalone_mode=False)
    except click.Abort:
        talk.print("Interrupted. The same command again goes on after the last finished epoch.")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TrainingError as error:
        talk.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(EXIT_CODES.get(type(error), 1))
    except OSError as error:
        talk.print(f"[red]{error.filename}: {error.strerror}[/red]", soft_wrap=True)
        sys.exit(5)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in TRAINING_EXTRA:
            raise
        talk.print(
            f"training needs {error.name}, which is not installed: pip install 'digitmill\\[training]'",
            soft_wrap=True,
        )
        sys.exit(2)


@contextmanager
def _model_that_reads(model: Path) -> Iterator[None]:
    """Say of whatever goes wrong with an ONNX file in this block that it is no model of digits."""
    try:
        yield
    except Exception as error:  # onnxruntime's errors have no common base
        raise ModelUnreadable(
            f"{model} is no model that reads digits; digitmill model check says why"
        ) from error


def _load(path: Path | None) -> Dataset:
    """Read the digits and say what a look over them shows, before anything is trained on them."""
    dataset = load_dataset(path)
    seen = check(dataset.training)
    talk.print(
        f"{', '.join(dataset.sources)}: {dataset.split}; {seen.missing_values} missing values, "
        f"{seen.repeated_images} repeated images, per class {', '.join(map(str, seen.per_class))} "
        f"(the commonest {seen.imbalance:.2f} times the rarest)",
        soft_wrap=True,
    )
    return dataset


def _weights_in(path: Path | None) -> Path | None:
    """Return the file of weights that `path` is or holds; of several the widest network's, the largest."""
    if path is None or path.is_file():
        return path
    files = list(path.glob("mobilenet*.h5"))
    if not files:
        raise WeightsUnreadable(
            f"{path} holds no mobilenet*.h5; name the file, or leave it out to download it"
        )
    return max(files, key=lambda file: file.stat().st_size)


@contextmanager
def _progress() -> Iterator[Watch]:
    """Show how far each step is: a bar on a terminal, else a line when it is through."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=talk, disable=not talk.is_terminal) as progress:
        bar = progress.add_task("starting")

        def watch(what: str, step: int, steps: int) -> None:
            progress.update(bar, description=what, completed=step, total=steps)
            if step == steps:
                talk.print(f"{what}: done")

        yield watch
