"""May a new model take an old one's place? Only if it reads what it was made for better, and no other worse.

Both read the same glyphs, so only those count that one has right and the other has not: the sign test
(McNemar 1947, exact).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.files import replace_file

BETTER_BY_CHANCE = 0.05  # how likely a model that is no better may look better on the user's own digits
WORSE_BY_CHANCE = 0.05  # how likely a loss may be by chance and still count against it

Labels = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same glyphs: how many each has right, and how many only one of them has."""

    name: str
    images: int
    before: int
    after: int
    mended: int  # by the new model
    broken: int

    @classmethod
    def of(cls, name: str, truth: Labels, before: Labels, after: Labels) -> Paired:
        was, now = before == truth, after == truth
        counts = (was, now, now & ~was, was & ~now)
        return cls(name, len(truth), *(int(each.sum()) for each in counts))

    @property
    def by_chance_better(self) -> float:
        """How likely so many of the changes are for the better if a change is as likely for the worse."""
        return _at_least(self.mended, self.mended + self.broken)

    @property
    def by_chance_worse(self) -> float:
        return _at_least(self.broken, self.mended + self.broken)


def objections(own: Paired, old: Sequence[Paired]) -> list[str]:
    """Return what speaks against the new model, in sentences; nothing where it may take the place."""
    found = []
    if own.after <= own.before:
        found.append(
            f"of the {own.images} images set aside it reads {own.after} right, the old one {own.before}"
        )
    elif own.by_chance_better > BETTER_BY_CHANCE:
        found.append(
            f"of the {own.images} images set aside it mends {own.mended} and breaks {own.broken}: "
            f"chance does as well {own.by_chance_better:.0%} of the time; more images would tell"
        )
    found += [
        f"{test.name}: it mends {test.mended} and breaks {test.broken} of {test.images:,}"
        for test in old
        if test.by_chance_worse <= WORSE_BY_CHANCE
    ]
    return found


def put_in_place(content: bytes, model: Path) -> Path | None:
    """Write a model file, and return where the one that was there is kept; None where none was.

    Whoever opens `model` meanwhile finds the old file or the new one.
    """
    kept = None
    if model.exists():
        old = model.read_bytes()
        kept = model.with_name(f"{model.stem}-{hashlib.sha256(old).hexdigest()[:12]}{model.suffix}")
        replace_file(kept, old)
    replace_file(model, content)
    return kept


def _at_least(heads: int, throws: int) -> float:
    """Return the probability of so many heads or more in throws of a fair coin."""
    return sum(math.comb(throws, n) for n in range(heads, throws + 1)) / (1 << throws)
