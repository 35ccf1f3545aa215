"""Which pieces belong together: the most probable way from the first to the last, by dynamic programming.

An arc is a run of pieces taken as one digit, or a piece that is left out as dirt. A path's potential is the
sum over its arcs of WEIGHTS times what is known of them; its probability is the share of exp(potential) in
that of all paths (a conditional random field, Lafferty 2001).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from segmentation.string_ink import StringInk
from segmentation.string_pieces import Pieces

MOST_IN_A_DIGIT = 5  # pieces; a digit that is cut or broken more often is not put together again
WIDEST_DIGIT = 1.5  # of a digit's usual height
WIDEST_GAP = 0.4  # of it, within a digit whose strokes do not meet
LEAST_DIGIT = 0.35  # of it, high
MOST_DIRT = 0.35  # of a digit's usual ink
LEAST_LOG = math.log(1e-5)  # a reader that is surer than that of what it does not see, is wrong
PATHS_KEPT = 6  # to each place, the most probable ones: others add nothing to a value's probability


class Features(NamedTuple):
    """What speaks for and against an arc, or how much each of these weighs. Lengths in digit heights."""

    log_probability: float = 0.0  # of the most probable digit
    digit: float = 0.0  # 1 for each digit
    shortness: float = 0.0  # how much it lacks to the usual height, squared
    cut: float = 0.0  # 1 for a cut through ink, a half on either side
    cut_ink: float = 0.0  # the ink that the cut crosses, in widths of the pen
    joint: float = 0.0  # 1 for each place within, where no paper is between and none is cut
    gap: float = 0.0  # the widest paper between its pieces
    overlap: float = 0.0  # by how much it stands over or under its neighbours
    dirt: float = 0.0  # 1 for a piece left out
    dirt_area: float = 0.0  # its ink, in digits
    whole: float = 0.0  # 1 where all ink is no number

    def potential(self, weights: Features) -> float:
        return sum(map(float.__mul__, map(float, self), map(float, weights)))


# Maximum likelihood on 900 drawn strings of training digits and own pens (ADR 14).
WEIGHTS = Features(1.93, 1.65, -10.16, -0.28, -2.33, 0.28, -5.51, -2.33, 0.27, -8.32, -3.22)


class Arc(NamedTuple):
    """From the gap before piece `start` to that before piece `end`; `glyph` is None for dirt."""

    start: int
    end: int
    glyph: int | None
    features: Features

    def scored(self, log_probability: float) -> Arc:
        return self._replace(features=self.features._replace(log_probability=log_probability))


class Path(NamedTuple):
    potential: float
    arcs: tuple[Arc, ...]


class Ranked(NamedTuple):
    """The paths with the highest potentials, best first, and the logarithm of the sum over all."""

    paths: tuple[Path, ...]
    log_sum: float


@dataclass(frozen=True, slots=True)
class _Border:
    """What is between two pieces: paper (negative where they overlap), or a cut."""

    gap: float  # digit heights
    cut_ink: float  # 0 for paper


def arcs_of(pieces: Pieces, ink: StringInk) -> list[Arc]:
    """Return all arcs over these pieces, each digit's with the number of its glyph, without probabilities."""
    count = len(pieces.extents)
    borders = _borders(pieces, ink.tall)
    arcs: list[Arc] = []
    glyph = 0
    for start in range(count):
        area = pieces.areas[start] / ink.digit_area
        if area <= MOST_DIRT and count > 1:
            arcs.append(Arc(start, start + 1, None, Features(dirt=1.0, dirt_area=area)))
        for end in range(start + 1, min(start + MOST_IN_A_DIGIT, count) + 1):
            features = _digit_features(pieces, borders, start, end, ink.tall)
            if features is not None:
                arcs.append(Arc(start, end, glyph, features))
                glyph += 1
    return arcs


def best_paths(
    arcs: Sequence[Arc], count: int, weights: Features = WEIGHTS, lengths: Collection[int] | None = None
) -> Ranked:
    """Return the best paths from before the first of `count` pieces to behind the last.

    With `lengths`, only numbers of that many digits count; there may be no path at all.
    """
    reached: list[dict[int, list[Path]]] = [{} for _ in range(count + 1)]
    sums: list[dict[int, float]] = [{} for _ in range(count + 1)]
    reached[0], sums[0] = {0: [Path(0.0, ())]}, {0: 0.0}
    most = max(lengths, default=0) if lengths is not None else count
    for arc in arcs:  # sorted by where they start
        potential = arc.features.potential(weights)
        for digits, paths in reached[arc.start].items():
            more = digits + (arc.glyph is not None and lengths is not None)
            if more > most:
                continue
            there = reached[arc.end].setdefault(more, [])
            there += [Path(path.potential + potential, (*path.arcs, arc)) for path in paths]
            there.sort(key=lambda path: -path.potential)
            del there[PATHS_KEPT:]
            to = sums[arc.end].get(more, -math.inf)
            sums[arc.end][more] = _log_add(to, sums[arc.start][digits] + potential)
    ends = [digits for digits in reached[count] if lengths is None or digits in lengths]
    paths = sorted((path for digits in ends for path in reached[count][digits]), key=lambda p: -p.potential)
    together = -math.inf
    for digits in ends:
        together = _log_add(together, sums[count][digits])
    return Ranked(tuple(paths), together)


def _borders(pieces: Pieces, tall: float) -> list[_Border]:
    """Return what is before each piece, and behind the last."""
    borders = [_Border(1.0, 0.0)]
    reach = pieces.extents[0].right
    for extent, cut_ink in zip(pieces.extents[1:], pieces.cut_ink[1:], strict=True):
        borders.append(_Border((extent.left - reach) / tall, cut_ink))
        reach = max(reach, extent.right)
    return [*borders, _Border(1.0, 0.0)]


def _digit_features(
    pieces: Pieces, borders: Sequence[_Border], start: int, end: int, tall: float
) -> Features | None:
    """Return what is known of pieces as one digit, None where they cannot be one."""
    own, within = pieces.extents[start:end], borders[start + 1 : end]
    width = max(each.right for each in own) - min(each.left for each in own)
    height = max(each.bottom for each in own) - min(each.top for each in own)
    gap = max((each.gap for each in within if not each.cut_ink), default=0.0)
    if gap > WIDEST_GAP or height < LEAST_DIGIT * tall or (end - start > 1 and width > WIDEST_DIGIT * tall):
        return None
    sides = borders[start], borders[end]
    return Features(
        digit=1.0,
        shortness=max(0.0, 1 - height / tall) ** 2,
        cut=sum(0.5 for side in sides if side.cut_ink),
        cut_ink=sum(side.cut_ink / 2 for side in sides),
        joint=float(sum(1 for each in within if each.cut_ink)),
        gap=max(0.0, gap),
        overlap=sum(max(0.0, -side.gap) for side in sides if not side.cut_ink),
    )


def _log_add(one: float, other: float) -> float:
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
