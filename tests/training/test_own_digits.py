from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from segmentation.glyph import BlankCell
from tests.training.own_images import Grey, digit_image, write_folders
from training import own_digits
from training.errors import DatasetUnreadable
from training.forms.glyphs import pen_glyphs
from training.model_card import CLASSES
from training.own_digits import FEWEST_OF_A_LABEL, glyph_of, is_own_digits, read_own_digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folders(tmp_path_factory.mktemp("own"), ("0", "1", "7"), 40)


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "digits"))


def alike(one: Grey, other: Grey) -> float:
    """How well two glyphs agree, a pixel's difference in where they are centred left aside."""
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(
        float(np.corrcoef(np.roll(one, shift, (0, 1)).ravel(), other.ravel())[0, 1]) for shift in shifts
    )


@pytest.mark.parametrize("height", [20, 28, 60, 400])
def test_an_image_of_any_size_becomes_the_same_glyph(height: int) -> None:
    image = digit_image(5, 200)
    resized = cv2.resize(
        image, (height, height * image.shape[0] // image.shape[1]), interpolation=cv2.INTER_AREA
    )

    assert alike(glyph_of(np.asarray(resized, np.uint8)), glyph_of(image)) > 0.75  # a 6: 0.3


def test_light_on_dark_is_the_same_digit_as_dark_on_light() -> None:
    image = digit_image(3)

    np.testing.assert_array_equal(glyph_of(255 - image), glyph_of(image))


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_that_is_cut_out_closely_is_the_same_glyph(digit: int) -> None:
    image = digit_image(digit, 80)
    ys, xs = np.nonzero(image < 150)
    close = image[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]

    assert alike(glyph_of(close), glyph_of(image)) > 0.9


def test_the_lines_of_a_box_that_was_cut_out_with_its_digit_are_no_ink() -> None:
    image = digit_image(3, 80)
    boxed = image.copy()
    boxed[:3] = boxed[-3:] = 30
    boxed[:, :3] = boxed[:, -3:] = 30

    assert alike(glyph_of(boxed), glyph_of(image)) > 0.9


def test_an_image_of_mnist_is_its_own_glyph() -> None:
    for glyph in pen_glyphs(12, seed=5)[0]:
        assert alike(glyph_of(glyph), glyph) > 0.97


def test_an_empty_box_is_no_digit() -> None:
    with pytest.raises(BlankCell):
        glyph_of(np.full((50, 40), 240, np.uint8))


def test_every_format_of_an_image_gives_the_same_glyph(tmp_path: Path) -> None:
    grey = digit_image(2, 64)
    colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    transparent = np.dstack([np.zeros_like(colour), 255 - grey])
    images: dict[str, cv2.typing.MatLike] = {
        "grey.png": grey,
        "colour.bmp": colour,
        "transparent.png": transparent,
        "deep.png": grey.astype(np.uint16) * 257,
        "grey.tiff": grey,
    }
    (tmp_path / "2").mkdir()
    write_folders(tmp_path, ("1",), FEWEST_OF_A_LABEL)
    for number in range(FEWEST_OF_A_LABEL - 1):
        cv2.imwrite(str(tmp_path / "2" / f"{number}.png"), digit_image(2, 50, seed=number + 1))
    for name, image in images.items():
        cv2.imwrite(str(tmp_path / "2" / name), image)

    own = read_own_digits(tmp_path)

    assert own.skipped == ()
    assert own.repeated == len(images) - 1  # they all show the same


def test_each_folder_is_a_label_and_each_image_is_used_once(own: Path) -> None:
    digits = read_own_digits(own)

    labels = np.concatenate([digits.training.labels, digits.test.labels])
    assert np.bincount(labels).tolist() == [40, 40, 0, 0, 0, 0, 0, 40]
    assert 0.1 < len(digits.test) / len(labels) < 0.35


def test_struck_and_other_can_be_taught_too(own: Path) -> None:
    (own / "0").rename(own / "struck")
    (own / "7").rename(own / "other")

    digits = read_own_digits(own)

    assert {CLASSES[label] for label in digits.training.labels} == {"1", "struck", "other"}


def test_the_same_images_are_set_aside_whatever_comes_or_is_renamed(own: Path) -> None:
    before = read_own_digits(own).test
    write_folders(own, ("3",), 30)
    for file in (own / "1").glob("*.png"):
        file.rename(file.with_name(f"again-{file.name}"))
    after = read_own_digits(own).test

    assert {glyph.tobytes() for glyph in before.glyphs} <= {glyph.tobytes() for glyph in after.glyphs}
    assert len(after) > len(before)


def test_a_copy_never_stands_on_both_sides(own: Path) -> None:
    alone = read_own_digits(own)
    for file in [*(own / "1").glob("*.png")]:
        cv2.imwrite(str(file.with_suffix(".bmp")), np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)))

    doubled = read_own_digits(own)

    assert doubled.repeated == 40
    assert (len(doubled.training), len(doubled.test)) == (len(alone.training), len(alone.test))
    assert doubled.sha256 == alone.sha256


def test_a_table_of_files_and_labels_says_the_same_as_folders(own: Path) -> None:
    files = sorted(own.rglob("*.png"))
    lines = [f"{file.relative_to(own)},{file.parent.name}" for file in files]
    with_head, without = own / "with-head.csv", own / "without.csv"
    with_head.write_text("\n".join(["file,label", *lines]) + "\n")
    without.write_text("\n".join(lines))

    assert is_own_digits(with_head)
    assert read_own_digits(with_head).sha256 == read_own_digits(without).sha256 == read_own_digits(own).sha256


def test_damaged_and_foreign_files_cost_only_themselves(own: Path) -> None:
    images: tuple[tuple[str, bytes], ...] = (
        ("truncated.png", (own / "1" / "3.png").read_bytes()[:90]),
        ("empty.png", b""),
        ("notes.txt", b"written by Ann"),
    )
    for name, content in images:
        (own / "1" / name).write_bytes(content)
    cv2.imwrite(str(own / "1" / "blank.png"), np.full((50, 50), 230, np.uint8))
    cv2.imwrite(str(own / "1" / "page.png"), np.full((2000, 1400), 230, np.uint8))

    digits = read_own_digits(own)

    assert {each.file.name: each.reason for each in digits.skipped} == {
        "truncated.png": "no image, or a damaged one",
        "empty.png": "no image, or a damaged one",
        "notes.txt": "no image, or a damaged one",
        "blank.png": "nothing is written in it",
        "page.png": "1400 x 2000 pixels are more than one digit",
    }
    assert len(digits.training) + len(digits.test) == 120


def test_a_file_that_a_table_names_and_nobody_has_is_skipped(own: Path) -> None:
    table = own / "digits.csv"
    lines = [f"{file},{file.parent.name}" for file in sorted(own.rglob("*.png"))]
    table.write_text("\n".join(["gone.png,1", *lines]))

    assert [(each.file.name, each.reason) for each in read_own_digits(table).skipped] == [
        ("gone.png", "No such file or directory")
    ]


def test_ten_images_are_too_few_and_the_message_says_how_many_are_needed(tmp_path: Path) -> None:
    write_folders(tmp_path, ("3", "8"), 5)

    with pytest.raises(DatasetUnreadable, match=r"at least 20 different images of each label.*3: 5, 8: 5"):
        read_own_digits(tmp_path)


def test_where_chance_sets_no_image_aside_more_are_asked_for(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_digits, "is_set_aside", lambda _digest: False)

    with pytest.raises(
        DatasetUnreadable, match="none of 120 images falls into the part to test with; add some"
    ):
        read_own_digits(own)


def test_where_files_were_skipped_too_few_says_which(own: Path) -> None:
    for file in [*(own / "7").glob("*.png")][:30]:
        file.write_bytes(b"damaged")

    with pytest.raises(
        DatasetUnreadable, match=r"(?s)7: 10; 30 files were skipped:.*damaged one.*and 20 more"
    ):
        read_own_digits(own)


@pytest.mark.parametrize("name", ["ten", "1O", "10"])
def test_a_folder_that_is_no_label_stops_everything_and_is_named(own: Path, name: str) -> None:
    (own / name).mkdir()

    with pytest.raises(DatasetUnreadable, match=f"no label is called '{name}'; rename"):
        read_own_digits(own)


def test_hidden_folders_and_files_beside_the_labels_do_not_matter(own: Path) -> None:
    (own / ".git").mkdir()
    (own / "1" / ".DS_Store").write_bytes(b"finder")
    (own / "README.txt").write_text("digits of ours")

    assert read_own_digits(own).skipped == ()


def test_an_image_under_two_labels_stops_everything_and_is_named(own: Path) -> None:
    shutil.copy(own / "1" / "4.png", own / "7" / "one.png")

    with pytest.raises(DatasetUnreadable, match=r"(?s)two labels.*1.4\.png as 1.*one\.png as 7"):
        read_own_digits(own)


def test_the_lines_of_a_table_that_cannot_be_read_are_listed(own: Path) -> None:
    (own / "digits.csv").write_text("file,label\n1/0.png,1\n1/1.png\n1/2.png,1O\n,3\n")

    with pytest.raises(DatasetUnreadable, match=r"(?s)line 3: 1/1.png\n.*line 4: 1/2.png, 1O\n.*line 5: , 3"):
        read_own_digits(own / "digits.csv")


def test_a_table_in_another_encoding_is_refused_with_the_mend(own: Path) -> None:
    (own / "digits.csv").write_bytes("é.png,1\n".encode("latin-1"))

    with pytest.raises(DatasetUnreadable, match="save it as CSV in UTF-8"):
        read_own_digits(own / "digits.csv")


def test_mnist_is_nobodys_own(tmp_path: Path, own: Path) -> None:
    (tmp_path / "train.csv").write_text("label," + ",".join(map(str, range(784))) + "\n")
    mnist = tmp_path / "mnist"
    (mnist / "raw").mkdir(parents=True)
    (mnist / "train-images-idx3-ubyte").touch()

    assert is_own_digits(own)
    assert not is_own_digits(tmp_path / "train.csv")
    assert not is_own_digits(mnist)
    assert is_own_digits(tmp_path / "gone")  # so that reading it says what is missing
    assert not is_own_digits(tmp_path / "gone.npz")


def test_glyphs_are_such_as_forms_give(own: Path) -> None:
    digits = read_own_digits(own)

    def mass(glyph: Grey) -> tuple[float, float]:
        ys, xs = np.mgrid[:28, :28]
        return float((xs * glyph).sum() / glyph.sum()), float((ys * glyph).sum() / glyph.sum())

    assert digits.training.glyphs.dtype == np.uint8
    assert np.allclose([mass(glyph) for glyph in digits.training.glyphs], 14, atol=1)
