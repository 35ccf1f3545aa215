"""Decoding against its definition: all ways to fill the cells, added up value by value."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.decoding import NOTHING, Odds, decode, value_probability
from worker.number_rules import LUHN, MOD_11_10, MOD_97_10, Between, DigitsAt, Length, NumberRule, WeightedSum

RULES: tuple[tuple[NumberRule, ...], ...] = (
    (),
    (Length(2, 2),),
    (Between(5, 42),),
    (DigitsAt(("01", "0123456789", "5")),),
    (LUHN,),
    (MOD_11_10, Length(3, 3)),
    (WeightedSum((2, 1, 3), modulus=7),),
)


def odds(*cells: dict[str, float]) -> Odds:
    """A row a cell, from label (a digit, or "" for nothing) to probability."""
    labels = [*"0123456789", ""]
    return [[cell.get(label, 0.0) for label in labels] for cell in cells]


def admits(rules: Sequence[NumberRule], value: str) -> bool:
    if not rules or not value:
        return True
    if " " in value:
        return False
    for rule in rules:
        state = rule.start
        for digit in value:
            state = rule.step(state, int(digit))
            if state is None:
                return False
        if not rule.admits(state):
            return False
    return True


def by_definition(cells: Odds, rules: Sequence[NumberRule]) -> dict[str, float]:
    """The probability of every admitted value, by filling the cells in all ways."""
    values: dict[str, float] = defaultdict(float)
    possible = [[symbol for symbol, probability in enumerate(row) if probability] for row in cells]
    for symbols in product(*possible):
        value = "".join(" " if symbol == NOTHING else str(symbol) for symbol in symbols).strip()
        if admits(rules, value):
            values[value] += math.prod(row[symbol] for row, symbol in zip(cells, symbols, strict=True))
    return values


@st.composite
def doubtful_cells(draw: st.DrawFn) -> Odds:
    """One to four cells with three possible symbols each, and a rest that is no value."""
    cells = []
    for _ in range(draw(st.integers(1, 4))):
        labels = draw(st.lists(st.sampled_from([*"0123456789", ""]), min_size=3, max_size=3, unique=True))
        shares = draw(st.lists(st.floats(0.001, 1), min_size=4, max_size=4))
        cells.append({label: share / sum(shares) for label, share in zip(labels, shares, strict=False)})
    return odds(*cells)


@pytest.mark.parametrize("rules", RULES, ids=str)
@settings(max_examples=150, deadline=None)
@given(cells=doubtful_cells())
def test_the_most_probable_admitted_value_is_found_with_its_probability(
    rules: tuple[NumberRule, ...], cells: Odds
) -> None:
    values = by_definition(cells, rules)
    admitted = sum(values.values())

    decoded = decode(cells, rules)

    assert decoded.admitted == pytest.approx(admitted)
    if values:
        whole = admitted if rules else 1.0
        assert decoded.probability == pytest.approx(max(values.values()) / whole)
        assert values[decoded.value] == pytest.approx(max(values.values()))
        assert value_probability(cells, decoded.value) == pytest.approx(values[decoded.value])
        assert "".join(label or " " for label in decoded.cells).strip() == decoded.value


def test_without_doubt_about_blanks_a_value_is_as_probable_as_its_cells_together() -> None:
    cells = odds({"": 1.0}, {"2": 0.9, "7": 0.1}, {"7": 0.8, "1": 0.2})

    decoded = decode(cells)

    assert (decoded.value, decoded.cells) == ("27", ("", "2", "7"))
    assert decoded.probability == pytest.approx(0.72)


def test_a_value_gains_from_every_place_where_it_may_stand() -> None:
    cells = odds({"": 0.5, "1": 0.5}, {"": 0.5, "1": 0.5})

    assert decode(cells).value == "1"  # each place has 0.25, as "" and "11" have
    assert decode(cells).probability == 0.5


def test_what_is_no_value_speaks_against_all() -> None:
    decoded = decode(odds({"3": 0.2, "": 0.1}))  # 0.7 for a letter

    assert (decoded.value, decoded.probability) == ("3", 0.2)
    assert decoded.admitted == pytest.approx(0.3)


def test_a_blank_between_digits_is_a_space_where_no_rule_speaks() -> None:
    cells = odds({"4": 1.0}, {"": 0.9, "0": 0.1}, {"2": 1.0})

    assert decode(cells).value == "4 2"
    assert decode(cells, (Length(3, 3),)).value == "402"


def test_rules_share_the_probability_among_what_they_admit() -> None:
    decoded = decode(odds({"7": 0.6, "1": 0.3}), (Between(0, 5),))

    assert (decoded.value, decoded.probability) == ("1", 1.0)
    assert decoded.admitted == pytest.approx(0.3)


def test_a_check_digit_turns_the_doubtful_digit() -> None:
    sure = [{label: 0.99, "0": 0.01} for label in "7992739871"]
    cells = odds(*sure[:4], {"1": 0.55, "7": 0.45}, *sure[5:], {"3": 1.0})

    assert decode(cells).value == "79921398713"
    assert decode(cells, (LUHN,)).value == "79927398713"


def test_an_empty_field_is_empty_whatever_the_rules() -> None:
    decoded = decode(odds({"": 0.99, "1": 0.01}), (Between(1, 9),))

    assert (decoded.value, decoded.probability) == ("", 0.99)


def test_cells_that_can_hold_no_admitted_value_give_none() -> None:
    decoded = decode(odds({"7": 1.0}), (Between(0, 5),))

    assert (decoded.value, decoded.probability, decoded.admitted) == ("", 0.0, 0.0)


@pytest.mark.parametrize("rules", [(), (MOD_97_10,), (Between(1, 10**15), LUHN)], ids=str)
def test_sixteen_flat_cells_are_decoded_in_bounded_time(rules: tuple[NumberRule, ...]) -> None:
    nearly_flat = np.random.default_rng(0).normal(0.08, 0.002, (16, 11)).tolist()
    started = time.process_time()

    decode([[1 / 11] * 11] * 16, rules)
    decode(nearly_flat, rules)

    assert time.process_time() - started < 5.0
