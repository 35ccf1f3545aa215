"""What was read: one value a cell, a field and a page. Plain values, no arrays, nothing of the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from segmentation.geometry import Box

LOW_CONFIDENCE = "low confidence"
NOT_A_DIGIT = "not a digit"
BLANK_INSIDE = "blank between digits"
STRUCK_INSIDE = "struck out between digits"
PART_OF_FIELD = "may be a part of a field"
FOR_A_TICK = "may be a tick"
MAY_BE_LINE = "may be a line"
BLANK_BEHIND = "blank behind the number"
ALWAYS_REVIEWED = frozenset(
    {NOT_A_DIGIT, BLANK_INSIDE, STRUCK_INSIDE, PART_OF_FIELD, FOR_A_TICK, MAY_BE_LINE, BLANK_BEHIND}
)
"""Reasons for which a field waits for review however confident its reading is."""


class FieldStatus(StrEnum):
    ACCEPTED = "accepted"
    REVIEW = "review"
    INVALID = "invalid"
    CORRECTED = "corrected"
    BLANK = "blank"
    STRUCK = "struck"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one printed box says. `label` is "" where it is blank or struck out; confidence speaks of that."""

    label: str
    confidence: float  # 0 to 1
    runner_up: str | None  # the most probable other one of CLASSES, None for a blank cell
    probabilities: tuple[float, ...]  # of CLASSES, as far as the model knows them; empty for a blank cell
    box: Box  # of the ink; of the printed box where it is blank


@dataclass(frozen=True, slots=True)
class FieldReading:
    """A field's value and how far to trust it.

    `value` joins the cells: outer blanks dropped, an inner one as a space.
    """

    name: str
    readings: tuple[Reading, ...]  # one per printed box, from left to right
    value: str
    confidence: float
    status: FieldStatus
    reasons: tuple[str, ...]  # why it waits for review, short words such as "low confidence"
    box: Box

    @property
    def cells(self) -> tuple[str, ...]:
        return tuple(reading.label for reading in self.readings)


@dataclass(frozen=True, slots=True)
class PageReading:
    fields: tuple[FieldReading, ...]  # in reading order
    skew_degrees: float
    reason: str = ""  # why a person has to look at the whole page, such as that nothing was found on it
