"""How light the paper in each box is, how much darker somebody's ink on it, and whether there is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.strips import Grey, Strip

Shades = npt.NDArray[np.float64]

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
WITHIN, MIDDLE = 1.5, 0.75  # margins that a box lies within its patch's edge, and its middle within that
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
        return _usual(contrast) if len(contrast) else 0.0

    @property
    def no_ink(self) -> npt.NDArray[np.float64]:
        """How dark, in each box, what is printed under ink may be: as dark as it is in boxes without ink."""
        contrast = (self.core / self.paper)[(self.ink == 0) & (self.core >= PRINTED * self.paper)]
        printed = _usual(contrast) if len(contrast) >= FEWEST_PRINTED else 0.0
        return np.minimum(printed * self.paper, MOST_PRINTED * self.ink)


def _usual(contrast: npt.NDArray[np.float64]) -> float:
    """Return what a percentile is of so few boxes, which NumPy takes a quarter of a millisecond for."""
    rank = (len(contrast) - 1) * USUAL_RANK / 100
    return float(np.interp(rank, np.arange(len(contrast)), np.sort(contrast)))


def measure_tones(strips: Sequence[Strip], ink_rank: float = INK_RANK) -> tuple[list[Strip], Tones]:
    """Return these boxes as if no shadow ended in one, and the tones of each, one strip after the other.

    All those of a page: somebody's ink is told by what else is on it. Only what lies half a margin within a
    box tells paper from ink: lines do not. `ink_rank` is the share of a box's pixels that the core of its
    strokes has at least, if it holds any. What lies in even light is returned as it came.
    """
    evenly, measured = zip(*(_shades(strip, ink_rank) for strip in strips), strict=True)
    around, core, ink, *shades = np.concatenate(measured, axis=1)
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
    return list(evenly), Tones(paper, np.where(ink >= least * paper, ink, 0.0), core)


def _shades(strip: Strip, ink_rank: float) -> tuple[Strip, Shades]:
    """Return the strip evenly lit and (n, boxes): how light or dark it is around, in the middle, within."""
    ranks = INK_RANK, ink_rank, *GRAIN_RANKS
    darkest, *shades = _grey_at_ranks(strip.within(WITHIN), ranks)
    _, _, middle, _, light = shades
    shaded = light - middle >= SHADED * light
    if shaded.any() and (
        even := _evenly_lit(strip, np.flatnonzero(shaded), (light - darkest) / np.maximum(1, light))
    ):
        strip = even
        _, *shades = _grey_at_ranks(strip.within(WITHIN), ranks)
    (around,) = _grey_at_ranks(strip.grey[:, :, ::2], (LIGHT_RANK,))
    (core,) = _grey_at_ranks(strip.within(WITHIN + MIDDLE), (ink_rank,))
    return strip, np.stack([around, core, *shades])


def _evenly_lit(
    strip: Strip, shaded: npt.NDArray[np.int_], contrast: npt.NDArray[np.float64]
) -> Strip | None:
    """Return the strip as if in none of its boxes a shadow ended, None where none does."""
    height, _, width = strip.within(WITHIN).shape
    even = {}
    for index in shaded.tolist():
        flat = _flattened(strip.patch(index), WIDEST_STROKE * min(height, width))
        inside = Strip(flat[:, None], strip.margin).within(WITHIN)
        (darkest,), (light,) = _grey_at_ranks(inside, (INK_RANK, LIGHT_RANK))
        if (light - darkest) / max(1, light) >= contrast[index] / 2:
            even[index] = flat
    if not even:
        return None
    grey = strip.grey.copy()
    for index, flat in even.items():
        grey[:, index] = flat
    return Strip(grey, strip.margin)


def _grey_at_ranks(parts: Grey, ranks: Sequence[float]) -> Shades:
    """Return (ranks, boxes): how light the pixel of each rank is, from a part's darkest to its lightest.

    Every second row tells: those beside each other show the same strokes.
    """
    pixels = np.ascontiguousarray(parts[::2].transpose(1, 0, 2)).reshape(parts.shape[1], -1)
    pixels.sort(axis=1, kind="stable")  # which counts where there are but 256 greys
    return pixels[:, [int(rank * pixels.shape[1]) for rank in ranks]].T.astype(np.float64)


def _flattened(patch: Grey, widest: float) -> Grey:
    """Return the patch over paper that is everywhere as light as where it is lightest."""
    brush = np.ones((2 * round(widest / 2) + 1,) * 2, np.uint8)
    paper = cv2.morphologyEx(patch, cv2.MORPH_CLOSE, brush)
    paper = cv2.blur(paper, (5, 5))
    return np.asarray(cv2.divide(patch, paper, scale=float(paper.max())), np.uint8)
