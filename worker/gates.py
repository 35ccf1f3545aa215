"""Accuracy gates: what measures must come to, so that a script can stop where they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.settings import parse_share

AT_LEAST = ("found", "exact", "blanks_right", "pages_per_second")
AT_MOST = ("digit_error", "spurious", "accepted_wrong", "calibration_error")


@dataclass(frozen=True, slots=True)
class Gate:
    """A measure and the worst that it may come to."""

    measure: str
    limit: float

    @property
    def wants_more(self) -> bool:
        return self.measure in AT_LEAST

    def holds(self, measured: Mapping[str, float]) -> bool:
        """Tell whether it is met; where there was nothing to measure it is not."""
        value = measured[self.measure]
        if math.isnan(value):
            return False
        return value >= self.limit if self.wants_more else value <= self.limit

    def __str__(self) -> str:
        return f"{self.measure} {'at least' if self.wants_more else 'at most'} {self.limit:g}"


def parse_gates(text: str, measures: Sequence[str]) -> tuple[Gate, ...]:
    """Return the gates of a text such as "exact=95%, found=0.99". Raises ValueError, for a person.

    `measures` are those that the text may name. A text that names none is refused: a script whose variable
    is not set would pass whatever its scans come to.
    """
    gates = []
    for part in filter(str.strip, text.split(",")):
        measure, _, limit = (piece.strip() for piece in part.partition("="))
        if measure not in measures:
            raise ValueError(f"{measure!r} is none of {', '.join(measures)}")
        try:
            value = float(str(parse_share(limit)))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{part.strip()!r} names no limit; write it as {measure}=95% or {measure}=0.95")
        gates.append(Gate(measure, value))
    if not gates:
        raise ValueError(f"no gate is named; write it as {measures[0]}=95%")
    return tuple(gates)
