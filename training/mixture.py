"""What an epoch shows: a data set's own glyphs, and beside them some that were cut out of drawn cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.dataset import Glyphs, LabelledGlyphs, Labels
from training.paper import paper_digits, paper_marks, paper_pens
from training.recipe import Paper

DIGIT_PASSES = 4  # times that each digit of the data set is written into a cell
PEN_CELLS = 60_000
MARK_CELLS = 60_000
POOL_SEED = 0  # the same cells for every recipe and seed, so that recipes can be compared

Watch = Callable[[str, int, int], None]
"""Told what is going on, how many steps of it are taken, and of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Glyphs of all sources one after the other; of each source an epoch shows so many, drawn anew."""

    glyphs: Glyphs
    labels: Labels
    sizes: tuple[int, ...]  # how many glyphs each source has
    shares: tuple[int, ...]  # how many of them an epoch shows

    @property
    def shown(self) -> int:
        return sum(self.shares)

    def order(self, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """Return the indices of an epoch's glyphs in the order in which they are shown."""
        ends = np.cumsum(self.sizes)
        chosen = [
            end - size + rng.permutation(size)[:share]
            for end, size, share in zip(ends, self.sizes, self.shares, strict=True)
        ]
        return rng.permutation(np.concatenate(chosen))


def mix(paper: Paper | None, own: LabelledGlyphs, cache: Path, watch: Watch) -> Mixture:
    """Return a data set's glyphs, all shown in each epoch, with the paper's share of glyphs from cells.

    Cells are drawn once and kept in `cache`.
    """
    paper = paper or Paper()
    makers: tuple[tuple[str, int, Callable[[], LabelledGlyphs]], ...] = (
        ("digits", paper.digits, lambda: paper_digits(own, DIGIT_PASSES, POOL_SEED, cache)),
        ("pens", paper.pens, lambda: paper_pens(PEN_CELLS, POOL_SEED, cache)),
        ("marks", paper.marks, lambda: paper_marks(MARK_CELLS, POOL_SEED, cache, own)),
    )
    sources, shares = [own], [len(own)]
    for name, share, make in makers:
        if share:
            sources.append(make())
            shares.append(min(share, len(sources[-1])))
            watch(f"cells with {name}", 1, 1)
    return Mixture(
        np.concatenate([source.glyphs for source in sources]),
        np.concatenate([source.labels for source in sources]),
        tuple(map(len, sources)),
        tuple(shares),
    )
