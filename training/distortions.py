"""What differs from hand to hand: a digit turned, slanted, shifted and bent is still the same digit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from training.model_card import GLYPH_SIDE

WIDEST = 22  # px that stretched ink may take
NARROWING = 0.25  # of the stretch: a narrow digit has little width to lose
MARGIN = 8  # px of black around a glyph, which no distortion reaches beyond
BEND_SIGMA = 4.0  # px over which a bend changes (Simard 2003)
BENDS = 1024  # as many different ones
BENDS_SEED = 2003
COARSE_SIDES = (14, 26)  # px that a coarse scanner sees instead of 28: digits of 10 to 18 px
COARSE_THRESHOLDS = (64, 192)
AT_ONCE = 512  # glyphs; OpenCV moves pictures of at most 32,767 rows

Shifts = npt.NDArray[np.float32]
"""(n, 28, 28) float32: how far each pixel's ink comes from, px."""


@dataclass(frozen=True, slots=True)
class Distortion:
    """The largest change in each direction; every glyph draws its own, evenly spread."""

    turn_degrees: float = 10.0
    slant: float = 0.2  # pixels to the side per pixel up
    scale: float = 0.1  # share of the size
    shift: float = 1.5  # px
    bend: float = 0.0  # px that strokes are bent by, root mean square
    stretch: float = 0.0  # share that a glyph is made wider by as far as it fits, or narrower by a quarter
    coarse: float = 0.0  # share of glyphs that are seen as by a coarse scanner in black and white


def distort(
    glyphs: npt.NDArray[np.uint8], distortion: Distortion, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Return glyphs (n, 28, 28) uint8, each distorted about its centre in its own way."""
    if not len(glyphs):
        return glyphs
    parts = [glyphs[start : start + AT_ONCE] for start in range(0, len(glyphs), AT_ONCE)]
    distorted = np.concatenate([_distort_at_once(part, distortion, rng) for part in parts])
    if distortion.coarse:
        for index in np.flatnonzero(rng.random(len(glyphs)) < distortion.coarse):
            distorted[index] = _coarsened(distorted[index], rng)
    return distorted


def _coarsened(glyph: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    side, threshold = int(rng.integers(*COARSE_SIDES)), float(rng.uniform(*COARSE_THRESHOLDS))
    small = cv2.resize(glyph, (side, side), interpolation=cv2.INTER_AREA)
    _, black = cv2.threshold(small, threshold, 255, cv2.THRESH_BINARY)
    return np.asarray(cv2.resize(black, glyph.shape, interpolation=cv2.INTER_LINEAR), np.uint8)


def _distort_at_once(
    glyphs: npt.NDArray[np.uint8], distortion: Distortion, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Draw them one below the other and move them in one go, which takes some ten microseconds a glyph."""
    columns, rows = _sources(glyphs, distortion, rng)
    inside = (-MARGIN, GLYPH_SIDE - 1 + MARGIN)
    strip = np.pad(glyphs, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN))).reshape(-1, GLYPH_SIDE + 2 * MARGIN)
    tops = np.arange(len(glyphs), dtype=np.float32)[:, None, None] * (GLYPH_SIDE + 2 * MARGIN)
    moved = cv2.remap(
        strip,
        (columns.clip(*inside) + MARGIN).reshape(-1, GLYPH_SIDE),
        (rows.clip(*inside) + MARGIN + tops).reshape(-1, GLYPH_SIDE),
        cv2.INTER_LINEAR,
    )
    return np.asarray(moved, np.uint8).reshape(glyphs.shape)


def _sources(
    glyphs: npt.NDArray[np.uint8], distortion: Distortion, rng: np.random.Generator
) -> tuple[Shifts, Shifts]:
    """Return from which column and which row each pixel of each glyph takes its ink."""
    count = len(glyphs)
    spread = np.array([distortion.turn_degrees, distortion.slant, distortion.scale, *[distortion.shift] * 2])
    turn, slant, scale, shift_x, shift_y = (rng.uniform(-1, 1, (count, 5)) * spread).T
    turned = np.exp(-1j * np.radians(turn)) * (1 + scale)
    upright = np.stack([turned.real, -turned.imag, turned.imag, turned.real], axis=1).reshape(-1, 2, 2)
    slanted = np.tile(np.eye(2), (count, 1, 1))
    slanted[:, 0, 1] = slant
    slanted[:, :, 0] *= _widening(glyphs, distortion.stretch, rng)[:, None]
    back = np.linalg.inv(upright @ slanted).astype(np.float32)
    centre = (GLYPH_SIDE - 1) / 2
    y, x = np.mgrid[:GLYPH_SIDE, :GLYPH_SIDE].astype(np.float32) - centre
    from_x = x - shift_x.astype(np.float32)[:, None, None]
    from_y = y - shift_y.astype(np.float32)[:, None, None]
    columns = back[:, 0, 0, None, None] * from_x + back[:, 0, 1, None, None] * from_y + centre
    rows = back[:, 1, 0, None, None] * from_x + back[:, 1, 1, None, None] * from_y + centre
    if distortion.bend:
        chosen = rng.integers(0, BENDS, (2, count))
        columns += distortion.bend * _bends()[chosen[0]]
        rows += distortion.bend * _bends()[chosen[1]]
    return columns, rows


def _widening(
    glyphs: npt.NDArray[np.uint8], stretch: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return what each glyph's width is multiplied by, evenly spread in its logarithm."""
    if not stretch:
        return np.ones(len(glyphs))
    widths = np.maximum(glyphs.any(axis=1).sum(axis=1), 1)
    drawn = (1 + stretch) ** rng.uniform(-NARROWING, 1, len(glyphs))
    return np.asarray(np.minimum(drawn, np.maximum(WIDEST / widths, 1)))


@cache
def _bends() -> Shifts:
    """Return smooth random fields of root mean square 1."""
    rng = np.random.default_rng(BENDS_SEED)
    noise = rng.standard_normal((BENDS, GLYPH_SIDE, GLYPH_SIDE), np.float32)
    smooth = np.stack([cv2.GaussianBlur(field, (0, 0), BEND_SIGMA) for field in noise])
    return np.asarray(smooth / np.sqrt((smooth**2).mean(axis=(1, 2), keepdims=True)), np.float32)
