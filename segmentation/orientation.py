"""Which way up a page lies: the digits on it tell, read as they stand and on their heads.

Combs with an open top tell by themselves: their ticks stand on a base line. Where a page lies on its head
they hang from it, and none of the digits in them is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentation.boxes import PrintedBoxes
from segmentation.lines import find_lines
from segmentation.page import Page
from segmentation.page_frame import find_frame, working_copy
from segmentation.ticks import find_combs

MEANT = 11  # columns of probabilities that people mean to write: ten digits, and what strikes a box out
MOST_FIELDS = 24  # that are asked; a quarter of them would do
LEGIBLE = 0.8  # probability from which on a glyph counts as a digit
VOTING = 0.9  # that a glyph is something meant, of all in a field that votes: words have less, either way
READ_WELL = 0.95  # mean probability of what is meant, on a page that need not be turned
MOST_VOTES = 0.5  # log-likelihood that one glyph adds at most: one ill-written digit must not turn a page
CLEARLY = 0.15  # of it, that a page needs for its digits to tell anything
TO_TURN = 2 * MOST_VOTES  # of it, that turning a page over must gain: more than one glyph can, seen both ways
ENOUGH_GLYPHS = 5  # that read well, on a page that need not be turned; a few marks may do by chance
ENOUGH_PAIRS = 20  # of legible neighbours, as a page that lies on its side seldom has
BEYOND_DOUBT = 2.5  # times as many, those by chance added, than which no page that stands upright has more
LEAST_SHARE = 0.33  # of its neighbours that are legible then: names are not, and a grid's marks less
FEW_PAIRS, MANY_PAIRS = 4, 8  # of them on a page whose boxes are too pale, and once these are seen
FAR_MORE, BY_CHANCE = 1.5, 2  # times as many, and so many more, on a page that lies on its side
UNLIKELIEST = 0.03  # probability of a digit, below which all are alike
MOSTLY_LEGIBLE = 0.5  # of the neighbours in boxes that are found, on a page that lies as it should

Glyphs = npt.NDArray[np.uint8]
Classify = Callable[[Glyphs], npt.NDArray[np.float32]]


def reads_well(probabilities: npt.NDArray[np.float32]) -> bool:
    """Tell whether glyphs look like digits the way they stand, by their (n, 10 to 12) probabilities."""
    return len(probabilities) > 0 and float(_meant(probabilities).mean()) >= READ_WELL


@dataclass(frozen=True, slots=True)
class Standing:
    """How digits stand as a page lies: on their feet or heads, and how many of them that way side by side."""

    votes: float  # for the way they stand, those for their heads taken off, in log-likelihood
    legible_pairs: int  # of digits that are neighbours in a field
    pairs: int  # of neighbours, legible or not

    @property
    def upright(self) -> bool:
        return self.votes >= CLEARLY

    @property
    def upside_down(self) -> bool:
        return self.votes <= -CLEARLY

    @property
    def is_doubtful(self) -> bool:
        """Whether a page has few digits that way, among marks that are mostly none."""
        return self.legible_pairs < min(ENOUGH_PAIRS, max(1.0, MOSTLY_LEGIBLE * self.pairs))


def standing(fields: Sequence[Glyphs], classify: Classify) -> Standing:
    """Return how digits stand in fields, each given by its (n, 28, 28) uint8 glyphs, cut as the page lies.

    Fields vote on what is their head that are legible as a whole, this way or that: letters and dirt, which
    are digits no way, have no say. A glyph's vote is how much likelier it is one way, within limits.
    """
    asked = [glyphs for glyphs in fields if len(glyphs)][:MOST_FIELDS]
    if not asked:
        return Standing(votes=0.0, legible_pairs=0, pairs=0)
    starts = np.cumsum([0, *map(len, asked[:-1])])
    together = np.concatenate(asked)
    both_ways = together, np.ascontiguousarray(together[:, ::-1, ::-1])
    read = [classify(each) for each in both_ways]
    meant = np.stack([_meant(probabilities) for probabilities in read])
    upright, inverted = np.log(meant + UNLIKELIEST)
    gains = np.add.reduceat(np.clip(upright - inverted, -MOST_VOTES, MOST_VOTES), starts)
    votes = float(gains[(np.minimum.reduceat(meant, starts, axis=1) >= VOTING).any(axis=0)].sum())
    digits = read[int(votes <= -CLEARLY)][:, : MEANT - 1].max(axis=1) >= LEGIBLE
    pairs = np.delete(digits[1:] & digits[:-1], starts[1:] - 1)
    return Standing(votes, int(pairs.sum()), len(pairs))


def lies_over(as_it_lies: Standing, turned: Standing) -> bool:
    """Tell whether the digits of a page stand on their feet once it is turned over, and clearly better so.

    Words, ticks and digits of straight strokes may seem to lie on their heads either way.
    """
    return turned.upright and turned.votes - as_it_lies.votes > TO_TURN


def lies_sideways(as_it_lies: Standing, turned: Standing) -> bool:
    """Tell whether the digits of a page stand beside one another once it is turned by a quarter.

    Cut from a page that lies on its side, a row of digits becomes as many fields of a digit each; letters and
    dashes seldom look like several digits in a row, and never do most of a grid's.
    """
    beyond_doubt = turned.legible_pairs > BEYOND_DOUBT * (as_it_lies.legible_pairs + BY_CHANCE)
    if beyond_doubt and turned.legible_pairs >= LEAST_SHARE * turned.pairs:
        return True
    more = turned.legible_pairs > FAR_MORE * as_it_lies.legible_pairs + BY_CHANCE
    return more and turned.legible_pairs * as_it_lies.pairs >= as_it_lies.legible_pairs * turned.pairs


def turns_to_stand(page: Page) -> int:
    """Return by how many quarters, clockwise, to turn a page for ticks of combs to stand; 0 if none do."""
    lying = find_frame(working_copy(page.grey)).print_
    for quarter_turns in (2, 1, 3):
        print_ = np.ascontiguousarray(np.rot90(lying, -quarter_turns))
        if len(find_combs(find_lines(print_), print_, PrintedBoxes.joined([]))):
            return quarter_turns
    return 0


def _meant(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how probable it is of each glyph that it is what somebody meant to write."""
    digit = probabilities[:, : MEANT - 1].max(axis=1)
    return np.asarray(digit + probabilities[:, MEANT - 1 : MEANT].sum(axis=1), np.float32)
