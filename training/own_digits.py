"""A user's own digits: a folder for each label, or a table of files and labels, become glyphs as forms do.

What spoils a single file costs that file: it is skipped, and said. What may be a mistake about many (a folder
that is no label, an image under two labels) stops everything, for a wrong label teaches what is wrong.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.geometry import Box, Point, Quad
from segmentation.glyph import GLYPH_SIDE, BlankCell, Glyph, normalise
from segmentation.page import Field, Page
from training.dataset import LabelledGlyphs
from training.errors import DatasetUnreadable
from training.model_card import CLASSES

FEWEST_OF_A_LABEL = 20  # images: about four of them are set aside, and the others must show more than a slip
TEST_SHARE = 5  # every fifth image, on average, is set aside
LARGEST_SIDE = 1500  # px; whatever is larger is a page and no digit that was cut out of one
MARGIN = 0.25  # of an image's longer side, put round it as paper
PAPER_RANK = 90  # percentile of the brightness that is the paper's, where ink is dark
LINE_SHARE = 0.9  # of an image's edge that the line of a printed box covers
MOST_NAMED = 10  # files that a message names
MNIST_FILES = ("*.npz", "*idx?-ubyte*", "*idx?.ubyte*", "train.csv", "mnist_*.csv")

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that gave no glyph, and why."""

    file: Path
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class OwnDigits:
    """A user's labelled images as glyphs; `test` is set aside for good, by what the images show."""

    training: LabelledGlyphs
    test: LabelledGlyphs
    skipped: tuple[Skipped, ...]
    repeated: int  # images that show what another one shows, pixel by pixel
    sha256: str  # of all images and labels, in any order of files


@dataclass(frozen=True, slots=True)
class _Example:
    """An image that could be used. `digest`: 64 hex digits of its grey pixels, whatever its file format."""

    file: Path
    digest: str
    label: int
    glyph: Glyph


class _Unusable(Exception):
    """Why a file gives no glyph."""


def is_own_digits(path: Path) -> bool:
    """Return whether `path` is a folder of folders, or a table of two columns: MNIST comes in neither.

    A folder that is not there is taken for one: reading it says so.
    """
    if not path.exists():
        return not path.suffix
    if path.is_dir():
        is_mnist = any(any(path.glob(pattern)) for pattern in MNIST_FILES)
        return not is_mnist and any(map(_is_visible_folder, path.iterdir()))
    return path.suffix.lower() == ".csv" and len(next(filter(any, _rows(path)), [])) == 2


def read_own_digits(path: Path) -> OwnDigits:
    """Read a folder with a folder of images for each label, or a CSV of image files and labels.

    The labels are 0 to 9, struck and other. Images may be of any size and format that OpenCV reads, grey or
    in colour, dark on light or light on dark, of one digit each. Raises DatasetUnreadable for labels that are
    none, images under two labels, unreadable tables, and too few images of a label.
    """
    labelled = _files_in_table(path) if path.is_file() else _files_in_folders(path)
    examples: list[_Example] = []
    skipped: list[Skipped] = []
    for file, label in labelled:
        try:
            examples.append(_read_example(file, label))
        except _Unusable as why:
            skipped.append(Skipped(file, str(why)))
    distinct = {example.digest: example for example in examples}
    _refuse_two_labels(examples, distinct)
    _refuse_too_few(distinct.values(), skipped, path)
    ordered = [distinct[digest] for digest in sorted(distinct)]
    if not any(map(is_set_aside, distinct)):
        raise DatasetUnreadable(
            f"{path}: none of {len(distinct)} images falls into the part to test with; add some"
        )
    content = "".join(f"{example.digest} {example.label}\n" for example in ordered)
    return OwnDigits(
        _together(example for example in ordered if not is_set_aside(example.digest)),
        _together(example for example in ordered if is_set_aside(example.digest)),
        tuple(skipped),
        len(examples) - len(distinct),
        hashlib.sha256(content.encode()).hexdigest(),
    )


def is_set_aside(digest: str) -> bool:
    """Return whether an image belongs to the test part: today, with other images, and after a rename."""
    return int(digest[:8], 16) % TEST_SHARE == 0


def glyph_of(image: Grey) -> Glyph:
    """Return the glyph of a digit that fills an image (height, width) uint8, of either polarity.

    It is cut as from a form, the image being the printed box. Raises BlankCell.
    """
    if image.shape == (GLYPH_SIDE, GLYPH_SIDE) and not image[0].any() and not image[-1].any():
        return normalise(image)  # MNIST's own format
    dark = _dark_on_light(image)
    if not _shows_a_box(dark):
        dark = _on_more_paper(dark)
    height, width = dark.shape
    quad = Quad(Point(0, 0), Point(width, 0), Point(width, height), Point(0, height))
    glyph = cut_cells(Page(dark), [Field("", (quad,), Box(0, 0, width, height))])[0][0].glyph
    if glyph is None:
        raise BlankCell("nothing is written in it")
    return glyph


def _shows_a_box(dark: Grey) -> bool:
    """Return whether a digit was cut out with the lines of its box, which then run along all edges."""
    inked = dark < (np.percentile(dark, PAPER_RANK) + float(dark.min())) / 2
    edges = inked[0], inked[-1], inked[:, 0], inked[:, -1]
    return bool(inked.mean() < 0.5 and all(edge.mean() >= LINE_SHARE for edge in edges))


def _on_more_paper(dark: Grey) -> Grey:
    """Return the image with paper round it: a digit that is cropped to its ink would touch its box."""
    white = round(MARGIN * max(dark.shape))
    paper = (float(np.percentile(dark, PAPER_RANK)),)
    return np.asarray(
        cv2.copyMakeBorder(dark, white, white, white, white, cv2.BORDER_CONSTANT, value=paper), np.uint8
    )


def listed(lines: Sequence[str]) -> str:
    """Return the first few of many lines, and how many more there are."""
    more = [f"and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    return "\n".join(f"  {line}" for line in [*lines[:MOST_NAMED], *more])


def _dark_on_light(image: Grey) -> Grey:
    """Return the image with dark ink. What most of its edge shows is paper, unless it is a box's lines."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    paper, darkest, lightest = float(np.median(edge)), int(image.min()), int(image.max())
    inverse = np.asarray(255 - image, np.uint8)
    dark, light = (image, inverse) if paper - darkest >= lightest - paper else (inverse, image)
    return light if _shows_a_box(light) else dark


def _files_in_folders(folder: Path) -> list[tuple[Path, int]]:
    if not folder.is_dir():
        raise DatasetUnreadable(f"{folder} does not exist; name a folder with a folder of images a label")
    folders = sorted(filter(_is_visible_folder, folder.iterdir()))
    unknown = [entry.name for entry in folders if entry.name not in CLASSES]
    if unknown:
        raise DatasetUnreadable(
            f"{folder}: no label is called {', '.join(map(repr, unknown[:MOST_NAMED]))}; rename the folder "
            f"to the label of its images ({', '.join(CLASSES)}) or move it elsewhere"
        )
    return [
        (file, CLASSES.index(entry.name))
        for entry in folders
        for file in sorted(entry.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    ]


def _is_visible_folder(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith((".", "__"))


def _files_in_table(table: Path) -> list[tuple[Path, int]]:
    """Read lines of a file and a label; a first line with neither is the table's head."""
    rows = [(number, row) for number, row in enumerate(_rows(table), start=1) if any(map(str.strip, row))]
    if rows and rows[0][1][-1].strip() not in CLASSES and not (table.parent / rows[0][1][0]).is_file():
        del rows[0]
    wrong = [
        f"line {number}: {', '.join(row)}"
        for number, row in rows
        if len(row) != 2 or not row[0].strip() or row[1].strip() not in CLASSES
    ]
    if wrong:
        raise DatasetUnreadable(
            f"{table}: each line needs an image file, a comma and a label ({', '.join(CLASSES)}); "
            f"these do not:\n{listed(wrong)}"
        )
    return [(table.parent / row[0].strip(), CLASSES.index(row[1].strip())) for _, row in rows]


def _rows(table: Path) -> Iterator[list[str]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            yield from csv.reader(lines)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetUnreadable(f"{table}: {error}; save it as CSV in UTF-8") from error


def _read_example(file: Path, label: int) -> _Example:
    try:
        image = _grey(file.read_bytes())
    except OSError as error:
        raise _Unusable(error.strerror) from error
    if max(image.shape) > LARGEST_SIDE:
        raise _Unusable(f"{image.shape[1]} x {image.shape[0]} pixels are more than one digit")
    try:
        glyph = glyph_of(image)
    except BlankCell as blank:
        raise _Unusable("nothing is written in it") from blank
    return _Example(
        file, hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest(), label, glyph
    )


def _grey(content: bytes) -> Grey:
    """Decode an image file, upright as its EXIF orientation says, on white where it is transparent."""
    try:
        encoded = np.frombuffer(content, np.uint8)
        image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        if image is not None and image.ndim == 3 and image.shape[2] == 4:
            return _on_white(image)
        image = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # of an empty file
        image = None
    if image is None:
        raise _Unusable("no image, or a damaged one")
    return np.asarray(image, np.uint8)


def _on_white(image: cv2.typing.MatLike) -> Grey:
    scaled = image.astype(np.float32) / (255 if image.dtype == np.uint8 else 65535)
    cover = scaled[:, :, 3]
    grey = cv2.cvtColor(scaled, cv2.COLOR_BGRA2GRAY) * cover + 1 - cover
    return np.asarray(np.rint(255 * grey), np.uint8)


def _refuse_two_labels(examples: Iterable[_Example], distinct: Mapping[str, _Example]) -> None:
    pairs = [(example, distinct[example.digest]) for example in examples]
    wrong = [
        f"{one.file} as {CLASSES[one.label]}, {other.file} as {CLASSES[other.label]}"
        for one, other in pairs
        if one.label != other.label
    ]
    if wrong:
        raise DatasetUnreadable(
            f"images that show the same have two labels; keep the right one of each:\n{listed(wrong)}"
        )


def _refuse_too_few(examples: Iterable[_Example], skipped: Sequence[Skipped], path: Path) -> None:
    counts = Counter(example.label for example in examples)
    few = [f"{CLASSES[label]}: {count}" for label, count in sorted(counts.items())
           if count < FEWEST_OF_A_LABEL]  # fmt: skip
    if counts and not few:
        return
    found = f"there are {', '.join(few)}" if few else "there are none"
    why = f"; {len(skipped)} files were skipped:\n{skipped_lines(skipped)}" if skipped else ""
    raise DatasetUnreadable(
        f"{path}: at least {FEWEST_OF_A_LABEL} different images of each label that is to be learnt are "
        f"needed, and {found}{why}"
    )


def skipped_lines(skipped: Sequence[Skipped]) -> str:
    return listed([f"{each.file}: {each.reason}" for each in skipped])


def _together(examples: Iterable[_Example]) -> LabelledGlyphs:
    chosen = list(examples)
    glyphs = np.stack([example.glyph for example in chosen]) if chosen else np.empty((0, 28, 28), np.uint8)
    return LabelledGlyphs(glyphs, np.array([example.label for example in chosen], np.uint8))
