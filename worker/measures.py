"""How well pages were read, in measures that are always these, so that numbers can be compared.

Pure functions over what stands on a page (the truth) and what was read from it (result records).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from segmentation.geometry import Box
from worker.readings import ALWAYS_REVIEWED, FieldStatus
from worker.reliability import Outcome

MIN_OVERLAP = 0.5  # intersection over union from which a read field stands on a true one
BLANK, CROSS, UNREADABLE = "_", "X", "?"
TOUCHES = "touches the box"  # as segmentation says of a cut that it doubts
NEVER_ACCEPTED = -1.0
Z_95 = 1.959964  # two-sided 95 % of the normal distribution


class Miss(StrEnum):
    """Why a true field was not read exactly; where several apply, the first."""

    NOT_FOUND = "not found"
    SPLIT = "split wrong"  # another number of boxes
    BLANK = "blank wrong"  # a digit taken for blank, or a blank for a digit
    CROSS = "cross read as a digit"
    LINE_REST = "line rest"  # misread, and it waits for review with ink that touches a line of its box
    MISREAD = "misread"


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands in a field: one character a printed box, 0-9, "_" blank, "X" crossed out, "?" not readable.

    `box` encloses the field's printed boxes in page pixels; None where nobody measured it.
    """

    name: str
    value: str
    box: Box | None = None

    @property
    def digits(self) -> str:
        """The digits alone; one that is not readable by eye stays "?" and matches anything."""
        return "".join(character for character in self.value if character not in (BLANK, CROSS))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Take a field of a truth.jsonl line."""
        box = record.get("box")
        return cls(record["name"], record["value"], Box(*(round(edge) for edge in box)) if box else None)


@dataclass(frozen=True, slots=True)
class Read:
    """A field as it was read: one label a printed box, "" for blank or struck out."""

    name: str
    cells: tuple[str, ...]
    box: Box
    status: FieldStatus = FieldStatus.ACCEPTED
    confidence: float = 1.0
    confidences: tuple[float, ...] = ()  # of the cells that hold a digit
    reasons: tuple[str, ...] = ()

    @property
    def digits(self) -> str:
        return "".join(self.cells)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Take a line of `digitmill results --format jsonl`."""
        return cls(
            record["field"],
            tuple(record["cells"]),
            Box(*record["box"]),
            FieldStatus(record["status"]),
            record["confidence"],
            tuple(digit["confidence"] for digit in record["digits"]),
            tuple(record["reasons"]),
        )


@dataclass(frozen=True, slots=True)
class FieldScore:
    """A true field and the reading it got, None where it got none."""

    truth: Truth
    read: Read | None

    @property
    def found(self) -> bool:
        return self.read is not None

    @property
    def exact(self) -> bool:
        return self.read is not None and edit_distance(self.truth.digits, self.read.digits) == 0

    @property
    def digit_errors(self) -> int:
        """The edit distance; a field that was not found costs all its digits."""
        return edit_distance(self.truth.digits, self.read.digits if self.read else "")

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        """True and read cell side by side; none where the numbers of boxes differ."""
        if self.read is None or len(self.read.cells) != len(self.truth.value):
            return ()
        return tuple(zip(self.truth.value, self.read.cells, strict=True))

    @property
    def miss(self) -> Miss | None:
        """Why the field was not read exactly, None where it was."""
        if self.exact:
            return None
        if not self.found:
            return Miss.NOT_FOUND
        if not self.cells:
            return Miss.SPLIT
        if any((true == BLANK and read) or (true.isdigit() and not read) for true, read in self.cells):
            return Miss.BLANK
        if any(true == CROSS and read for true, read in self.cells):
            return Miss.CROSS
        return Miss.LINE_REST if self.read and TOUCHES in self.read.reasons else Miss.MISREAD


@dataclass(frozen=True, slots=True)
class PageScore:
    fields: tuple[FieldScore, ...]
    spurious: tuple[Read, ...]  # non-blank, and on no true field


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over pages; they add up, and the rates follow from them."""

    pages: int = 0
    fields: int = 0
    found: int = 0
    exact: int = 0
    digits: int = 0
    digit_errors: int = 0
    spurious: int = 0
    blank_cells: int = 0  # of fields found with the right number of boxes
    blanks_read: int = 0  # of these: taken for a digit
    digit_cells: int = 0  # likewise
    digits_overlooked: int = 0  # of these: taken for blank

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def digit_error(self) -> float:
        return _share(self.digit_errors, self.digits)

    @property
    def field_exact(self) -> float:
        return _share(self.exact, self.fields)

    @property
    def fields_found(self) -> float:
        return _share(self.found, self.fields)

    @property
    def spurious_per_page(self) -> float:
        return _share(self.spurious, self.pages)

    @property
    def blanks_right(self) -> float:
        return _share(self.blank_cells - self.blanks_read, self.blank_cells)


def score_page(truths: Sequence[Truth], reads: Sequence[Read]) -> PageScore:
    """Match a page's readings to its true fields, one to one, and say what is left over.

    A true field with a box takes the reading that overlaps it most, by MIN_OVERLAP at least; one without
    takes the reading nearest by value. Both sequences are in reading order, which breaks ties.
    """
    pairs: dict[int, int] = {}
    for boxed in (True, False):
        candidates = sorted(
            (*_distance(truth, read), t, r)
            for t, truth in enumerate(truths)
            for r, read in enumerate(reads)
            if (truth.box is not None) == boxed and _may_match(truth, read)
        )
        for *_, t, r in candidates:
            if t not in pairs and r not in pairs.values():
                pairs[t] = r
    scores = tuple(
        FieldScore(truth, reads[pairs[t]] if t in pairs else None) for t, truth in enumerate(truths)
    )
    taken = set(pairs.values())
    return PageScore(scores, tuple(read for r, read in enumerate(reads) if r not in taken and read.digits))


def by_field(pages: Iterable[PageScore]) -> dict[str, tuple[FieldScore, ...]]:
    """Return the scores of each field of the form, by its name and in the order in which names first come."""
    scores: dict[str, list[FieldScore]] = {}
    for page in pages:
        for score in page.fields:
            scores.setdefault(score.truth.name, []).append(score)
    return {name: tuple(each) for name, each in scores.items()}


def tally(pages: Iterable[PageScore]) -> Tally:
    """Count what `score_page` said of many pages."""
    return sum((_count(page) for page in pages), Tally())


def numbers_read(pages: Iterable[PageScore]) -> Iterator[tuple[Read, bool]]:
    """Yield each field that is read as a number, and whether it is right; on no true field it is wrong."""
    for page in pages:
        for score in page.fields:
            if score.read is not None and score.read.digits:
                yield score.read, score.exact
        for read in page.spurious:
            yield read, False


def field_outcomes(pages: Iterable[PageScore]) -> Iterator[Outcome]:
    """Yield of each field that is read as a number how confident that was, and whether it was right.

    What waits for review whatever its confidence has one that no threshold accepts.
    """
    for read, right in numbers_read(pages):
        yield (NEVER_ACCEPTED if ALWAYS_REVIEWED & set(read.reasons) else read.confidence), right


def digit_outcomes(pages: Iterable[PageScore]) -> Iterator[Outcome]:
    """Yield of each box read as a digit how confident that was, and whether the digit is right.

    Of fields found with the right number of boxes; where nobody can tell what is right there is no outcome.
    """
    for page in pages:
        for score in page.fields:
            if score.read is None or not score.read.confidences:
                continue
            confidences = iter(score.read.confidences)
            for true, label in score.cells:
                if label:
                    confidence = next(confidences)
                    if true != UNREADABLE:
                        yield confidence, true == label


def edit_distance(true: str, read: str) -> int:
    """Return how many characters must change, go or come (Levenshtein 1966); a true "?" matches any one."""
    previous = list(range(len(read) + 1))
    for row, wanted in enumerate(true, start=1):
        current = [row]
        for column, got in enumerate(read, start=1):
            change = previous[column - 1] + (wanted not in (got, UNREADABLE))
            current.append(min(change, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def wilson(successes: int, trials: int) -> Interval:
    """Return the 95 % interval of a share (Wilson 1927); without trials it is everything from 0 to 1."""
    if not trials:
        return Interval(0.0, 1.0)
    share, spread = successes / trials, Z_95**2 / trials
    centre = share + spread / 2
    reach = Z_95 * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low, high = (centre - reach) / (1 + spread), (centre + reach) / (1 + spread)
    return Interval(max(0.0, low), min(1.0, high))


def _may_match(truth: Truth, read: Read) -> bool:
    """By value, a reading that is off by as many digits as there are boxes is no reading of that field."""
    if truth.box is not None:
        return truth.box.intersection_over_union(read.box) >= MIN_OVERLAP
    distance = edit_distance(truth.digits, read.digits)
    return distance == 0 or distance < len(truth.value)


def _distance(truth: Truth, read: Read) -> tuple[float, int]:
    """By value, of two readings equally near the one with as many boxes is nearer."""
    if truth.box is not None:
        return 1 - truth.box.intersection_over_union(read.box), 0
    return edit_distance(truth.digits, read.digits), abs(len(truth.value) - len(read.cells))


def _count(page: PageScore) -> Tally:
    cells = [pair for score in page.fields for pair in score.cells]
    return Tally(
        pages=1,
        fields=len(page.fields),
        found=sum(score.found for score in page.fields),
        exact=sum(score.exact for score in page.fields),
        digits=sum(len(score.truth.digits) for score in page.fields),
        digit_errors=sum(score.digit_errors for score in page.fields),
        spurious=len(page.spurious),
        blank_cells=sum(true == BLANK for true, _ in cells),
        blanks_read=sum(true == BLANK and read != "" for true, read in cells),
        digit_cells=sum(true.isdigit() for true, _ in cells),
        digits_overlooked=sum(true.isdigit() and read == "" for true, read in cells),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
