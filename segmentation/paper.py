"""How light the paper in each box is, how much darker somebody's ink on it, and whether there is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.float32]

LEAST_CONTRAST = 0.18  # of the paper's lightness, by which somebody's ink is darker, as a rule
FAINT_CONTRAST = 0.12  # the same on a page on which others are
PALE = 0.36  # of the page's usual ink: guides, watermarks and what shows through are no darker, pencil is
USUAL_RANK = 95  # per cent of the boxes with ink, of which that is the darkest: most may show a guide alone
PRINTED, FEWEST_PRINTED = 0.05, 3  # how dark a guide is at least, and in how many boxes one is seen alone
MOST_PRINTED = 0.55  # of the ink in a box: how dark a guide under it is at most
NOISE_FACTOR = 4.5  # standard deviations of the paper's grain that ink must rise above it
# Of a box's pixels, from the darkest to the lightest.
INK_RANK, PAPER_RANK, LIGHT_RANK = 0.01, 0.75, 0.97
GRAIN_RANKS = 0.25, 0.5, PAPER_RANK, LIGHT_RANK
GRAIN_STEPS = 0.67, 0.67, 1.2  # standard deviations of the paper's grain between these
COARSEST_GRAIN = 0.1  # of the paper's lightness: a dense scribble has all shades, as if it were grain
SHADED = 0.12  # of its lightness by which paper differs within a box in which a shadow ends
WIDEST_STROKE = 0.5  # of a box's shorter side; what is wider is a shadow, or all the ink there is


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Of each box, in grey levels: how light its paper is, and how much darker than that is what is in it.

    `ink` is 0 where nobody wrote, whatever is printed in the box or shows through. `core` goes by the middle
    of a box, into which no line fades.
    """

    paper: npt.NDArray[np.float64]
    ink: npt.NDArray[np.float64]
    core: npt.NDArray[np.float64]

    @property
    def usual_ink(self) -> float:
        """How dark ink is on this page, as a share of the paper's lightness; 0 where there is none."""
        contrast = (self.ink / self.paper)[self.ink > 0]
        return float(np.percentile(contrast, USUAL_RANK)) if len(contrast) else 0.0

    @property
    def no_ink(self) -> npt.NDArray[np.float64]:
        """How dark, in each box, what is printed under ink may be: as dark as it is in boxes without ink."""
        contrast = (self.core / self.paper)[(self.ink == 0) & (self.core >= PRINTED * self.paper)]
        printed = float(np.percentile(contrast, USUAL_RANK)) if len(contrast) >= FEWEST_PRINTED else 0.0
        return np.minimum(printed * self.paper, MOST_PRINTED * self.ink)


def measure_tones(
    patches: Sequence[Grey], margins: Sequence[float], ink_rank: float = INK_RANK
) -> tuple[list[Grey], Tones]:
    """Return these boxes as if no shadow ended in one, and the tones of each.

    All those of a page: somebody's ink is told by what else is on it. Only what lies half a margin within a
    box tells paper from ink: lines do not. `ink_rank` is the share of a box's pixels that the core of its
    strokes has at least, if it holds any. What lies in even light is returned as it came.
    """
    patches = list(patches)
    insides = [_inside(*each) for each in zip(patches, margins, strict=True)]
    up_to = _counts(insides)
    for index, patch in _evenly_lit(patches, insides, up_to, margins).items():
        patches[index], insides[index] = patch, _inside(patch, margins[index])
        up_to[index] = _counts([insides[index]])[0]
    (around,) = _grey_at_ranks(_counts(patches), (LIGHT_RANK,))
    cores = [_inside(*each) for each in zip(insides, np.array(margins) / 2, strict=True)]
    (core,) = _grey_at_ranks(_counts(cores), (ink_rank,))
    ink, *shades = _grey_at_ranks(up_to, (ink_rank, *GRAIN_RANKS))
    *_, paper, light = shades
    # A shape that covers a part of the box feigns a coarse grain in one or two of the steps, not in all.
    grain = (np.diff(shades, axis=0) / np.array(GRAIN_STEPS)[:, None]).min(axis=0)
    for lighter in (light, around):  # where ink covers most of the box, or all of it
        paper = np.where(lighter - paper >= (lighter - ink) / 2, lighter, paper)
    paper = np.maximum(paper, 1.0)
    grain = np.minimum(grain, COARSEST_GRAIN * paper)
    ink, core = (
        np.where(paper - darkest >= NOISE_FACTOR * grain, paper - darkest, 0.0) for darkest in (ink, core)
    )
    certain = Tones(paper, np.where(ink >= LEAST_CONTRAST * paper, ink, 0.0), core)
    least = max(FAINT_CONTRAST, PALE * certain.usual_ink) if certain.usual_ink else np.inf
    return patches, Tones(paper, np.where(ink >= least * paper, ink, 0.0), core)


def _evenly_lit(
    patches: Sequence[Grey], insides: Sequence[Grey], up_to: Counts, margins: Sequence[float]
) -> dict[int, Grey]:
    """Return the patches in which a shadow ends, as if none did."""
    middle, light = _grey_at_ranks(up_to, (0.5, LIGHT_RANK))
    even = {}
    for index in np.flatnonzero(light - middle >= SHADED * light).tolist():
        flat = _flattened(patches[index], WIDEST_STROKE * min(insides[index].shape))
        if _contrast(_inside(flat, margins[index])) >= _contrast(insides[index]) / 2:
            even[index] = flat
    return even


def _inside(patch: Grey, margin: float) -> Grey:
    edge = int(1.5 * margin)
    return patch[edge : patch.shape[0] - edge, edge : patch.shape[1] - edge]


def _counts(parts: Sequence[Grey]) -> Counts:
    """Return (parts, 256): how many pixels of each part are as dark as each grey level, or darker."""
    counts = [cv2.calcHist([part], [0], None, [256], [0, 256]).ravel() for part in parts]
    return np.stack(counts).cumsum(axis=1)


def _grey_at_ranks(up_to: Counts, ranks: Sequence[float]) -> npt.NDArray[np.int_]:
    """Return (ranks, parts): how light the pixel of each rank is, from a part's darkest to its lightest."""
    return np.stack([(up_to <= rank * up_to[:, -1:]).sum(axis=1) for rank in ranks])


def _contrast(inside: Grey) -> float:
    ((ink,), (light,)) = _grey_at_ranks(_counts([inside]), (INK_RANK, LIGHT_RANK))
    return float((light - ink) / max(1, light))


def _flattened(patch: Grey, widest: float) -> Grey:
    """Return the patch over paper that is everywhere as light as where it is lightest."""
    brush = np.ones((2 * round(widest / 2) + 1,) * 2, np.uint8)
    paper = cv2.morphologyEx(patch, cv2.MORPH_CLOSE, brush)
    paper = cv2.blur(paper, (5, 5))
    return np.asarray(cv2.divide(patch, paper, scale=float(paper.max())), np.uint8)
