"""Pools of glyphs that have been on paper: written into cells, scanned, cut out; made once, then read back.

Cutting through `segmentation` costs about half a millisecond a glyph, so it happens before the training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.dataset import LabelledGlyphs
from training.forms.cells import write_in_cells
from training.forms.ink import DigitSource, Ink, PastedDigits, crop
from training.forms.marks import OTHER_MARKS, STRUCK_MARKS, draw_mark
from training.forms.pen import RARE_SHAPES, Hand, PenDigits, draw_strokes, random_hand, write
from training.kept import Arrays, keep
from training.model_card import CLASSES, OTHER, STRUCK
from training.scorecard import LOOKALIKES

PAPER_VERSION = "2"  # part of a pool's key: whoever changes how cells are drawn gives it another number
PENS_VERSION = "3"  # the same for those who change RARE_SHAPES, which are in the pens' pool alone
CELLS = 8  # boxes of a row: one writer, one form, one scan
PEN_HEIGHT = 48.0  # px that strokes are drawn at before a box says how large they are
RARE_SHARE = 0.4  # of our own digits that have a rare shape, where there are such
BOLD_SHARE, BOLDEST = 0.2, 0.28  # of rows, and a pen's width in digit heights: felt pens, coarse scans
PASTED_SHARE = 0.5  # of marks in which digits are those of a data set, if there is one

TRAINED_MARKS = tuple(kind for kind in (*STRUCK_MARKS, *OTHER_MARKS) if kind != LOOKALIKES)
"""Letters that look like digits are digits to a reader of digits: to learn the contrary would cost those."""

Written = tuple[list[Ink], list[int]]
"""Inks for the cells of a row and the class of each."""


def paper_digits(source: LabelledGlyphs, passes: int, seed: int, cache: Path) -> LabelledGlyphs:
    """Return each digit of the source written into cells `passes` times, less those that went astray.

    The same source, passes and seed give the same glyphs; they are kept as a file in `cache`.
    """

    def rows() -> Iterator[Written]:
        for number in range(passes):
            order = np.random.default_rng((seed, number)).permutation(len(source))
            for start in range(0, len(order), CELLS):
                chosen = order[start : start + CELLS]
                yield [crop(source.glyphs[index]) for index in chosen], source.labels[chosen].tolist()

    return _pool(f"digits {digest(source)} {passes}", seed, rows, cache)


def paper_pens(count: int, seed: int, cache: Path) -> LabelledGlyphs:
    """Return about `count` digits in strokes of our own, a hand a row, all digits about equally often."""

    def rows() -> Iterator[Written]:
        for number in range(-(-count // CELLS)):
            rng = np.random.default_rng((seed, number))
            hand = random_hand(rng)
            if rng.random() < BOLD_SHARE:
                hand = replace(hand, pen_width=float(rng.uniform(hand.pen_width, BOLDEST)))
            labels = rng.integers(0, 10, CELLS).tolist()
            yield [_pen_ink(label, hand, rng) for label in labels], labels

    return _pool(f"pens {count} {PENS_VERSION}", seed, rows, cache)


def _pen_ink(digit: int, hand: Hand, rng: np.random.Generator) -> Ink:
    rare = list(RARE_SHAPES.get(digit, {}).values())
    if rare and rng.random() < RARE_SHARE:
        return draw_strokes(rare[rng.integers(len(rare))], PEN_HEIGHT, hand, rng)
    return write(digit, PEN_HEIGHT, hand, rng)


def paper_marks(count: int, seed: int, cache: Path, digits: LabelledGlyphs | None = None) -> LabelledGlyphs:
    """Return about `count` marks that are no digits, labelled as struck or other, all kinds equally often.

    `digits` takes part in what is crossed out or crowded into one box, beside strokes of our own.
    """
    pasted = PastedDigits(digits.glyphs, digits.labels) if digits else None

    def rows() -> Iterator[Written]:
        for number in range(-(-count // CELLS)):
            rng = np.random.default_rng((seed, number))
            kinds = rng.choice(TRAINED_MARKS, CELLS).tolist()
            writer: DigitSource = PenDigits(random_hand(rng))
            if pasted and rng.random() < PASTED_SHARE:
                writer = pasted
            yield (
                [draw_mark(kind, PEN_HEIGHT, rng, writer) for kind in kinds],
                list(map(class_of_mark, kinds)),
            )

    return _pool(f"marks {count} {digest(digits) if digits else ''}", seed, rows, cache)


def class_of_mark(kind: str) -> int:
    """Return the index in CLASSES of a kind of mark."""
    return CLASSES.index(STRUCK if kind in STRUCK_MARKS else OTHER)


def _pool(what: str, seed: int, rows: Callable[[], Iterator[Written]], cache: Path) -> LabelledGlyphs:
    made_by = f"{what} {seed} {PAPER_VERSION}"
    kept = keep(cache, what.split(maxsplit=1)[0], made_by, lambda: _written(rows(), seed))
    return LabelledGlyphs(kept["glyphs"], kept["labels"])


def _written(rows: Iterator[Written], seed: int) -> Arrays:
    glyphs, labels = [], []
    for number, (inks, classes) in enumerate(rows):
        written = write_in_cells(inks, np.random.default_rng((seed, 1, number)))
        for glyph, label in zip(written, classes, strict=True):
            if glyph is not None:
                glyphs.append(glyph)
                labels.append(label)
    return {"glyphs": np.stack(glyphs), "labels": np.array(labels, np.uint8)}


def digest(source: LabelledGlyphs) -> str:
    """Return what tells one set of labelled glyphs from another, in 16 hexadecimal digits."""
    return hashlib.sha256(source.glyphs.tobytes() + source.labels.tobytes()).hexdigest()[:16]
