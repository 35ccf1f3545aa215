"""What models are measured on beside MNIST: cells of drawn and of real pages, other hands, and no digits.

Nothing here is trained on: pages, cells and marks are drawn from validation digits and seeds of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from segmentation.cells import cut_cells, patch_around
from segmentation.fields import find_fields
from segmentation.geometry import Box, Quad, enclosing_box
from segmentation.glyph import GLYPH_SIDE, Glyph, normalise
from segmentation.page import Cell, Page
from training.dataset import Glyphs, LabelledGlyphs, Labels
from training.errors import DatasetUnreadable
from training.forms.cells import write_in_cells
from training.forms.draw import draw_spec
from training.forms.ink import DigitSource, PastedDigits
from training.forms.marks import MARKS as MARK_KINDS
from training.forms.marks import draw_mark
from training.forms.pen import PenDigits, random_hand
from training.forms.random_forms import random_spec
from training.kept import Arrays, keep
from training.model_card import CLASSES, DIGITS, STRUCK
from training.paper import CELLS, PAPER_VERSION, PEN_HEIGHT, class_of_mark, digest, paper_digits
from training.score import Read
from training.scorecard import (
    DIGITS_IN_CELLS,
    DRAWN_PAGES,
    MARKS,
    OPTDIGITS,
    REAL_CROSSES,
    REAL_PAGES,
    SEMEION,
    Tally,
)

PAGE_SEEDS = range(2000, 2300)  # of drawn pages; benchmarks and calibration take others
UNSEEN_SEED = 999_983  # of cells and marks; pools to train on take small ones
MARKS_OF_A_KIND = 400
TRIALS_VERSION = "2"  # part of a kept trial's key: whoever changes what trials hold gives it another number
REAL_SETS = ("kawalc1-c1", "omrchecker")  # the sets of single images with a box a digit
REAL_PLACES = Path(__file__).parent / "real_places.json"
"""Where fields of the real scans stand that their truth has no place for: [x, y, width, height]."""
MIN_OVERLAP = 0.5  # intersection over union from which a box is the true one
CROSS = "X"  # in the truth of real scans: a cross drawn into an unused box
OTHER_HANDS = {OPTDIGITS: "optdigits-orig.npz", SEMEION: "semeion.npz"}


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Glyphs (n, 28, 28) uint8 that a model is measured on.

    `labels` index CLASSES. `groups` names what each glyph counts under in tables: its page, its kind of mark.
    `uncleaned` (n, 28, 28) are the same boxes as the naive recipe sees them, squeezed with lines and dirt;
    None where there was no box. `overlooked` counts boxes that came out blank though somebody wrote there.
    """

    name: str
    glyphs: Glyphs
    labels: Labels
    groups: tuple[str, ...]
    uncleaned: Glyphs | None = None
    overlooked: int = 0

    def __len__(self) -> int:
        return len(self.labels)


def load_trials(shared: Path | None, validation: LabelledGlyphs, cache: Path) -> tuple[Trial, ...]:
    """Return all trials, those that need `shared` where it is given: a folder with digits/ and forms/.

    Drawn ones are kept as files in `cache`: the same digits give the same trials. Raises DatasetUnreadable.
    """
    trials = [
        _kept(DRAWN_PAGES, lambda name: drawn_pages(name, validation, PAGE_SEEDS), validation, cache),
        paper_trial(validation, cache),
        _kept(MARKS, lambda name: marks(name, validation, MARKS_OF_A_KIND), validation, cache),
    ]
    if shared is None:
        return tuple(trials)
    for name, file in OTHER_HANDS.items():
        if (shared / "digits" / file).exists():
            trials.append(other_hands(name, shared / "digits" / file))
    folders = [shared / "forms" / name for name in REAL_SETS if (shared / "forms" / name).is_dir()]
    return (*trials, *real_pages(folders)) if folders else tuple(trials)


def drawn_pages(name: str, validation: LabelledGlyphs, seeds: Iterable[int]) -> Trial:
    """Return the digits on drawn pages, in boxes that are found and cut as the worker does.

    Odd seeds are written with validation digits, even ones by a hand of our own.
    """
    pasted = PastedDigits(validation.glyphs, validation.labels)
    written: list[_Written] = []
    for seed in seeds:
        form = draw_spec(random_spec(seed), pasted if seed % 2 else None)
        group = "validation digits" if seed % 2 else "own pen strokes"
        boxes = [
            _TrueBox(enclosing_box([quad]), int(character), group)
            for field in form.fields
            for quad, character in zip(field.cells, field.value, strict=True)
            if character.isdigit()
        ]
        written.extend(_cut_from(form.page, boxes))
    return _trial(name, written)


def paper_trial(validation: LabelledGlyphs, cache: Path) -> Trial:
    """Return the validation digits, each once, written into cells as the training ones are."""
    pool = paper_digits(validation, 1, UNSEEN_SEED, cache)
    return Trial(DIGITS_IN_CELLS, pool.glyphs, pool.labels, ("validation digits",) * len(pool))


def marks(name: str, validation: LabelledGlyphs, each: int) -> Trial:
    """Return about `each` marks of each kind, written into cells and cut out, grouped by kind."""
    pasted = PastedDigits(validation.glyphs, validation.labels)
    glyphs: list[Glyph] = []
    groups: list[str] = []
    for number in range(len(MARK_KINDS) * each // CELLS):
        rng = np.random.default_rng((UNSEEN_SEED, number))
        kinds = [MARK_KINDS[(number * CELLS + cell) % len(MARK_KINDS)] for cell in range(CELLS)]
        writer: DigitSource = pasted if number % 2 else PenDigits(random_hand(rng))
        cells = write_in_cells([draw_mark(kind, PEN_HEIGHT, rng, writer) for kind in kinds], rng)
        for kind, glyph in zip(kinds, cells, strict=True):
            if glyph is not None:
                glyphs.append(glyph)
                groups.append(kind)
    labels = np.array([class_of_mark(kind) for kind in groups], np.uint8)
    return Trial(name, np.stack(glyphs), labels, tuple(groups))


def other_hands(name: str, path: Path) -> Trial:
    """Return a data set of other writers' digits, `images` light on black and `labels`, as glyphs."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"].astype(np.uint8)
    except (OSError, ValueError, KeyError) as error:
        raise DatasetUnreadable(f"{path}: {error}; expected an .npz of images and labels") from error
    return Trial(name, np.stack([normalise(image) for image in images]), labels, (name,) * len(labels))


def try_on(read: Read, trial: Trial) -> Mapping[str, Tally]:
    """Return how a model reads a trial, by the groups that its glyphs count under."""
    probabilities = read(trial.glyphs)
    found, digits = probabilities.argmax(axis=1), probabilities[:, : len(DIGITS)].argmax(axis=1)
    uncleaned = None if trial.uncleaned is None else read(trial.uncleaned).argmax(axis=1)
    groups = np.array(trial.groups)
    tallies = {}
    for group in dict.fromkeys(trial.groups):
        here = groups == group
        labels = trial.labels[here]
        tallies[group] = Tally(
            len(labels),
            int((found[here] == labels).sum()),
            int((found[here] < len(DIGITS)).sum()),
            int((digits[here] == labels).sum()),
            None if uncleaned is None else int((uncleaned[here] == labels).sum()),
        )
    return tallies


def real_pages(folders: Sequence[Path]) -> tuple[Trial, Trial]:
    """Return the digits and the crosses in the found boxes of real scans (not photos), grouped by page.

    A page that lies upside down is left out: which way up is not this trial's question.
    """
    digits: list[_Written] = []
    crosses: list[_Written] = []
    for folder in folders:
        for record in _scans(folder):
            boxes = list(_real_boxes(record, folder.name))
            for cut in _cut_from(_page(folder / record["file"]), boxes):
                (crosses if CLASSES[cut.label] == STRUCK else digits).append(cut)
    return _trial(REAL_PAGES, digits), _trial(REAL_CROSSES, crosses)


@dataclass(frozen=True, slots=True)
class _TrueBox:
    box: Box
    label: int
    group: str


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """A found box in which somebody wrote. `glyph`: None where it came out blank."""

    glyph: Glyph | None
    uncleaned: Glyph
    label: int
    group: str


def _trial(name: str, written: Sequence[_Written]) -> Trial:
    seen = [(each.glyph, each) for each in written if each.glyph is not None]
    empty = np.empty((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    return Trial(
        name,
        np.stack([glyph for glyph, _ in seen]) if seen else empty,
        np.array([each.label for _, each in seen], np.uint8),
        tuple(each.group for _, each in seen),
        np.stack([each.uncleaned for _, each in seen]) if seen else empty,
        len(written) - len(seen),
    )


def _cut_from(page: Page, boxes: Sequence[_TrueBox]) -> Iterator[_Written]:
    """Find and cut the boxes of a page, and tell what stands in those of which that is known."""
    fields = find_fields(page).fields
    found: list[tuple[Quad, Cell]] = []
    for field, cells in zip(fields, cut_cells(page, fields), strict=True):
        found.extend(zip(field.cells, cells, strict=True))
    for true in boxes:
        overlaps = [true.box.intersection_over_union(enclosing_box([quad])) for quad, _ in found]
        if overlaps and max(overlaps) >= MIN_OVERLAP:
            quad, cell = found[int(np.argmax(overlaps))]
            yield _Written(cell.glyph, _uncleaned(page, quad), true.label, true.group)


def _uncleaned(page: Page, quad: Quad) -> Glyph:
    """Return a box as it is, its edges cut off, squeezed to a glyph's size and inverted."""
    patch = patch_around(quad)
    margin = round(patch.margin)
    inside = patch.cut_from(page.grey)[margin : patch.height - margin, margin : patch.width - margin]
    squeezed = cv2.resize(inside, (GLYPH_SIDE, GLYPH_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(255 - squeezed, np.uint8)


def _scans(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        record: dict[str, Any] = json.loads(line)
        if record["capture"] == "scan":
            yield record


def _page(path: Path) -> Page:
    content = np.fromfile(path, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if content.size else None
    if image is None:
        raise DatasetUnreadable(f"{path} is no image; fetch it again")
    return Page(np.asarray(image, np.uint8))


def _real_boxes(record: dict[str, Any], folder: str) -> Iterator[_TrueBox]:
    """Divide each field with a known place into its boxes and say which of them hold a digit or a cross."""
    measured = json.loads(REAL_PLACES.read_text(encoding="utf-8")).get(f"{folder}/{record['file']}", {})
    for field in record["fields"]:
        place = field.get("box") or measured.get(field["name"])
        if field.get("letters") or place is None or place[2] < 0:
            continue
        x, y, width, height = place
        step = width / len(field["value"])
        for index, character in enumerate(field["value"]):
            if character.isdigit() or character == CROSS:
                box = Box(round(x + index * step), round(y), round(step), round(height))
                label = CLASSES.index(STRUCK if character == CROSS else character)
                yield _TrueBox(box, label, f"{folder}/{record['file']}")


def _kept(name: str, make: Callable[[str], Trial], validation: LabelledGlyphs, cache: Path) -> Trial:
    """Make a drawn trial, or read it back from the cache."""

    def arrays() -> Arrays:
        trial = make(name)
        return {
            "glyphs": trial.glyphs,
            "labels": trial.labels,
            "groups": np.array(trial.groups),
            "uncleaned": trial.glyphs[:0] if trial.uncleaned is None else trial.uncleaned,
            "overlooked": np.array(trial.overlooked),
        }

    drawn = f"{PAGE_SEEDS} {MARKS_OF_A_KIND} {UNSEEN_SEED} {PAPER_VERSION} {TRIALS_VERSION}"
    made_by = f"{name} {digest(validation)} {drawn}"
    kept = keep(cache, name.replace(" ", "-"), made_by, arrays)
    uncleaned = kept["uncleaned"] if len(kept["uncleaned"]) else None
    groups = tuple(map(str, kept["groups"]))
    return Trial(name, kept["glyphs"], kept["labels"], groups, uncleaned, int(kept["overlooked"]))
