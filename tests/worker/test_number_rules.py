"""Each rule against its definition, on every number of few digits or on published examples."""

from __future__ import annotations

from itertools import product

import pytest

from worker.number_rules import (
    LUHN,
    MOD_11_2,
    MOD_11_10,
    MOD_97_10,
    Between,
    DigitsAt,
    Length,
    NumberRule,
    WeightedSum,
)

NUMBERS = ["".join(digits) for length in (1, 2, 3, 4) for digits in product("0123456789", repeat=length)]


def admits(rule: NumberRule, number: str) -> bool:
    state = rule.start
    for digit in number:
        state = rule.step(state, int(digit))
        if state is None:
            return False
    return rule.admits(state)


def admitted(rule: NumberRule) -> list[str]:
    return [number for number in NUMBERS if admits(rule, number)]


def test_length_counts_digits() -> None:
    assert admitted(Length(2, 3)) == [number for number in NUMBERS if 2 <= len(number) <= 3]


def test_each_place_has_digits_of_its_own() -> None:
    days = DigitsAt(("0123", "0123456789"))

    assert admitted(days) == [f"{day:02d}" for day in range(40)]


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 9), (5, 5), (1, 12), (7, 120), (90, 1041), (100, 999)])
def test_a_range_admits_what_lies_in_it_zeros_in_front_or_not(low: int, high: int) -> None:
    assert admitted(Between(low, high)) == [number for number in NUMBERS if low <= int(number) <= high]


def test_a_weighted_sum_is_taken_place_by_place() -> None:
    rule = WeightedSum((3, 1, 7), modulus=10, remainder=4)

    assert admitted(rule) == [
        number
        for number in NUMBERS
        if len(number) == 3 and (3 * int(number[0]) + int(number[1]) + 7 * int(number[2])) % 10 == 4
    ]


def test_mod_97_10_leaves_one() -> None:
    assert admitted(MOD_97_10) == [number for number in NUMBERS if int(number) % 97 == 1]


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        (LUHN, "79927398713"),  # ISO/IEC 7812, as quoted everywhere
        (LUHN, "4012888888881881"),
        (MOD_11_2, "0000000218250097"),  # an ORCID (Josiah Carberry's is 0000000218250097)
        (MOD_11_10, "07945"),  # ISO 7064's own example: 0794 gets 5
        (MOD_11_10, "86095742719"),  # a German tax number, as its specification quotes it
        (MOD_97_10, "3214282912345698765432161182"),  # an IBAN in digits: GB82 WEST 1234 5698 7654 32
    ],
)
def test_a_check_digit_admits_the_published_number_and_no_single_mistake(
    rule: NumberRule, number: str
) -> None:
    assert admits(rule, number)
    for place, digit in product(range(len(number)), "0123456789"):
        if digit != number[place]:
            assert not admits(rule, number[:place] + digit + number[place + 1 :])
