"""Labelled digits: MNIST as it is passed around, looked over before anything is trained on it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import DatasetUnreadable
from training.model_card import DIGITS, GLYPH_SIDE

VALIDATION_SHARE = 6  # the last sixth of the training images: of MNIST's 60,000 the last 10,000
IDX_PARTS = ("images?idx3-ubyte", "labels?idx1-ubyte")  # seen with a dash and with a dot
HALVES = (("train", "t10k"), ("emnist-digits-train", "emnist-digits-test"))
"""How the names of IDX files start: of MNIST, and of EMNIST's digits, whose images are stored transposed.

Both were cut from the forms of NIST's Special Database 19, so EMNIST's training digits may be of people who
wrote MNIST's test images, or these very digits: what was trained on EMNIST has no honest figure on these.
"""

KERAS_CACHE = Path("~/.keras/datasets/mnist.npz")

Glyphs = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledGlyphs:
    """Glyphs (n, 28, 28) uint8, light ink on black, and the index (n,) uint8 of its class in CLASSES."""

    glyphs: Glyphs
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> LabelledGlyphs:
        return LabelledGlyphs(self.glyphs[part], self.labels[part])


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A fixed split. `test` is empty where the files hold none; `sources` is file name -> sha256."""

    training: LabelledGlyphs
    validation: LabelledGlyphs
    test: LabelledGlyphs
    sources: Mapping[str, str]

    @property
    def split(self) -> str:
        return (
            f"first {len(self.training):,} to train, last {len(self.validation):,} to validate, "
            f"{len(self.test):,} to test"
        )


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What a look over the training images shows before anybody trains on them."""

    images: int
    missing_values: int
    repeated_images: int
    per_class: tuple[int, ...]

    @property
    def imbalance(self) -> float:
        """How many times more often the commonest class occurs than the rarest."""
        return max(self.per_class) / max(1, min(self.per_class))


def check(digits: LabelledGlyphs) -> DataCheck:
    """Count what the report counted: missing values and images per class; and images that occur twice."""
    distinct = {glyph.tobytes() for glyph in digits.glyphs}
    per_class = np.bincount(digits.labels, minlength=len(DIGITS))
    # uint8 has no NaN: a file with missing values is refused while it is read
    return DataCheck(len(digits), 0, len(digits) - len(distinct), tuple(per_class.tolist()))


def load_dataset(path: Path | None = None) -> Dataset:
    """Read labelled digits and split them.

    `path` is an .npz, a .csv (label and 784 pixels a row) or one of the IDX files (plain or .gz) of MNIST or
    of EMNIST's digits, or a folder of such files. None takes Keras' cache, and downloads it where there is
    none. Raises DatasetUnreadable.
    """
    path = path or _keras_cache()
    if not path.exists():
        raise DatasetUnreadable(f"{path} does not exist; name a file or a folder with MNIST in it")
    is_table = path.suffix in (".npz", ".csv")
    if path.is_file() and not is_table and not _is_idx(path):
        raise DatasetUnreadable(
            f"{path} is no .npz, .csv or IDX file of MNIST or EMNIST digits; name one, or their folder"
        )
    files = [path] if is_table else _files_of(path)
    training, test = _read(files)
    cut = len(training) - len(training) // VALIDATION_SHARE
    return Dataset(training[:cut], training[cut:], test, {file.name: _sha256(file) for file in files})


def _keras_cache() -> Path:
    cache = KERAS_CACHE.expanduser()
    if not cache.exists():
        import keras

        keras.datasets.mnist.load_data()
    return cache


def _is_idx(path: Path) -> bool:
    starts = [half for names in HALVES for half in names]
    return any(path.match(f"{start}-{part}*") for start in starts for part in IDX_PARTS)


def _files_of(path: Path) -> list[Path]:
    """Return a dataset's files: one archive, or the training half and, where there is one, the test half.

    `path` is their folder, or one of the IDX files, which tells of which of several data sets in a folder.
    """
    folder, named = (path, "") if path.is_dir() else (path.parent, path.name)
    archives = sorted(folder.glob("*.npz"))
    if archives and not named:
        return archives[:1]
    for names in HALVES:
        if named and not named.startswith(names):
            continue
        halves = [
            [file for part in IDX_PARTS for file in sorted(folder.glob(f"{half}-{part}*"))[:1]]
            for half in names
        ]
        for half, files in zip(names, halves, strict=True):
            if len(files) == 1:
                raise DatasetUnreadable(
                    f"{folder}: {files[0].name} is alone; images and labels of {half} go together"
                )
        if halves[0]:
            return halves[0] + halves[1]
    tables = [folder / name for name in ("train.csv", "mnist_train.csv", "mnist_test.csv")]
    found = [table for table in tables if table.exists()]
    if found:
        return found
    raise DatasetUnreadable(
        f"{folder} holds no digits; expected mnist.npz, train.csv, or train-images-idx3-ubyte and "
        "train-labels-idx1-ubyte (.gz or not)"
    )


def _read(files: Sequence[Path]) -> tuple[LabelledGlyphs, LabelledGlyphs]:
    """Read the files that `_files_of` names: the training images, and the test images (none: of length 0)."""
    first = files[0]
    if first.suffix == ".npz":
        return _read_npz(first)
    if first.suffix == ".csv":
        halves = [_read_csv(file) for file in files]
    else:
        halves = [
            _labelled(_upright(_read_idx(images), images), _read_idx(labels), images)
            for images, labels in zip(files[::2], files[1::2], strict=True)
        ]
    return halves[0], halves[1] if len(halves) > 1 else halves[0][:0]


def _read_npz(path: Path) -> tuple[LabelledGlyphs, LabelledGlyphs]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            halves = [
                _labelled(archive[f"x_{half}"], archive[f"y_{half}"], path) for half in ("train", "test")
            ]
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetUnreadable(
            f"{path}: {error}; expected Keras' mnist.npz with x_train, y_train, x_test and y_test"
        ) from error
    return halves[0], halves[1]


def _read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes: magic 0 0 8 n, n big-endian sizes, then the values."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetUnreadable(f"{path}: {error}; fetch it again") from error
    if content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise DatasetUnreadable(f"{path} is no IDX file of unsigned bytes; fetch it again")
    dimensions = content[3]
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if len(values) != np.prod(shape, dtype=np.int64):
        raise DatasetUnreadable(f"{path} says {shape} and holds {len(values):,} values; fetch it again")
    return values.reshape(shape)


def _upright(images: npt.NDArray[np.uint8], path: Path) -> npt.NDArray[np.uint8]:
    """Return images as one reads them: EMNIST's files hold rows for columns (Cohen 2017)."""
    if images.ndim == 3 and path.name.startswith("emnist-"):
        return np.ascontiguousarray(images.swapaxes(1, 2))
    return images


def _read_csv(path: Path) -> LabelledGlyphs:
    """Read Kaggle's table: a header or none, then a label and 784 pixels a row."""
    try:
        with path.open(encoding="utf-8", newline="") as table:
            has_header = not next(table, "").split(",")[0].strip().isdigit()
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # numpy's word for a table without rows
            rows = np.loadtxt(path, np.uint8, delimiter=",", skiprows=int(has_header), ndmin=2)
    except (OSError, ValueError, UserWarning) as error:
        mend = "every row needs a label and 784 whole numbers from 0 to 255"
        raise DatasetUnreadable(f"{path}: {_missing_values(path) or error}; {mend}") from error
    if rows.shape[1] != 1 + GLYPH_SIDE**2:
        raise DatasetUnreadable(f"{path} has {rows.shape[1]} columns; expected a label and 784 pixels")
    return _labelled(rows[:, 1:].reshape(-1, GLYPH_SIDE, GLYPH_SIDE), rows[:, 0], path)


def _missing_values(path: Path) -> str:
    """Say how many cells of a table are empty and where the first one is; "" where none is."""
    with path.open(encoding="utf-8", errors="replace", newline="") as table:
        missing = [
            (line, column)
            for line, row in enumerate(csv.reader(table), start=1)
            for column, cell in enumerate(row, start=1)
            if cell.strip().lower() in ("", "nan", "na")
        ]
    if not missing:
        return ""
    line, column = missing[0]
    return f"{len(missing)} values are missing, the first in line {line}, column {column}"


def _labelled(glyphs: npt.NDArray[Any], labels: npt.NDArray[Any], path: Path) -> LabelledGlyphs:
    """Put images and labels together after making sure that they are what they should be."""
    if glyphs.dtype != np.uint8 or glyphs.shape[1:] != (GLYPH_SIDE, GLYPH_SIDE):
        raise DatasetUnreadable(
            f"{path} holds {glyphs.dtype} images of shape {glyphs.shape[1:]}; expected uint8 (28, 28)"
        )
    if labels.shape != (len(glyphs),):
        raise DatasetUnreadable(f"{path}: {len(glyphs):,} images, but labels of shape {labels.shape}")
    if len(glyphs) == 0:
        raise DatasetUnreadable(f"{path} holds no images")
    if not np.isin(labels, np.arange(len(DIGITS))).all():
        raise DatasetUnreadable(f"{path} has labels outside 0 to 9: {np.unique(labels).tolist()[:12]}")
    if np.median(glyphs[:, 0, :]) > 127:  # the top row of a centred digit is paper
        raise DatasetUnreadable(f"{path} shows dark ink on light paper; invert it (255 - image)")
    return LabelledGlyphs(glyphs.astype(np.uint8), labels.astype(np.uint8))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
