"""`digitmill-train`: makes the model file. One file a command; TensorFlow loads when one of them needs it."""

from __future__ import annotations

import sys

import click

from training.cli import calibrate, compare, export, fit, learn, report, score
from training.cli.talk import talk
from training.errors import (
    DatasetUnreadable,
    ExportRefused,
    GateMissed,
    ModelUnreadable,
    RunMismatch,
    TrainingError,
    WeightsUnreadable,
)

TRAINING_EXTRA = ("tensorflow", "keras", "h5py", "tf2onnx", "onnx", "matplotlib")
EXIT_CODES = {
    WeightsUnreadable: 5,
    RunMismatch: 5,
    DatasetUnreadable: 8,
    ExportRefused: 9,
    GateMissed: 10,
    ModelUnreadable: 9,
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train, compare, score and export the networks that read the digits."""


for name, each in (
    ("calibrate", calibrate),
    ("compare", compare),
    ("export", export),
    ("fit", fit),
    ("learn", learn),
    ("report", report),
    ("score", score),
):
    cli.add_command(each.command, name)


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
