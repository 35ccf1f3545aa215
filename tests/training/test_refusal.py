from __future__ import annotations

import numpy as np
import pytest

from training.dataset import Glyphs
from training.refusal import refusal, refusals
from training.scaling import Floats
from training.scorecard import Passed
from training.trials import Trial


def read(glyphs: Glyphs) -> Floats:
    """Read every glyph as a 7 with its first pixel's percent, and as no digit with its second one's."""
    seven, other = glyphs[:, 0, 0] / 100, glyphs[:, 0, 1] / 100
    nothing = np.zeros_like(seven)
    return np.stack([*[nothing] * 7, seven, *[nothing] * 3, other], axis=1)


def trial(name: str, percents: list[tuple[int, int]], groups: tuple[str, ...] = ()) -> Trial:
    glyphs = np.zeros((len(percents), 28, 28), np.uint8)
    glyphs[:, 0, :2] = percents
    labels = np.full(len(percents), 7, np.uint8)
    return Trial(name, glyphs, labels, groups or ("pens",) * len(percents))


DIGITS = trial("drawn pages", [(40, 0), (60, 0), *[(90, 0)] * 99])
MARKS = trial(
    "marks",
    [(99, 0), (61, 30), (20, 70), (99, 0), (55, 0)],
    ("slash", "slash", "slash", "lookalike letter", "dash"),
)


def test_the_threshold_refuses_one_digit_in_a_hundred_and_what_passes_is_counted_by_kind() -> None:
    counted = refusal(DIGITS, MARKS, read)

    assert counted.threshold == pytest.approx(0.6)
    assert counted.kinds == {
        "slash": Passed(3, 2),
        "lookalike letter": Passed(1, 1),
        "dash": Passed(1, 0),
    }
    assert counted.passed == Passed(4, 2)


def test_where_more_digits_are_taken_for_something_else_every_mark_read_as_a_digit_passes() -> None:
    doubted = trial("drawn pages", [*[(90, 0)] * 98, *[(30, 60)] * 3])

    assert refusal(doubted, MARKS, read).kinds["slash"] == Passed(3, 2)
    assert refusal(doubted, MARKS, read).kinds["dash"] == Passed(1, 1)


def test_without_marks_nothing_is_counted() -> None:
    assert refusals([DIGITS], read) == ()
    assert [each.digits for each in refusals([DIGITS, MARKS], read)] == ["drawn pages"]
