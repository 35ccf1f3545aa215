"""What people put into boxes that is no digit, and what else is found there: drawn as ink, by kind."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from training.forms.ink import DigitSource, Ink, crop
from training.forms.pen import CORNER, Hand, Stroke, draw_strokes, random_hand

PLAIN_LETTERS: dict[str, tuple[Stroke, ...]] = {
    "A": (((0.0, 1.0), (0.3, 0.0, CORNER), (0.62, 1.0)), ((0.12, 0.62), (0.5, 0.62))),
    "C": (((0.56, 0.16), (0.34, 0.0), (0.08, 0.2), (0.0, 0.52), (0.1, 0.86), (0.34, 1.0), (0.58, 0.84)),),
    "E": (((0.5, 0.0), (0.02, 0.02, CORNER), (0.0, 1.0, CORNER), (0.54, 0.98)), ((0.0, 0.5), (0.42, 0.48))),
    "F": (((0.52, 0.0), (0.02, 0.02, CORNER), (0.0, 1.0)), ((0.0, 0.48), (0.4, 0.46))),
    "H": (((0.0, 0.0), (0.0, 1.0)), ((0.56, 0.0), (0.55, 1.0)), ((0.0, 0.5), (0.56, 0.48))),
    "K": (((0.0, 0.0), (0.0, 1.0)), ((0.5, 0.0), (0.03, 0.54, CORNER), (0.54, 1.0))),
    "M": (((0.0, 1.0), (0.06, 0.0, CORNER), (0.36, 0.6, CORNER), (0.66, 0.0, CORNER), (0.72, 1.0)),),
    "N": (((0.0, 1.0), (0.02, 0.0, CORNER), (0.52, 1.0, CORNER), (0.55, 0.0)),),
    "P": (((0.0, 1.0), (0.02, 0.02)), ((0.0, 0.04), (0.34, 0.0), (0.52, 0.2), (0.36, 0.46), (0.02, 0.5))),
    "R": (
        ((0.0, 1.0), (0.02, 0.02)),
        ((0.0, 0.04), (0.34, 0.0), (0.5, 0.2), (0.34, 0.44), (0.04, 0.5, CORNER), (0.56, 1.0)),
    ),
    "T": (((0.0, 0.02), (0.64, 0.0)), ((0.32, 0.02), (0.31, 1.0))),
    "U": (((0.0, 0.0), (0.0, 0.6), (0.12, 0.94), (0.3, 1.0), (0.5, 0.9), (0.56, 0.6), (0.57, 0.0)),),
    "V": (((0.0, 0.0), (0.3, 1.0, CORNER), (0.6, 0.0)),),
    "W": (((0.0, 0.0), (0.18, 1.0, CORNER), (0.4, 0.3, CORNER), (0.6, 1.0, CORNER), (0.8, 0.0)),),
    "a": (
        ((0.5, 0.16), (0.3, 0.02), (0.06, 0.2), (0.02, 0.7), (0.22, 0.98), (0.44, 0.76), (0.52, 0.06, CORNER),
         (0.52, 0.8), (0.66, 0.98)),
    ),
    "e": (
        ((0.04, 0.52), (0.5, 0.48, CORNER), (0.46, 0.12), (0.26, 0.0), (0.04, 0.24), (0.02, 0.7), (0.24, 1.0),
         (0.54, 0.86)),
    ),
    "k": (((0.02, 0.0), (0.0, 1.0)), ((0.4, 0.42), (0.04, 0.7, CORNER), (0.44, 1.0))),
    "m": (
        ((0.0, 0.0), (0.02, 1.0, CORNER), (0.04, 0.4), (0.2, 0.02), (0.36, 0.3), (0.36, 1.0, CORNER),
         (0.38, 0.4), (0.56, 0.02), (0.72, 0.3), (0.74, 1.0)),
    ),
    "n": (((0.0, 0.0), (0.02, 1.0, CORNER), (0.06, 0.36), (0.3, 0.0), (0.5, 0.26), (0.54, 1.0)),),
    "r": (((0.0, 0.0), (0.03, 1.0, CORNER), (0.06, 0.4), (0.24, 0.06), (0.44, 0.06)),),
    "?": (
        ((0.0, 0.18), (0.18, 0.0), (0.42, 0.1), (0.4, 0.34), (0.2, 0.5), (0.18, 0.72)),
        ((0.17, 0.94), (0.19, 0.98)),
    ),
}  # fmt: skip
LOOKALIKE_LETTERS: dict[str, tuple[Stroke, ...]] = {
    "B": (
        ((0.0, 0.0), (0.0, 1.0)),
        ((0.0, 0.0), (0.34, 0.02), (0.44, 0.22), (0.3, 0.44), (0.04, 0.48, CORNER), (0.4, 0.54), (0.52, 0.76),
         (0.36, 0.98), (0.0, 1.0)),
    ),
    "D": (((0.0, 0.0), (0.0, 1.0)), ((0.0, 0.0), (0.36, 0.06), (0.56, 0.46), (0.4, 0.92), (0.0, 1.0))),
    "G": (
        ((0.54, 0.14), (0.3, 0.0), (0.06, 0.24), (0.02, 0.66), (0.2, 0.98), (0.5, 0.9), (0.54, 0.56, CORNER),
         (0.3, 0.56)),
    ),
    "I": (((0.0, 0.0), (0.0, 1.0)),),
    "L": (((0.02, 0.0), (0.0, 1.0, CORNER), (0.5, 0.98)),),
    "O": (
        ((0.36, 0.0), (0.1, 0.14), (0.0, 0.5), (0.1, 0.86), (0.36, 1.0), (0.62, 0.86), (0.7, 0.5),
         (0.6, 0.12), (0.34, 0.01)),
    ),
    "S": (
        ((0.52, 0.12), (0.3, 0.0), (0.06, 0.14), (0.12, 0.4), (0.42, 0.56), (0.5, 0.82), (0.28, 1.0),
         (0.0, 0.88)),
    ),
    "Y": (((0.0, 0.0), (0.28, 0.46)), ((0.58, 0.0), (0.28, 0.46, CORNER), (0.22, 1.0))),
    "Z": (((0.0, 0.02), (0.56, 0.0, CORNER), (0.0, 1.0, CORNER), (0.6, 0.98)),),
    "b": (((0.02, 0.0), (0.0, 0.96)), ((0.02, 0.6), (0.26, 0.46), (0.5, 0.66), (0.36, 0.96), (0.02, 0.94))),
    "g": (
        ((0.5, 0.1), (0.28, 0.0), (0.04, 0.2), (0.14, 0.46), (0.4, 0.42), (0.52, 0.06, CORNER), (0.5, 0.8),
         (0.28, 1.0), (0.04, 0.9)),
    ),
    "q": (
        ((0.5, 0.08), (0.24, 0.0), (0.02, 0.22), (0.18, 0.48), (0.44, 0.36), (0.52, 0.04, CORNER),
         (0.5, 1.0)),
    ),
}  # fmt: skip

STRUCK_MARKS = ("cross", "slash", "dash", "scribble", "crossed-out digit")
OTHER_MARKS = ("letter", "lookalike letter", "two digits", "corner", "smudge")
MARKS = STRUCK_MARKS + OTHER_MARKS

BARE_IN_THE_MIDDLE = (0, 2, 3, 5, 6, 8, 9)  # digits that nobody writes with a bar
BARE_ACROSS = (3, 5, 6, 8, 9)  # digits that have no slash in them, nor does anybody write one


def draw_mark(kind: str, height_px: float, rng: np.random.Generator, digits: DigitSource) -> Ink:
    """Return a mark of that kind, at least as high as the digits of its writer, `height_px`.

    `digits` writes what is crossed out or crowded into one box. Raises KeyError for a kind not in MARKS.
    """
    hand = random_hand(rng)
    ink = _MARKS[kind](height_px, hand, digits, rng)
    lacking = max(round(height_px) - ink.shape[0], 0)
    above = int(lacking * np.clip(rng.normal(0.5, 0.15), 0, 1))
    return np.asarray(
        cv2.copyMakeBorder(ink, above, lacking - above, 0, 0, cv2.BORDER_CONSTANT, value=0), np.uint8
    )


Draw = Callable[[float, Hand, DigitSource, np.random.Generator], Ink]
"""(height of a digit in pixels, hand, digits, randomness) -> a mark."""


def _cross(height: float, hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
    return draw_strokes(_cross_strokes(rng.uniform(0.45, 1.0), rng.uniform(0.5, 1.1), rng), height, hand, rng)


def _cross_strokes(width: float, tall: float, rng: np.random.Generator) -> tuple[Stroke, ...]:
    bow, ends = rng.normal(0, 0.04, 2), rng.normal(0, 0.08, 4)
    down: Stroke = ((0.0, ends[0]), (width / 2 + bow[0], tall / 2), (width, tall + ends[1]))
    up: Stroke = ((width, ends[2]), (width / 2 + bow[1], tall / 2), (0.0, tall + ends[3]))
    if rng.random() < 0.2:  # without lifting the pen between the two
        return ((*down[:2], (width, tall + ends[1], CORNER), *up),)
    return down, up


def _slash(height: float, hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
    return draw_strokes(_slash_strokes(int(rng.choice((1, 2, 3), p=(0.4, 0.4, 0.2))), rng), height, hand, rng)


def _slash_strokes(count: int, rng: np.random.Generator) -> tuple[Stroke, ...]:
    """A single one leans more than any digit 1 does; as steep as those, it is a 1 to people too."""
    tall = rng.uniform(0.45, 0.75) if count == 1 else rng.uniform(0.6, 1.1)
    width = tall * (rng.uniform(1.4, 2.2) if count == 1 else rng.uniform(0.25, 0.9))
    apart, bow = rng.uniform(0.25, 0.4), rng.normal(0, 0.04)  # nearer ones run into a single broad one
    strokes: list[Stroke] = []
    for number in range(count):
        left = number * apart
        strokes.append(((left, tall), (left + width / 2 + bow, tall / 2), (left + width, 0.0)))
    return tuple(strokes) if rng.random() < 0.75 else tuple(map(_mirrored, strokes))


def _mirrored(stroke: Stroke) -> Stroke:
    return tuple((-knot[0], knot[1]) for knot in stroke)


def _dash(height: float, hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
    count = 1 if rng.random() < 0.75 else 2
    return draw_strokes(_dash_strokes(rng.uniform(0.4, 1.1), count, rng), height, hand, rng)


def _dash_strokes(width: float, count: int, rng: np.random.Generator) -> tuple[Stroke, ...]:
    rise, wave, apart = rng.normal(0, 0.06), rng.normal(0, 0.03), rng.uniform(0.15, 0.3)
    return tuple(
        (
            (0.0, number * apart),
            (width * 0.3, number * apart + wave),
            (width * 0.7, number * apart - wave - rise),
            (width, number * apart - rise),
        )
        for number in range(count)
    )


def _scribble(height: float, hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
    return draw_strokes(_scribble_strokes(rng), height, hand, rng)


def _scribble_strokes(rng: np.random.Generator) -> tuple[Stroke, ...]:
    """To and fro, in loops, or to and fro both ways, from loose to blacked out."""
    width, tall = rng.uniform(0.6, 1.0), rng.uniform(0.5, 0.95)
    turns = int(rng.integers(3, 11))  # wide enough that no bold 1 looks like it
    along = np.linspace(0, 1, 2 * turns)
    swing = (np.arange(2 * turns) % 2) * 1.0 + rng.normal(0, 0.08, 2 * turns)
    level = tuple(zip((swing * width).tolist(), (along * tall).tolist(), strict=True))
    upright = tuple(zip((along * width).tolist(), (swing * tall).tolist(), strict=True))
    if (style := rng.random()) < 0.3:
        angle = np.linspace(0, 2 * np.pi * turns, 8 * turns) + rng.uniform(0, 6)
        radius = np.linspace(1, rng.uniform(0.1, 0.5), 8 * turns) + rng.normal(0, 0.1, 8 * turns)
        drift = np.linspace(0, rng.uniform(0.1, 0.6), 8 * turns)
        x, y = radius * np.cos(angle) * width / 2 + drift, radius * np.sin(angle) * tall / 2
        return (tuple(zip(x.tolist(), y.tolist(), strict=True)),)
    return (level,) if style < 0.55 else (upright,) if style < 0.75 else (level, upright)


def _crossed_out(height: float, hand: Hand, digits: DigitSource, rng: np.random.Generator) -> Ink:
    """A digit under strokes that no writer's 0 or 7 has: two of them, or one where no digit has a bar."""
    digit = int(rng.integers(10))
    written = digits(digit, height, rng)
    style = rng.random()
    if style < 0.35:
        strokes = _cross_strokes(rng.uniform(0.7, 1.0), rng.uniform(0.8, 1.2), rng)
    elif style < 0.6:
        strokes = _scribble_strokes(rng)
    elif style < 0.8:
        strokes = _dash_strokes(rng.uniform(0.9, 1.3), 1 if digit in BARE_IN_THE_MIDDLE else 2, rng)
    else:
        strokes = _slash_strokes(1 if digit in BARE_ACROSS else 2, rng)
    strike = draw_strokes(strokes, height, hand, rng)
    off = rng.normal(0, 0.06, 2) * height
    return _laid_over(written, strike, (float(off[0]), float(off[1])))


def _letter(shapes: dict[str, tuple[Stroke, ...]]) -> Draw:
    def draw(height: float, hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
        return draw_strokes(list(shapes.values())[rng.integers(len(shapes))], height, hand, rng)

    return draw


def _two_digits(height: float, _hand: Hand, digits: DigitSource, rng: np.random.Generator) -> Ink:
    left, right = (
        digits(int(digit), height * float(rng.uniform(0.75, 1.0)), rng) for digit in rng.integers(0, 10, 2)
    )
    apart = (left.shape[1] + right.shape[1]) / 2 + float(rng.uniform(-0.06, 0.12)) * height
    return _laid_over(left, right, (apart, float(rng.normal(0, 0.08)) * height))


def _corner(height: float, _hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
    """Two printed lines that meet or cross, but for an upper right corner, which a 7 can look like."""
    rows, columns = int(height * rng.uniform(0.6, 1.1)), int(height * rng.uniform(0.4, 0.9))
    ink = np.zeros((rows, columns), np.uint8)
    thick = max(2, round(height * rng.uniform(0.03, 0.12)))
    down, across = rng.choice(((0, 0), (1, 0), (1, 1), (0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1), (0.5, 0.5)))
    at_row, at_column = int(down * (rows - thick)), int(across * (columns - thick))
    ink[at_row : at_row + thick] = 255
    ink[:, at_column : at_column + thick] = 255
    return ink


def _smudge(height: float, _hand: Hand, _digits: DigitSource, rng: np.random.Generator) -> Ink:
    """A blot, a fingerprint, a coffee drop: blobs without strokes."""
    rows, columns = int(height * rng.uniform(0.5, 1.0)), int(height * rng.uniform(0.7, 1.3))
    coarse = rng.uniform(0, 1, (int(rng.integers(3, 6)), int(rng.integers(3, 6))))
    coarse[[0, -1]], coarse[:, [0, -1]] = 0, 0
    relief = np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC))
    relief = relief + rng.normal(0, rng.uniform(0.0, 0.15), relief.shape)
    ink = np.clip((relief - rng.uniform(0.2, 0.4)) * rng.uniform(400, 2000), 0, 255).astype(np.uint8)
    return crop(ink) if (ink > 16).any() else np.full((rows, columns), 255, np.uint8)


def _laid_over(under: Ink, over: Ink, off: tuple[float, float]) -> Ink:
    """Return two inks as one, equally dark, the second's centre `off` the first's by so many pixels."""
    sizes = np.array([(ink.shape[1], ink.shape[0]) for ink in (under, over)])
    corners = np.rint(np.array([(0.0, 0.0), off]) - sizes / 2).astype(int)
    corners -= corners.min(axis=0)
    width, height = (corners + sizes).max(axis=0).tolist()
    both = np.zeros((height, width), np.uint8)
    for ink, (x, y) in zip((under, over), corners.tolist(), strict=True):
        part = both[y : y + ink.shape[0], x : x + ink.shape[1]]
        np.maximum(part, cv2.normalize(ink, np.empty_like(ink), 255, 0, cv2.NORM_INF), out=part)
    return both


_MARKS: dict[str, Draw] = {
    "cross": _cross,
    "slash": _slash,
    "dash": _dash,
    "scribble": _scribble,
    "crossed-out digit": _crossed_out,
    "letter": _letter(PLAIN_LETTERS),
    "lookalike letter": _letter(LOOKALIKE_LETTERS),
    "two digits": _two_digits,
    "corner": _corner,
    "smudge": _smudge,
}
