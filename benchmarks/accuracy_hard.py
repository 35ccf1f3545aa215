"""Drawn pages of every kind of boxes under every damage: read in several processes, with what went wrong."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2

from benchmarks.accuracy_runs import Floor, ReadPage, read_fields, validation_digits
from segmentation.cells import cut_cells
from segmentation.geometry import Box
from segmentation.page import Field
from training.forms import BoxKind, DigitSource, DrawnPage, PageDamage, PlacedField, random_hard_form
from worker.acceptance import reading_rules
from worker.measures import FieldScore, PageScore, Tally, Truth, score_page, tally
from worker.pipeline import Classify, ReadingRules
from worker.readings import FieldStatus
from worker.recogniser import Recogniser
from worker.settings import Settings

ROUND = len(BoxKind) * len(PageDamage)  # so many seeds draw every pair once
NAMES, PARTS, ELSEWHERE = "letters of a name", "part of a digit field", "elsewhere"


class Cause(StrEnum):
    """Why a drawn field was not read exactly; where several apply, the first."""

    NOT_FOUND = "not found"
    SPLIT = "split wrong"  # another number of boxes, or of digits in one box
    MISPLACED = "wrong place"  # read right where the boxes truly are: cut beside them, or turned
    LINE_REST = "line rest"  # the same ink is read right where nothing is printed round it
    MISREAD = "misread"


@dataclass(frozen=True, slots=True)
class HardRead:
    """A drawn page that was read. What is read in the boxes of a name is spurious only if it was accepted."""

    seed: int
    kind: BoxKind
    damage: PageDamage
    is_photo: bool
    score: PageScore
    causes: tuple[Cause, ...]  # of the fields that were not read exactly
    accepted: tuple[str, ...]  # where each value stands that was accepted and is on no true field

    @property
    def is_whole(self) -> bool:
        return self.kind is BoxKind.WHOLE


@dataclass(frozen=True, slots=True)
class HardReader:
    """All that reading a drawn page takes; made in the process that reads."""

    classify: Classify
    rules: ReadingRules
    digits: DigitSource | None = None

    def draw(self, seed: int, *, bare: bool = False) -> DrawnPage:
        """Draw the page of a seed; every second time round the kinds it is written with `digits`."""
        source = self.digits if seed // len(BoxKind) % 2 else None
        return random_hard_form(seed, digits=source, bare=bare)

    def read(self, seed: int) -> HardRead:
        page = self.draw(seed)
        truths = [Truth(field.name, field.value, field.box) for field in page.fields]
        score = score_page(truths, read_fields(page.page, self.classify, self.rules))
        stray = [read for read in score.spurious if read.status is FieldStatus.ACCEPTED]
        spurious = tuple(
            read
            for read in score.spurious
            if read.status is FieldStatus.ACCEPTED or place_of(read.box, page) != NAMES
        )
        return HardRead(
            seed,
            page.kind,
            page.damage,
            page.is_photo,
            replace(score, spurious=spurious),
            tuple(self._causes(page, score)),
            tuple(place_of(read.box, page) for read in stray),
        )

    def _causes(self, page: DrawnPage, score: PageScore) -> Iterator[Cause]:
        bare: DrawnPage | None = None
        for field, each in zip(page.fields, score.fields, strict=True):
            if each.exact:
                continue
            if each.read is None:
                yield Cause.NOT_FOUND
            elif len(each.read.cells) != _places(page.kind, field):
                yield Cause.SPLIT
            elif page.kind is BoxKind.WHOLE:
                yield Cause.MISREAD
            elif self._reads_right(page, each):
                yield Cause.MISPLACED
            else:
                bare = bare or self.draw(page.seed, bare=True)
                yield Cause.LINE_REST if self._reads_right(bare, each) else Cause.MISREAD

    def _reads_right(self, page: DrawnPage, score: FieldScore) -> bool:
        """Return whether what is written in a field is read exactly, given where its boxes truly are."""
        (field,) = (each for each in page.fields if each.name == score.truth.name)
        (row,) = cut_cells(page.page, [Field(field.name, field.whites, field.box)])
        value = ""
        for cell in row:
            if cell.glyph is not None:
                label = int(self.classify(cell.glyph[None])[0].argmax())
                value += str(label) if label < len("0123456789") else ""
        return value == score.truth.digits


def place_of(box: Box, page: DrawnPage) -> str:
    """Return what stands on a page where a box has its middle; of a field it is a part, or too much."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    if any(_within(x, y, field.box) for field in page.fields):
        return PARTS
    if any(_within(x, y, comb.box) for comb in page.letters):
        return NAMES
    for distractor in page.distractors:
        if _within(x, y, distractor.box):
            return distractor.kind.value
    return ELSEWHERE


def read_hard(
    seeds: Sequence[int], data: Path, model: Path | None = None, *, processes: int = 1
) -> list[HardRead]:
    """Draw and read a page for each seed, in order. MNIST, where it is in `data`, writes half of them."""
    with multiprocessing.get_context("spawn").Pool(processes, _open, (data, model)) as pool:
        return list(pool.imap(_read, seeds, chunksize=2))


def default_rules(recogniser: Recogniser) -> ReadingRules:
    """Return when a field is accepted where the settings say nothing else."""
    return reading_rules(Settings.read(), recogniser.card, None)


def pages_again(reads: Iterable[HardRead], data: Path) -> Iterator[ReadPage]:
    """Draw the pages once more of which something was missed, one at a time, for contact sheets."""
    reader = HardReader(Recogniser.load(), ReadingRules(), validation_digits(data))
    for read in reads:
        if read.causes or read.score.spurious:
            name = f"hard seed {read.seed} ({read.kind}, {read.damage})"
            yield ReadPage(name, reader.draw(read.seed).page, read.score, {})


def hard_goals(reads: Sequence[HardRead]) -> list[Floor]:
    """Return what pages of all kinds and damages shall reach. Whole numbers are counted on scans."""
    scans, photos = (
        _tally(read for read in reads if not read.is_whole and read.is_photo == is_photo)
        for is_photo in (False, True)
    )
    whole = _tally(read for read in reads if read.is_whole and not read.is_photo)
    return [
        Floor("scans: fields found", 0.99, scans.fields_found),
        Floor("scans: fields exact", 0.96, scans.field_exact),
        Floor("scans: digit error", 0.008, scans.digit_error, at_most=True),
        Floor("scans: blank cells right", 0.998, scans.blanks_right),
        Floor("scans: spurious fields a page", 0.05, scans.spurious_per_page, at_most=True),
        Floor("photos: fields found", 0.97, photos.fields_found),
        Floor("photos: fields exact", 0.92, photos.field_exact),
        Floor("whole numbers: found", 0.99, whole.fields_found),
        Floor("whole numbers: exact", 0.90, whole.field_exact),
        Floor("accepted where no field is", 0, sum(len(read.accepted) for read in reads), at_most=True),
    ]


def _tally(reads: Iterable[HardRead]) -> Tally:
    return tally(read.score for read in reads)


def _places(kind: BoxKind, field: PlacedField) -> int:
    """Return how many cells a reading of the field has, if it is cut right."""
    return len(field.value) if kind is BoxKind.WHOLE else len(field.cells)


def _within(x: float, y: float, box: Box) -> bool:
    return box.x <= x < box.right and box.y <= y < box.bottom


_here: list[HardReader] = []  # of this process; a session cannot be sent to another one


def _open(data: Path, model: Path | None) -> None:
    cv2.setNumThreads(1)
    recogniser = Recogniser.load(model)
    _here.append(HardReader(recogniser, default_rules(recogniser), validation_digits(data)))


def _read(seed: int) -> HardRead:
    return _here[0].read(seed)
