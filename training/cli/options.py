"""Options that several commands of `digitmill-train` take, and what they name, read."""

from __future__ import annotations

from pathlib import Path

import click

from training.cli.talk import talk
from training.dataset import Dataset, check, load_dataset
from training.errors import WeightsUnreadable

path_type = click.Path(readable=False, path_type=Path)  # whoever opens it says what cannot be read
read_data = click.option(
    "--data",
    type=path_type,
    help="mnist.npz, Kaggle's train.csv, IDX files of MNIST or EMNIST's digits, or a folder of them. Without "
    "it: Keras' copy of MNIST. EMNIST may hold digits of MNIST's test writers: both come from NIST's forms.",
)
read_weights = click.option(
    "--mobilenet-weights",
    "weights",
    type=path_type,
    help="MobileNet's ImageNet weights, a file or its folder. Without it: Keras downloads them.",
)
write_model = click.option("-o", "--output", type=path_type, required=True, help="The .onnx file to write.")


def load(path: Path | None) -> Dataset:
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


def weights_in(path: Path | None) -> Path | None:
    """Return the file of weights that `path` is or holds; of several the widest network's, the largest."""
    if path is None or path.is_file():
        return path
    files = list(path.glob("mobilenet*.h5"))
    if not files:
        raise WeightsUnreadable(
            f"{path} holds no mobilenet*.h5; name the file, or leave it out to download it"
        )
    return max(files, key=lambda file: file.stat().st_size)
