from __future__ import annotations

import math

import pytest

from worker.gates import AT_LEAST, AT_MOST, Gate, parse_gates

MEASURES = (*AT_LEAST, *AT_MOST)


def test_limits_are_written_as_shares_or_percentages() -> None:
    gates = parse_gates("exact=95%, digit_error=0.01", MEASURES)

    assert gates == (Gate("exact", 0.95), Gate("digit_error", 0.01))


@pytest.mark.parametrize(
    ("gate", "value", "holds"),
    [
        ("exact=95%", 0.95, True),
        ("exact=95%", 0.9499, False),
        ("digit_error=1%", 0.01, True),
        ("digit_error=1%", 0.0101, False),
        ("exact=0", math.nan, False),
        ("digit_error=100%", math.nan, False),
    ],
)
def test_a_gate_holds_on_its_good_side_and_where_something_was_measured(
    gate: str, value: float, holds: bool
) -> None:
    (parsed,) = parse_gates(gate, MEASURES)

    assert parsed.holds({parsed.measure: value}) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exactness=1", "is none of found, exact"),
        ("exact", "exact=95%"),
        ("exact=x%", "exact="),
        ("", "no gate is named"),
        (" , ", "no gate is named"),
    ],
)
def test_what_is_no_gate_is_refused_with_what_would_be_one(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_gates(text, MEASURES)
