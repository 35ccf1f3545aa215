"""Digits drawn with a pen of our own: no data set behind them, so the project may ship what it draws.

A digit is a few strokes through control points; a hand bends them alike all over a page, as a writer does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from training.forms.ink import Ink, crop

Knot = tuple[float, float] | tuple[float, float, str]
"""A point a stroke passes through, in digit heights, y down; a third member marks a corner."""

Stroke = tuple[Knot, ...]

CORNER = "corner"
SUPERSAMPLING = 4  # a pen is 2 to 10 pixels wide: its edge needs finer steps than whole pixels
STEPS_PER_KNOT = 8

_ONE_FLAG: Stroke = ((0.12, 0.2), (0.3, 0.0, CORNER), (0.3, 1.0))
_SEVEN: Stroke = ((0.0, 0.04), (0.58, 0.02, CORNER), (0.38, 0.42), (0.22, 1.0))
_FIVE_BELLY: Stroke = (
    (0.12, 0.02),
    (0.07, 0.44, CORNER),
    (0.32, 0.36),
    (0.56, 0.52),
    (0.55, 0.8),
    (0.32, 1.0),
    (0.0, 0.92),
)
_THREE_BELLY: Stroke = (
    (0.24, 0.46, CORNER),
    (0.5, 0.55),
    (0.6, 0.76),
    (0.44, 0.97),
    (0.18, 1.0),
    (0.0, 0.88),
)

# The first shape of a digit is the one that most hands write.
SHAPES: dict[int, dict[str, tuple[Stroke, ...]]] = {
    0: {
        "oval": (
            ((0.36, 0.0), (0.12, 0.12), (0.0, 0.5), (0.12, 0.88), (0.33, 1.0), (0.55, 0.86), (0.64, 0.5),
             (0.54, 0.13), (0.34, 0.01)),
        ),
        "overrun": (
            ((0.42, 0.04), (0.14, 0.1), (0.0, 0.52), (0.14, 0.92), (0.36, 1.0), (0.58, 0.8), (0.6, 0.4),
             (0.46, 0.08), (0.26, 0.03), (0.2, 0.1)),
        ),
        "narrow": (
            ((0.24, 0.0), (0.07, 0.15), (0.0, 0.55), (0.1, 0.92), (0.23, 1.0), (0.38, 0.84), (0.44, 0.45),
             (0.36, 0.1), (0.22, 0.01)),
        ),
        "gap": (
            ((0.3, 0.02), (0.1, 0.16), (0.0, 0.52), (0.12, 0.9), (0.34, 1.0), (0.56, 0.84), (0.62, 0.44),
             (0.52, 0.1), (0.38, 0.0)),
        ),
    },
    1: {
        "stroke": (((0.05, 0.0), (0.04, 0.5), (0.05, 1.0)),),
        "flag": (_ONE_FLAG,),
        "european": (((0.0, 0.42), (0.2, 0.24), (0.38, 0.0, CORNER), (0.36, 1.0)),),
        "foot": (_ONE_FLAG, ((0.06, 1.0), (0.56, 0.99))),
    },
    2: {
        "plain": (
            ((0.03, 0.2), (0.14, 0.05), (0.34, 0.0), (0.54, 0.12), (0.54, 0.34), (0.32, 0.66),
             (0.0, 0.98, CORNER), (0.62, 0.96)),
        ),
        "loop": (
            ((0.05, 0.16), (0.2, 0.02), (0.42, 0.03), (0.54, 0.2), (0.44, 0.5), (0.2, 0.84), (0.06, 0.98),
             (0.0, 0.9), (0.1, 0.82), (0.34, 0.93), (0.68, 0.98)),
        ),
        "swan": (
            ((0.0, 0.28), (0.1, 0.06), (0.32, 0.0), (0.5, 0.16), (0.46, 0.42), (0.24, 0.74),
             (0.02, 0.96, CORNER), (0.22, 0.9), (0.44, 0.98), (0.64, 0.9)),
        ),
    },
    3: {
        "round": (
            ((0.04, 0.12), (0.22, 0.0), (0.46, 0.06), (0.5, 0.28), (0.24, 0.46, CORNER), *_THREE_BELLY[1:]),
        ),
        "flat": (((0.04, 0.03), (0.54, 0.02, CORNER), *_THREE_BELLY),),
        "soft": (
            ((0.0, 0.08), (0.24, 0.0), (0.46, 0.12), (0.42, 0.34), (0.26, 0.46), (0.46, 0.56), (0.54, 0.78),
             (0.36, 0.98), (0.1, 0.98), (0.0, 0.9)),
        ),
    },
    4: {
        "open": (((0.12, 0.0), (0.0, 0.56, CORNER), (0.64, 0.54)), ((0.46, 0.22), (0.44, 1.0))),
        "closed": (((0.44, 0.0), (0.0, 0.66, CORNER), (0.64, 0.66)), ((0.45, 0.0), (0.45, 1.0))),
        "round": (((0.08, 0.02), (0.02, 0.36), (0.16, 0.52), (0.5, 0.46)), ((0.52, 0.0), (0.46, 1.0))),
    },
    5: {
        "capped": (_FIVE_BELLY, ((0.12, 0.03), (0.58, 0.0))),
        "single": (((0.58, 0.0), (0.14, 0.03, CORNER), *_FIVE_BELLY[1:]),),
        "late cap": (_FIVE_BELLY, ((0.2, 0.06), (0.66, 0.04))),
    },
    6: {
        "curved": (
            ((0.5, 0.02), (0.22, 0.2), (0.04, 0.58), (0.08, 0.9), (0.3, 1.0), (0.54, 0.88), (0.54, 0.66),
             (0.34, 0.54), (0.14, 0.64), (0.06, 0.8)),
        ),
        "straight": (
            ((0.34, 0.0), (0.1, 0.44), (0.0, 0.76), (0.14, 0.98), (0.4, 0.98), (0.52, 0.78), (0.4, 0.58),
             (0.18, 0.62), (0.04, 0.8)),
        ),
    },
    7: {
        "plain": (_SEVEN,),
        "barred": (_SEVEN, ((0.12, 0.5), (0.56, 0.47))),
        "hooked": (((0.0, 0.18), (0.03, 0.02, CORNER), (0.56, 0.03, CORNER), (0.36, 0.46), (0.26, 1.0)),),
    },
    8: {
        "crossing": (
            ((0.52, 0.14), (0.32, 0.0), (0.1, 0.1), (0.12, 0.32), (0.34, 0.48), (0.56, 0.68), (0.52, 0.92),
             (0.28, 1.0), (0.06, 0.88), (0.08, 0.66), (0.3, 0.5), (0.5, 0.34), (0.53, 0.12)),
        ),
        "two rounds": (
            ((0.3, 0.0), (0.1, 0.1), (0.1, 0.34), (0.3, 0.45), (0.5, 0.34), (0.5, 0.1), (0.3, 0.0)),
            ((0.3, 0.45), (0.04, 0.6), (0.06, 0.9), (0.3, 1.0), (0.56, 0.9), (0.56, 0.6), (0.3, 0.45)),
        ),
    },
    9: {
        "straight": (
            ((0.52, 0.12), (0.32, 0.0), (0.08, 0.1), (0.04, 0.36), (0.24, 0.5), (0.46, 0.36),
             (0.53, 0.06, CORNER), (0.48, 1.0)),
        ),
        "curved": (
            ((0.54, 0.14), (0.34, 0.0), (0.08, 0.12), (0.06, 0.38), (0.28, 0.5), (0.5, 0.34),
             (0.56, 0.12, CORNER), (0.54, 0.62), (0.38, 0.96), (0.06, 0.98)),
        ),
        "leaning": (
            ((0.46, 0.06), (0.2, 0.02), (0.02, 0.2), (0.1, 0.44), (0.34, 0.42), (0.5, 0.14),
             (0.52, 0.04, CORNER), (0.4, 0.6), (0.28, 1.0)),
        ),
    },
}  # fmt: skip

RARE_SHAPES: dict[int, dict[str, tuple[Stroke, ...]]] = {
    1: {
        "upstroke": (((0.0, 0.95), (0.42, 0.0, CORNER), (0.4, 1.0)),),
        "long flag": (((0.0, 0.66), (0.36, 0.0, CORNER), (0.35, 1.0)),),
        "flag and foot": (((0.0, 0.3), (0.26, 0.0, CORNER), (0.26, 1.0)), ((0.0, 1.0), (0.52, 0.98))),
        "upstroke and foot": (((0.0, 0.8), (0.4, 0.0, CORNER), (0.36, 1.0)), ((0.12, 1.0), (0.66, 0.98))),
        "loop": (((0.0, 0.86), (0.26, 0.42), (0.42, 0.06), (0.34, 0.0), (0.3, 0.3), (0.31, 1.0)),),
    },
    4: {
        "short stem": (((0.36, 0.0), (0.0, 0.7, CORNER), (0.66, 0.68)), ((0.42, 0.42), (0.4, 1.0))),
        "angular": (((0.3, 0.0), (0.0, 0.5, CORNER), (0.62, 0.5, CORNER), (0.6, 1.0)),),
        "lightning": (((0.46, 0.0), (0.02, 0.56, CORNER), (0.54, 0.42, CORNER), (0.26, 1.0)),),
        "long diagonal": (((0.6, 0.0), (0.0, 0.68, CORNER), (0.66, 0.62, CORNER), (0.6, 1.0)),),
        "hung stem": (
            ((0.54, 0.0), (0.0, 0.7, CORNER), (0.48, 0.7)),
            ((0.64, 0.5), (0.58, 0.66), (0.52, 1.0)),
        ),
        "bowl": (((0.24, 0.0), (0.02, 0.4), (0.1, 0.7), (0.36, 0.72), (0.58, 0.46, CORNER), (0.54, 1.0)),),
    },
    7: {
        "low bar": (
            ((0.0, 0.1), (0.02, 0.0, CORNER), (0.6, 0.02, CORNER), (0.34, 0.5), (0.16, 1.0)),
            ((0.1, 0.62), (0.68, 0.58)),
        ),
        "wave": (
            ((0.0, 0.16), (0.14, 0.02), (0.36, 0.1), (0.6, 0.0, CORNER), (0.36, 0.46), (0.22, 1.0)),
            ((0.1, 0.5), (0.56, 0.46)),
        ),
    },
    9: {
        "flat hook": (
            ((0.5, 0.12), (0.28, 0.0), (0.06, 0.14), (0.06, 0.36), (0.26, 0.48), (0.46, 0.34),
             (0.52, 0.1, CORNER), (0.54, 0.66), (0.42, 0.94), (0.0, 1.0)),
        ),
        "deep hook": (
            ((0.48, 0.06), (0.22, 0.0), (0.04, 0.18), (0.14, 0.4), (0.4, 0.34), (0.52, 0.06, CORNER),
             (0.56, 0.6), (0.4, 0.98), (0.12, 0.94), (0.02, 0.78)),
        ),
        "long foot": (
            ((0.5, 0.06), (0.24, 0.0), (0.06, 0.12), (0.12, 0.34), (0.36, 0.36), (0.52, 0.08, CORNER),
             (0.56, 0.5), (0.44, 0.8), (0.0, 0.84, CORNER), (0.2, 1.0), (0.62, 0.98)),
        ),
        "neck and foot": (
            ((0.48, 0.1), (0.28, 0.0), (0.06, 0.14), (0.14, 0.36), (0.4, 0.26), (0.5, 0.08, CORNER),
             (0.32, 0.42), (0.56, 0.74), (0.4, 0.98, CORNER), (0.0, 1.0)),
        ),
        "crossed neck": (
            ((0.2, 0.38), (0.54, 0.28), (0.56, 0.06), (0.32, 0.0), (0.08, 0.16), (0.2, 0.4),
             (0.56, 0.72), (0.44, 0.94), (0.22, 1.0), (0.0, 0.98)),
        ),
        "small eye": (
            ((0.42, 0.04), (0.24, 0.02), (0.18, 0.2), (0.34, 0.26), (0.46, 0.06, CORNER), (0.34, 0.44),
             (0.52, 0.66), (0.46, 0.96, CORNER), (0.0, 0.98)),
        ),
    },
}  # fmt: skip
"""Shapes that drawn pages do not show: for training, so that the hands there stay a little unlike."""


@dataclass(frozen=True, slots=True)
class Hand:
    """How one writer writes. Lengths are in digit heights.

    `shapes` names the writer's shape of each digit; now and then (`fickleness`) another one comes out.
    """

    shapes: tuple[str, ...]
    fickleness: float = 0.05
    slant: float = 0.0  # how far the top leans to the right
    aspect: float = 1.0  # wider than 1: broad digits
    jitter: float = 0.02  # standard deviation of every control point
    turn_degrees: float = 2.0  # standard deviation of a digit's own rotation
    size_spread: float = 0.06  # standard deviation of a digit's height
    pen_width: float = 0.08
    pressure_spread: float = 0.15  # how much the pen's width varies along a stroke
    darkness: float = 1.0  # 1 is a full black, a pencil reaches 0.6
    grain: float = 0.0  # share of the ink that dry ballpoint or pencil leaves out


def write(digit: int, height_px: float, hand: Hand, rng: np.random.Generator) -> Ink:
    """Return `digit` as this hand writes it, about `height_px` high.

    Raises KeyError where the hand names a shape that the digit has not.
    """
    shapes = SHAPES[digit]
    name = hand.shapes[digit]
    if rng.random() < hand.fickleness:
        name = list(shapes)[rng.integers(len(shapes))]
    return draw_strokes(shapes[name], height_px, hand, rng)


def draw_strokes(strokes: Sequence[Stroke], height_px: float, hand: Hand, rng: np.random.Generator) -> Ink:
    """Return strokes of any shape as this hand draws them; `height_px` is how high it writes a digit."""
    scale = height_px * SUPERSAMPLING * float(np.clip(rng.normal(1, hand.size_spread), 0.7, 1.3))
    bend = _bend(hand, rng)
    lines = [_sample(stroke, hand.jitter, rng) @ bend * scale for stroke in strokes]
    return _paint(lines, hand, height_px, rng)


@dataclass(frozen=True, slots=True)
class PenDigits:
    """A hand as a digit source."""

    hand: Hand

    def __call__(self, digit: int, height_px: float, rng: np.random.Generator) -> Ink:
        return write(digit, height_px, self.hand, rng)


def random_hand(rng: np.random.Generator) -> Hand:
    """Return a writer: ballpoint, felt pen or pencil, upright or slanting, with shapes of his own."""
    pen_width, darkness, grain = (
        (rng.uniform(0.055, 0.09), rng.uniform(0.8, 1.0), rng.uniform(0.0, 0.12)),  # ballpoint
        (rng.uniform(0.1, 0.16), 1.0, 0.0),  # felt pen
        (rng.uniform(0.06, 0.1), rng.uniform(0.55, 0.75), rng.uniform(0.05, 0.25)),  # pencil
    )[rng.choice(3, p=(0.6, 0.25, 0.15))]
    return Hand(
        shapes=tuple(str(rng.choice(list(SHAPES[digit]))) for digit in range(10)),
        slant=float(np.clip(rng.normal(0.1, 0.14), -0.25, 0.45)),
        aspect=float(rng.uniform(0.8, 1.2)),
        jitter=float(rng.uniform(0.008, 0.028)),
        turn_degrees=float(rng.uniform(1, 4)),
        size_spread=float(rng.uniform(0.03, 0.09)),
        pen_width=float(pen_width),
        pressure_spread=float(rng.uniform(0.05, 0.25)),
        darkness=float(darkness),
        grain=float(grain),
    )


def _bend(hand: Hand, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the 2 x 2 matrix (for row vectors) of the hand's aspect, slant and a little turn."""
    turn = np.radians(rng.normal(0, hand.turn_degrees))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    slant = np.array([[1.0, 0.0], [-hand.slant + rng.normal(0, 0.02), 1.0]])
    return np.asarray(np.diag([hand.aspect, 1.0]) @ slant @ rotation, np.float64)


def _sample(stroke: Stroke, jitter: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return points along the Catmull-Rom splines through the knots; at a corner one ends, another starts."""
    knots = np.array([knot[:2] for knot in stroke]) + rng.normal(0, jitter, (len(stroke), 2))
    corners = [index for index, knot in enumerate(stroke) if len(knot) == 3]
    ends = [0, *corners, len(stroke) - 1]
    pieces = [_spline(knots[a : b + 1]) for a, b in pairwise(ends) if b > a]
    return np.concatenate(pieces)


def _spline(knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, STEPS_PER_KNOT)[:, None, None]
    points = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.asarray(points.transpose(1, 0, 2).reshape(-1, 2), np.float64)


def _paint(
    lines: list[npt.NDArray[np.float64]], hand: Hand, height_px: float, rng: np.random.Generator
) -> Ink:
    width = max(hand.pen_width * height_px, 1.0) * SUPERSAMPLING
    margin = width + 2 * SUPERSAMPLING
    corner = np.min([line.min(axis=0) for line in lines], axis=0) - margin
    extent = np.max([line.max(axis=0) for line in lines], axis=0) - corner + margin
    columns, rows = (int(np.ceil(size / SUPERSAMPLING)) for size in extent)
    canvas = np.zeros((rows * SUPERSAMPLING, columns * SUPERSAMPLING), np.uint8)
    for line in lines:
        points = np.rint(line - corner).astype(int)
        pressure = _wander(len(points), rng) * hand.pressure_spread
        widths = np.maximum(np.rint(width * (1 + pressure)), 1).astype(int)
        for start, end, thickness in zip(points, points[1:], widths, strict=False):
            cv2.line(canvas, tuple(map(int, start)), tuple(map(int, end)), (255,), int(thickness))
    ink = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) * hand.darkness
    if hand.grain:
        ink *= 1 - hand.grain * np.clip(np.abs(rng.normal(0, 1.2, ink.shape)), 0, 2)
    return crop(np.clip(ink, 0, 255).astype(np.uint8))


def _wander(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return smooth noise of about unit deviation."""
    slow = rng.normal(0, 1, count // 12 + 2)
    return np.interp(np.linspace(0, len(slow) - 1, count), np.arange(len(slow)), slow)
