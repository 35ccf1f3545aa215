"""Which way up a page lies: the digits on it tell, read as they stand, on either side and on their heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

MEANT = 11  # columns of probabilities that people mean to write: ten digits, and what strikes a box out
MOST_FIELDS = 24  # that are asked; a quarter of them would do
LEGIBLE = 0.8  # probability from which on a glyph counts as something meant
READ_WELL = 0.95  # mean probability of what is meant, on a page that need not be turned
CLEARLY = 0.5  # by which a page's log-likelihood is higher the way it lies than the way it doesn't
UNLIKELIEST = 0.03  # one blot must not turn a page

Glyphs = npt.NDArray[np.uint8]
Classify = Callable[[Glyphs], npt.NDArray[np.float32]]


def reads_well(probabilities: npt.NDArray[np.float32]) -> bool:
    """Tell whether glyphs look like digits the way they stand, by their (n, 10 to 12) probabilities."""
    return len(probabilities) > 0 and float(_meant(probabilities).mean()) >= READ_WELL


def quarter_turns_upright(fields: Sequence[Glyphs], classify: Classify) -> int:
    """Return by how many quarters, clockwise, a page has to be turned for its digits to stand upright.

    `fields` holds the (n, 28, 28) uint8 glyphs of each field, cut as the page lies. A field counts where all
    of it is legible this way or that: letters and dirt, which are digits no way, have no say. 0 where no
    other way is clearly better.
    """
    asked = [glyphs for glyphs in fields if len(glyphs)][:MOST_FIELDS]
    if not asked:
        return 0
    starts = np.cumsum([0, *map(len, asked[:-1])])
    together = np.concatenate(asked)
    turned = (np.ascontiguousarray(np.rot90(together, -turns, axes=(1, 2))) for turns in range(4))
    meant = np.stack([_meant(classify(each)) for each in turned])
    likelihood = np.add.reduceat(np.log(meant + UNLIKELIEST), starts, axis=1)
    legible = np.minimum.reduceat(meant, starts, axis=1) >= LEGIBLE
    gains = np.where(legible | legible[0], likelihood - likelihood[0], 0.0).sum(axis=1)
    best = int(np.argmax(gains))
    return best if gains[best] >= CLEARLY else 0


def _meant(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how probable it is of each glyph that it is what somebody meant to write."""
    digit = probabilities[:, : MEANT - 1].max(axis=1)
    return np.asarray(digit + probabilities[:, MEANT - 1 : MEANT].sum(axis=1), np.float32)
