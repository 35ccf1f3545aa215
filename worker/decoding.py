"""The value of a field from all that is known of its cells, and how probable it is.

Of each cell the probabilities of the ten digits and of nothing (a blank or struck box) are given; what they
lack to 1 is the chance that it holds something that makes no value at all. A value stands in some of the
boxes, the others hold nothing; its probability is the sum over all places where it may stand. Rules
(worker.number_rules) say which numbers can be meant: only these then share the probability.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from worker.number_rules import NumberRule, State

NOTHING = 10  # the column after those of the ten digits
GAP = " "
MOST_STEPS = 5_000  # of the search; real fields need a few, only flat probabilities need more

Odds = Sequence[Sequence[float]]
"""(cells, 11): how probable the digits 0 to 9 and nothing are in each cell; a row sums to 1 at most."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The most probable value; where the cells can hold none, an empty one of probability 0."""

    value: str  # outer blanks dropped, an inner one as a space
    cells: tuple[str, ...]  # the digit in each cell, "" for nothing, where the value most probably stands
    probability: float  # of the value, among all that the rules admit
    admitted: float  # what these have together; 1 less this speaks for something the rules don't know


def decode(odds: Odds, rules: Sequence[NumberRule] = ()) -> Decoded:
    """Return the most probable value of all that every rule admits.

    With rules, a value has no gaps. It may be empty whatever they say: they are about what somebody wrote.
    The answer is exact unless thousands of ways to fill the cells are about equally probable.
    """
    best = Decoded("", ("",) * len(odds), 0.0, 0.0)
    if not rules:
        best = _of_best_labels(odds)
        if best.probability >= best.admitted / 2:  # no other value has more
            return best
    lattice = _Lattice.of(odds, rules)
    remaining = lattice.admitted
    seen: set[str] = set()
    for symbols, probability in lattice.most_probable_first():
        cells = _labels(symbols)
        value = _joined(cells)
        if value not in seen:
            seen.add(value)
            found = value_probability(odds, value)
            remaining -= found
            if found > best.probability:
                best = Decoded(value, cells, found, lattice.admitted)
        # A value still to come stands nowhere more probably than this, and in at most so many places.
        if best.probability >= min(remaining, probability * len(odds)):
            break
    if not rules or not lattice.admitted:
        return best
    return Decoded(best.value, best.cells, min(1.0, best.probability / lattice.admitted), lattice.admitted)


def value_probability(odds: Odds, value: str) -> float:
    """Return how probable it is that the cells hold this value, wherever in them it stands."""
    symbols = [NOTHING if character == GAP else int(character) for character in value]
    outside = len(odds) - len(symbols)
    starts = range(outside + 1) if symbols else (0,)
    placements = ([NOTHING] * start + symbols + [NOTHING] * (outside - start) for start in starts)
    return sum(
        math.prod(row[symbol] for row, symbol in zip(odds, placed, strict=True)) for placed in placements
    )


def _of_best_labels(odds: Odds) -> Decoded:
    cells = _labels([row.index(max(row)) for row in odds])
    value = _joined(cells)
    return Decoded(value, cells, value_probability(odds, value), math.prod(map(sum, odds)))


def _labels(symbols: Sequence[int]) -> tuple[str, ...]:
    return tuple("" if symbol == NOTHING else str(symbol) for symbol in symbols)


def _joined(cells: Sequence[str]) -> str:
    return "".join(label or GAP for label in cells).strip()


# Where a reader of the cells, from left to right, may be: before the number, in it with the states that the
# rules are in, or after it. Without rules there is one node, and everything is admitted everywhere.
Node = Literal["before", "after"] | tuple[State, ...]


@dataclass(frozen=True, slots=True)
class _Lattice:
    """All admitted ways to fill the cells, as paths along arcs (symbol, next node), cell by cell."""

    odds: Odds
    arcs: tuple[dict[Node, tuple[tuple[int, Node], ...]], ...]
    best: tuple[dict[Node, float], ...]  # the probability of the best path from each node to an admitted end
    admitted: float  # the sum over all paths

    @classmethod
    def of(cls, odds: Odds, rules: Sequence[NumberRule]) -> _Lattice:
        arcs: list[dict[Node, tuple[tuple[int, Node], ...]]] = []
        nodes: set[Node] = {"before"}
        for _ in odds:
            arcs.append({node: tuple(_arcs(node, rules)) for node in nodes})
            nodes = {to for ways in arcs[-1].values() for _, to in ways}
        ends = {node: float(_may_end(node, rules)) for node in nodes}
        best, together = [ends], ends
        for row, ways in zip(reversed(odds), reversed(arcs), strict=True):
            after = best[-1]
            best.append({n: max((row[s] * after[to] for s, to in ways[n]), default=0.0) for n in ways})
            together = {n: sum(row[s] * together[to] for s, to in ways[n]) for n in ways}
        return cls(odds, tuple(arcs), tuple(reversed(best)), together["before"])

    def most_probable_first(self) -> Iterator[tuple[tuple[int, ...], float]]:
        """Yield paths as their symbols, each with its probability (A*, Hart 1968; the bound is exact).

        Ends after MOST_STEPS, whatever is left.
        """
        tie = count()
        waiting: list[tuple[float, int, int, float, Node, tuple[int, ...]]] = []

        def consider(node: Node, probability: float, symbols: tuple[int, ...]) -> None:
            if reached := probability * self.best[len(symbols)][node]:
                # Of equally probable ones, but for rounding, the longest first: flat odds must reach an end.
                rank = round(-math.log(reached), 9)
                heapq.heappush(waiting, (rank, -len(symbols), next(tie), probability, node, symbols))

        consider("before", 1.0, ())
        for _ in range(MOST_STEPS):
            if not waiting:
                return
            *_, probability, node, symbols = heapq.heappop(waiting)
            if len(symbols) == len(self.odds):
                yield symbols, probability
                continue
            row = self.odds[len(symbols)]
            for symbol, to in self.arcs[len(symbols)][node]:
                consider(to, probability * row[symbol], (*symbols, symbol))


def _arcs(node: Node, rules: Sequence[NumberRule]) -> Iterator[tuple[int, Node]]:
    """Yield what a cell may hold at this node, and where that leads."""
    if not rules:
        yield from ((symbol, node) for symbol in range(NOTHING + 1))
        return
    if node in ("before", "after"):
        yield NOTHING, node
    elif _may_end(node, rules):
        yield NOTHING, "after"
    if node != "after":
        states = tuple(rule.start for rule in rules) if node == "before" else node
        for digit in range(10):
            following = tuple(rule.step(state, digit) for rule, state in zip(rules, states, strict=True))
            if None not in following:
                yield digit, following


def _may_end(node: Node, rules: Sequence[NumberRule]) -> bool:
    if node in ("before", "after"):
        return True
    return all(rule.admits(state) for rule, state in zip(rules, node, strict=True))
