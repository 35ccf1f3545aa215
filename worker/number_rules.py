"""Which numbers can be meant: automata that read a number digit by digit, from left to right.

A rule has few states, however many digits a number has: decoding takes time in proportion to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

State = Any  # hashable; what it is, is the rule's own affair


class NumberRule(Protocol):
    """What decoding asks of a rule. No state is None; `admits` is asked after one digit at least."""

    @property
    def start(self) -> State:
        """The state before the first digit."""

    def step(self, state: State, digit: int, /) -> State | None:
        """Return the state after one more digit, None where no number that can be meant begins so."""

    def admits(self, state: State, /) -> bool:
        """Whether the digits so far are a number that can be meant."""


@dataclass(frozen=True, slots=True)
class Length:
    """At least and at most so many digits."""

    least: int
    most: int

    @property
    def start(self) -> int:
        return 0

    def step(self, count: int, _digit: int) -> int | None:
        return count + 1 if count < self.most else None

    def admits(self, count: int) -> bool:
        return count >= self.least


@dataclass(frozen=True, slots=True)
class DigitsAt:
    """One of these digits at each place: ("01", "0123456789") is any number from 00 to 19, in two digits."""

    places: tuple[str, ...]

    @property
    def start(self) -> int:
        return 0

    def step(self, place: int, digit: int) -> int | None:
        return place + 1 if place < len(self.places) and str(digit) in self.places[place] else None

    def admits(self, place: int) -> bool:
        return place == len(self.places)


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included and neither negative; zeros may lead it.

    The state: how many digits came after the leading zeros, and how they compare to as many of each bound.
    """

    low: int
    high: int

    @property
    def start(self) -> tuple[int, int, int]:
        return (0, 0, 0)

    def step(self, state: tuple[int, int, int], digit: int) -> tuple[int, int, int] | None:
        count, to_low, to_high = state
        if count == 0 and digit == 0:
            return state
        if count == len(str(self.high)):
            return None
        return (
            count + 1,
            to_low or _compared(digit, str(self.low), count),
            to_high or _compared(digit, str(self.high), count),
        )

    def admits(self, state: tuple[int, int, int]) -> bool:
        count, to_low, to_high = state
        if count == 0:
            return self.low == 0
        return (count, to_low) >= (len(str(self.low)), 0) and (count, to_high) <= (len(str(self.high)), 0)


def _compared(digit: int, bound: str, place: int) -> int:
    """Return -1, 0 or 1 as the digit is less than the bound's at this place, equal or more."""
    theirs = int(bound[place]) if place < len(bound) else 0
    return (digit > theirs) - (digit < theirs)


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """As many digits as weights, whose weighted sum leaves `remainder` when divided by `modulus`."""

    weights: tuple[int, ...]
    modulus: int
    remainder: int = 0

    @property
    def start(self) -> tuple[int, int]:
        return (0, 0)

    def step(self, state: tuple[int, int], digit: int) -> tuple[int, int] | None:
        place, total = state
        if place == len(self.weights):
            return None
        return place + 1, (total + digit * self.weights[place]) % self.modulus

    def admits(self, state: tuple[int, int]) -> bool:
        return state == (len(self.weights), self.remainder)


@dataclass(frozen=True, slots=True)
class Remainder:
    """A number that, read in base `radix`, leaves `remainder` when divided by `modulus`.

    These are the pure systems of ISO 7064, as far as their check characters are digits.
    """

    modulus: int
    radix: int = 10
    remainder: int = 1

    @property
    def start(self) -> int:
        return 0

    def step(self, total: int, digit: int) -> int:
        return (total * self.radix + digit) % self.modulus

    def admits(self, total: int) -> bool:
        return total == self.remainder


@dataclass(frozen=True, slots=True)
class Hybrid:
    """The hybrid system of ISO 7064 with one check digit, MOD 11,10."""

    @property
    def start(self) -> int:
        return 5  # of which 2 * 5 leaves the 10 that the standard begins with

    def step(self, product: int, digit: int) -> int:
        return (2 * (product or 10) % 11 + digit) % 10

    def admits(self, product: int) -> bool:
        return product == 1


@dataclass(frozen=True, slots=True)
class Luhn:
    """The check digit of card numbers (Luhn 1960, ISO/IEC 7812): from the right every other digit doubled.

    Read from the left nobody knows yet which ones these are, so the state is both sums.
    """

    @property
    def start(self) -> tuple[int, int]:
        return (0, 0)

    def step(self, sums: tuple[int, int], digit: int) -> tuple[int, int]:
        last_as_it_is, last_doubled = sums
        return (last_doubled + digit) % 10, (last_as_it_is + 2 * digit - 9 * (digit > 4)) % 10

    def admits(self, sums: tuple[int, int]) -> bool:
        return sums[0] == 0


MOD_97_10 = Remainder(97)
MOD_11_2 = Remainder(11, radix=2)
MOD_11_10 = Hybrid()
LUHN = Luhn()
