"""One printed box with a whole number in it, digits that touch included: over-segmented, then read.

`propose` cuts the ink in pieces and makes a glyph of every run of them that may be a digit. The caller has
all glyphs of a page classified in one call; `choose` takes the runs that are the most probable number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.cells import Patch
from segmentation.geometry import Quad
from segmentation.glyph import GLYPH_SIDE, Glyph, normalise_all
from segmentation.ink import SOFT_EDGE
from segmentation.page import Cell, Page
from segmentation.string_ink import StringInk, find_string_inks, patch_of_string
from segmentation.string_paths import LEAST_LOG, Arc, Features, Path, arcs_of, best_paths
from segmentation.string_pieces import Pieces, cut_pieces
from segmentation.strips import Grey, Rects

DIGITS = 10  # columns of probabilities that are digits; then come struck and other, if a model has them

Probabilities = npt.NDArray[np.float32]
Classify = Callable[[npt.NDArray[np.uint8]], Probabilities]
"""Glyphs (n, 28, 28) uint8 to probabilities (n, 10 to 12) float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Everything in one box that may be a digit.

    `cells` has the glyph of each run of pieces that an arc names, then one of all ink together; it is empty
    where nobody wrote.
    """

    cells: tuple[Cell, ...]
    arcs: tuple[Arc, ...]
    pieces: int

    @property
    def glyphs(self) -> npt.NDArray[np.uint8]:
        """All glyphs, (n, 28, 28) uint8."""
        glyphs = [cell.glyph for cell in self.cells if cell.glyph is not None]
        return np.stack(glyphs) if glyphs else np.empty((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class CutString:
    """A whole number, digit by digit from left to right; nothing where nobody wrote.

    `probabilities` is (digits, classes) float32, a row a cell. `confidence` is how probable it is that the
    ink is cut right, given what the reader says: a field's is its product with those of its digits. Ink that
    is no number gives a single cell, whose probabilities speak of struck or other.
    """

    cells: tuple[Cell, ...]
    probabilities: Probabilities
    confidence: float
    runner_up: str  # the next best value that another cut gives, "" where there is none


def propose(page: Page, quads: Sequence[Quad]) -> tuple[Proposal, ...]:
    """Return what may be digits in each of these boxes, given by the inner edges of their lines."""
    if not quads:
        return ()
    patches = [patch_of_string(quad) for quad in quads]
    inks = find_string_inks(
        [patch.cut_from(page.grey) for patch in patches], [patch.margin for patch in patches]
    )
    proposed = list(map(_propose, inks))
    glyphs = iter(normalise_all([run.soft for each in proposed for run in each.runs]))
    return tuple(
        Proposal(_cells(each.runs, glyphs, patch), each.arcs, each.pieces)
        for each, patch in zip(proposed, patches, strict=True)
    )


def choose(
    proposal: Proposal, probabilities: Probabilities, lengths: Collection[int] | None = None
) -> CutString:
    """Return the most probable number, given the probabilities (n, 10 to 12) of all glyphs proposed.

    With `lengths` it has one of these numbers of digits, unless no cut gives one.
    """
    if not proposal.cells:
        return CutString((), probabilities, 1.0, "")
    arcs = with_probabilities(proposal, probabilities)
    labels = probabilities[:, :DIGITS].argmax(axis=1)
    ranked = best_paths(arcs, proposal.pieces, lengths=lengths)
    if not ranked.paths:
        ranked = best_paths(arcs, proposal.pieces)
    shares: dict[str, float] = {}
    best: dict[str, Path] = {}
    for path in ranked.paths:
        value = value_of(path, labels)
        best.setdefault(value, path)
        shares[value] = shares.get(value, 0.0) + math.exp(path.potential - ranked.log_sum)
    first, *others = sorted(shares, key=shares.__getitem__, reverse=True)
    digits = [arc.glyph for arc in best[first].arcs if arc.glyph is not None]
    taken = np.array(digits or [len(proposal.cells) - 1], np.intp)  # ink is never nothing
    return CutString(
        tuple(proposal.cells[each] for each in taken.tolist()),
        probabilities[taken],
        min(1.0, shares[first]),
        others[0] if others else "",
    )


def read_strings(
    page: Page, quads: Sequence[Quad], classify: Classify, lengths: Collection[int] | None = None
) -> tuple[CutString, ...]:
    """Return the numbers that stand in these boxes; all their glyphs go through one call of `classify`."""
    proposals = propose(page, quads)
    probabilities = classify(np.concatenate([proposal.glyphs for proposal in proposals]))
    ends = accumulate((len(proposal.cells) for proposal in proposals), initial=0)
    return tuple(
        choose(proposal, probabilities[start:end], lengths)
        for proposal, (start, end) in zip(proposals, pairwise(ends), strict=True)
    )


def with_probabilities(proposal: Proposal, probabilities: Probabilities) -> list[Arc]:
    """Return the arcs with what the reader says of their glyphs, and one for all ink as no number."""
    scores = np.log(probabilities[:, :DIGITS].max(axis=1)).clip(LEAST_LOG, 0).tolist()
    arcs = [arc if arc.glyph is None else arc.scored(scores[arc.glyph]) for arc in proposal.arcs]
    no_digit = float(probabilities[-1, DIGITS:].sum())
    if no_digit or not arcs:
        score = math.log(max(no_digit, math.exp(LEAST_LOG)))
        whole = Arc(0, proposal.pieces, len(proposal.cells) - 1, Features(log_probability=score, whole=1.0))
        arcs.append(whole)
    return sorted(arcs, key=lambda arc: arc.start)


def value_of(path: Path, labels: npt.NDArray[np.intp]) -> str:
    """Return the digits along a path, "" for the one on which all ink is no number."""
    if path.arcs and path.arcs[0].features.whole:
        return ""
    return "".join(str(labels[arc.glyph]) for arc in path.arcs if arc.glyph is not None)


class _Run(NamedTuple):
    """Ink that may be a digit, and where the image of it lies in the patch."""

    soft: Grey
    left: int
    top: int


class _Proposed(NamedTuple):
    """A proposal without its glyphs, which are made of the runs of a whole page at once."""

    runs: Sequence[_Run]
    arcs: tuple[Arc, ...]
    pieces: int


def _propose(ink: StringInk | None) -> _Proposed:
    if ink is None:
        return _Proposed((), (), 0)
    pieces = cut_pieces(ink)
    whole = _Run(ink.soft, 0, 0)
    if pieces is None:
        return _Proposed([whole], (), 1)
    arcs = arcs_of(pieces, ink)
    runs = [_run(ink, pieces, arc.start, arc.end) for arc in arcs if arc.glyph is not None]
    return _Proposed([*runs, whole], tuple(arcs), len(pieces.extents))


def _run(ink: StringInk, pieces: Pieces, start: int, end: int) -> _Run:
    """Return pieces `start` to `end`, this one excluded."""
    left, top, right, bottom = pieces.frame(start, end)
    around = np.s_[top:bottom, left:right]
    own = cv2.inRange(pieces.labels[around], (start + 1,), (end,))
    soft = cv2.bitwise_and(ink.soft[around], cv2.dilate(own, SOFT_EDGE))
    return _Run(np.asarray(soft, np.uint8), left, top)


def _cells(runs: Sequence[_Run], glyphs: Iterator[Glyph], patch: Patch) -> tuple[Cell, ...]:
    if not runs:
        return ()
    rects = np.array([cv2.boundingRect(run.soft) for run in runs])
    first = rects[:, :2] + [(run.left, run.top) for run in runs]
    boxes = patch.boxes_on_page(Rects(*first.T, *(first + rects[:, 2:]).T))
    return tuple(map(Cell, islice(glyphs, len(runs)), boxes))
