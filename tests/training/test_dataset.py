from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.training.made_digits import made_digits
from training import dataset
from training.dataset import LabelledGlyphs, check, load_dataset
from training.errors import DatasetUnreadable

TRAINING, TEST = made_digits(60, 1), made_digits(20, 2)


def idx(values: npt.NDArray[np.uint8]) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_idx(folder: Path, suffix: str = "", pack: Callable[[bytes], bytes] = bytes) -> Path:
    for half, digits in (("train", TRAINING), ("t10k", TEST)):
        (folder / f"{half}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(digits.glyphs)))
        (folder / f"{half}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(digits.labels)))
    return folder


def write_zipped_idx(folder: Path) -> Path:
    return write_idx(folder, ".gz", gzip.compress)


def write_one_idx_file(folder: Path) -> Path:
    return write_idx(folder) / "train-images-idx3-ubyte"


def write_npz(folder: Path, x_train: npt.NDArray[Any] = TRAINING.glyphs) -> Path:
    path = folder / "mnist.npz"
    np.savez(path, x_train=x_train, y_train=TRAINING.labels, x_test=TEST.glyphs, y_test=TEST.labels)
    return path


def write_npz_folder(folder: Path) -> Path:
    return write_npz(folder).parent


def write_csv(file: Path, digits: LabelledGlyphs, header: bool = True) -> Path:
    rows = np.column_stack([digits.labels, digits.glyphs.reshape(len(digits), -1)])
    names = ",".join(["label", *(f"pixel{n}" for n in range(784))])
    np.savetxt(file, rows, fmt="%d", delimiter=",", header=names if header else "", comments="")
    if not header:
        file.write_text(file.read_text().lstrip("\n"))
    return file


def write_csv_halves(folder: Path) -> Path:
    write_csv(folder / "mnist_train.csv", TRAINING)
    return write_csv(folder / "mnist_test.csv", TEST, header=False).parent


def write_emnist(folder: Path) -> Path:
    """EMNIST's files hold each image transposed."""
    for half, digits in (("train", TRAINING), ("test", TEST)):
        images = np.ascontiguousarray(digits.glyphs.transpose(0, 2, 1))
        (folder / f"emnist-digits-{half}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"emnist-digits-{half}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(digits.labels)))
    return folder


@pytest.mark.parametrize(
    "write",
    [
        write_emnist,
        write_idx,
        write_zipped_idx,
        write_one_idx_file,
        write_npz,
        write_npz_folder,
        write_csv_halves,
    ],
)
def test_every_format_gives_the_same_digits_in_the_same_order(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    digits = load_dataset(write(tmp_path))

    np.testing.assert_array_equal(
        np.concatenate([digits.training.glyphs, digits.validation.glyphs]), TRAINING.glyphs
    )
    np.testing.assert_array_equal(
        np.concatenate([digits.training.labels, digits.validation.labels]), TRAINING.labels
    )
    np.testing.assert_array_equal(digits.test.glyphs, TEST.glyphs)
    np.testing.assert_array_equal(digits.test.labels, TEST.labels)


def test_a_named_emnist_file_is_read_though_mnist_lies_beside_it(tmp_path: Path) -> None:
    write_emnist(write_npz_folder(write_one_idx_file(tmp_path).parent))

    digits = load_dataset(tmp_path / "emnist-digits-train-images-idx3-ubyte.gz")

    assert {name.split("-")[0] for name in digits.sources} == {"emnist"}
    np.testing.assert_array_equal(digits.test.glyphs, TEST.glyphs)


def test_kaggles_table_has_a_validation_split_and_no_test_images(tmp_path: Path) -> None:
    digits = load_dataset(write_csv(tmp_path / "train.csv", TRAINING))

    assert (len(digits.training), len(digits.validation), len(digits.test)) == (50, 10, 0)
    np.testing.assert_array_equal(digits.validation.glyphs, TRAINING.glyphs[-10:])


def test_each_file_read_is_named_with_its_hash(tmp_path: Path) -> None:
    sources = load_dataset(write_idx(tmp_path)).sources

    assert len(sources) == 4
    assert all(len(digest) == 64 for digest in sources.values())


def test_without_a_path_the_keras_cache_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "KERAS_CACHE", write_npz(tmp_path))

    np.testing.assert_array_equal(load_dataset().test.labels, TEST.labels)


def test_mnist_validates_on_the_last_ten_thousand_of_the_sixty(shared_data: Path) -> None:
    digits = load_dataset(shared_data / "mnist")

    assert (len(digits.training), len(digits.validation), len(digits.test)) == (50_000, 10_000, 10_000)
    with np.load(shared_data / "mnist" / "mnist.npz") as archive:
        np.testing.assert_array_equal(digits.validation.labels, archive["y_train"][50_000:])


def test_a_look_over_the_data_counts_classes_and_repeated_images() -> None:
    once = made_digits(40)
    twice = LabelledGlyphs(np.concatenate([once.glyphs[:5]] * 2), np.array([0, 1, 1, 1, 2] * 2, np.uint8))

    seen = check(twice)

    assert seen.images == 10
    assert seen.repeated_images == 5
    assert seen.per_class == (2, 6, 2, 0, 0, 0, 0, 0, 0, 0)


def cut_short(folder: Path) -> Path:
    images = write_idx(folder) / "train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1])
    return folder


def torn_gzip(folder: Path) -> Path:
    images = write_zipped_idx(folder) / "train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-20])
    return folder


def wrong_magic(folder: Path) -> Path:
    (write_idx(folder) / "train-images-idx3-ubyte").write_bytes(b"<html>not found</html>")
    return folder


def labels_gone(folder: Path) -> Path:
    (write_idx(folder) / "train-labels-idx1-ubyte").unlink()
    return folder


def labels_of_another_set(folder: Path) -> Path:
    (write_idx(folder) / "train-labels-idx1-ubyte").write_bytes(idx(TEST.labels))
    return folder


def a_letter_label(folder: Path) -> Path:
    (write_idx(folder) / "train-labels-idx1-ubyte").write_bytes(idx(TRAINING.labels + np.uint8(5)))
    return folder


def holes(folder: Path) -> Path:
    table = write_csv(folder / "train.csv", TRAINING)
    lines = table.read_text().splitlines()
    lines[7] = ",".join([*lines[7].split(",")[:3], "", *lines[7].split(",")[4:]])
    table.write_text("\n".join(lines))
    return table


def too_bright(folder: Path) -> Path:
    table = write_csv(folder / "train.csv", TRAINING)
    table.write_text(table.read_text().replace(",255,", ",256,", 1))
    return table


def a_column_short(folder: Path) -> Path:
    table = write_csv(folder / "train.csv", TRAINING)
    table.write_text("\n".join(line.rpartition(",")[0] for line in table.read_text().splitlines()))
    return table


def floats(folder: Path) -> Path:
    return write_npz(folder, TRAINING.glyphs / 255)


def dark_on_light(folder: Path) -> Path:
    return write_npz(folder, 255 - TRAINING.glyphs)


def other_archive(folder: Path) -> Path:
    np.savez(folder / "digits.npz", images=TRAINING.glyphs)
    return folder


def no_archive(folder: Path) -> Path:
    (folder / "mnist.npz").write_text("moved")
    return folder


def no_rows(folder: Path) -> Path:
    (folder / "train.csv").write_text("label,pixel0\n")
    return folder


def bare_array(folder: Path) -> Path:
    with (folder / "mnist.npz").open("wb") as file:
        np.save(file, TRAINING.glyphs)
    return folder


def another_file_beside_them(folder: Path) -> Path:
    write_idx(folder)
    (folder / "notes.txt").write_text("fetched on Monday")
    return folder / "notes.txt"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: folder / "gone", "gone does not exist"),
        (lambda folder: folder, "holds no digits; expected mnist.npz, train.csv"),
        (cut_short, r"train-images-idx3-ubyte says \(60, 28, 28\) and holds 47,039 values"),
        (torn_gzip, "train-images-idx3-ubyte.gz: .*fetch it again"),
        (wrong_magic, "train-images-idx3-ubyte is no IDX file"),
        (labels_gone, "train-images-idx3-ubyte is alone"),
        (labels_of_another_set, r"60 images, but labels of shape \(20,\)"),
        (a_letter_label, "labels outside 0 to 9: .*14"),
        (holes, "1 values are missing, the first in line 8, column 4"),
        (too_bright, "train.csv: .*256.* whole numbers from 0 to 255"),
        (a_column_short, "train.csv has 784 columns; expected a label and 784 pixels"),
        (floats, "float64 images"),
        (dark_on_light, "dark ink on light paper; invert it"),
        (other_archive, "digits.npz: .*expected Keras' mnist.npz with x_train"),
        (no_archive, "mnist.npz: .*expected Keras' mnist.npz"),
        (no_rows, "train.csv: .*no data.*every row needs a label"),
        (bare_array, "mnist.npz: .*expected Keras' mnist.npz"),
        (another_file_beside_them, "notes.txt is no .npz, .csv or IDX file"),
    ],
)
def test_bad_data_is_refused_with_the_file_and_the_mend(
    tmp_path: Path, spoil: Callable[[Path], Path], said: str
) -> None:
    with pytest.raises(DatasetUnreadable, match=said):
        load_dataset(spoil(tmp_path))
