"""Whole numbers in one box, drawn and on the NIST page, given where the boxes are: what is read exactly.

`python -m benchmarks.strings` prints a line a group. Where the digits of a box are struck out, nothing is
to be read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy_runs import validation_digits
from benchmarks.placed_pages import real_pages
from segmentation.geometry import Point, Quad
from segmentation.page import Page
from segmentation.strings import DIGITS, CutString, choose, propose, read_strings
from segmentation.strips import Grey
from training.forms import DigitSource, PenDigits, random_hand
from training.forms.draw import blend, tint
from worker.measures import edit_distance, wilson
from worker.recogniser import Recogniser

REPOSITORY = Path(__file__).resolve().parent.parent
NIST = "nist-sd19-hsf"
STRINGS = 600
DIGIT_WIDTH = 0.6  # of its height, on the average: what spacing is a share of
LINE, INK, PAPER = (60,) * 3, (30,) * 3, 250
SPACINGS = (-0.1, 0.0, 0.1, 0.3, 0.61)
CONFIDENCES = (0.0, 0.5, 0.8, 0.9, 0.95, 1.01)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnString:
    """A box on paper, the inner edges of its lines, and what stands in it."""

    page: Page
    quad: Quad
    value: str
    spacing: float  # between digits, in mean digit widths; negative: they touch
    pen: bool  # own strokes, not MNIST's


def draw_string(seed: int, digits: DigitSource | None, *, struck: bool = False) -> DrawnString:
    """Draw 2 to 10 digits in a box; odd seeds are written with `digits`, if there are any.

    Where they are struck out, their value is empty.
    """
    rng = np.random.default_rng((seed, 14))
    value = "".join(str(digit) for digit in rng.integers(0, 10, rng.integers(2, 11)))
    box_height = float(rng.uniform(42, 115))  # 0.9 cm at 120 to 300 dpi
    digit_height, spacing = float(rng.uniform(0.45, 0.8)) * box_height, float(rng.uniform(-0.1, 0.6))
    pen = digits is None or seed % 2 == 0
    source = PenDigits(random_hand(rng)) if pen or digits is None else digits
    heights = digit_height * rng.normal(1, 0.05, len(value)).clip(0.85, 1.15)
    inks = [source(int(digit), height, rng) for digit, height in zip(value, heights, strict=True)]
    gaps = digit_height * DIGIT_WIDTH * (spacing + rng.normal(0, 0.05, len(inks)))
    length = sum(ink.shape[1] for ink in inks) + sum(gaps[:-1])
    box_width = (length + 0.2 * box_height) * float(rng.uniform(1.02, 2.0))
    margin = round(0.8 * box_height)
    image = np.full((round(box_height) + 2 * margin, round(box_width) + 2 * margin), PAPER, np.uint8)
    _frame(image, margin, (box_width, box_height), box_height * float(rng.uniform(0.02, 0.08)))
    x = margin + 0.05 * box_height + float(rng.uniform(0, 1)) * (box_width - length - 0.1 * box_height)
    middle = margin + box_height / 2 + float(rng.normal(0, 0.2)) * (box_height - digit_height) / 2
    one_bit = rng.random() < 0.25
    darkness = 1.0 if one_bit else float(rng.uniform(0.55, 1.0))
    for ink, gap in zip(inks, gaps.tolist(), strict=True):
        y = middle - ink.shape[0] / 2 + float(rng.normal(0, 0.04)) * digit_height
        part = image[round(y) : round(y) + ink.shape[0], round(x) : round(x) + ink.shape[1]]
        blend(part, ink[: part.shape[0], : part.shape[1]] / np.float32(255) * darkness, INK)
        x += ink.shape[1] + gap
    if struck:
        _strike(image, (x - length - gap, x - gap), middle, digit_height, rng)
    corners = np.array([(0, 0), (box_width, 0), (box_width, box_height), (0, box_height)]) + margin
    degrees = float(rng.normal(0, 1))
    turn = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), degrees, 1.0)
    image = np.asarray(cv2.warpAffine(image, turn, image.shape[::-1], borderValue=(PAPER,)), np.uint8)
    turned = corners @ turn[:, :2].T + turn[:, 2] + rng.normal(0, 0.5, (4, 2))  # found to a pixel or so
    quad = Quad(*(Point(*corner) for corner in turned.tolist()))
    return DrawnString(Page(_scanned(image, one_bit, rng)), quad, "" if struck else value, spacing, pen)


def _frame(image: Grey, margin: float, size: tuple[float, float], line: float) -> None:
    left, top, right, bottom = margin, margin, margin + size[0], margin + size[1]
    for edges in (
        (left - line, top - line, right + line, top),
        (left - line, bottom, right + line, bottom + line),
        (left - line, top - line, left, bottom + line),
        (right, top - line, right + line, bottom + line),
    ):
        tint(image, edges, LINE)


def _strike(
    image: Grey, ends: tuple[float, float], middle: float, digit_height: float, rng: np.random.Generator
) -> None:
    """Draw one to three strokes, or a zigzag, through a number from end to end."""
    thick = max(1, round(digit_height * float(rng.uniform(0.06, 0.12))))
    zigzag = rng.random() < 0.3
    for _ in range(1 if zigzag else int(rng.integers(1, 4))):
        x = np.linspace(*ends, int(rng.integers(5, 20)) if zigzag else 2) + rng.normal(0, 0.1) * digit_height
        swing = np.resize([-0.4, 0.4], len(x)) if zigzag else rng.uniform(-0.2, 0.2, len(x))
        points = np.rint(np.column_stack([x, middle + swing * digit_height])).astype(np.int32)
        cv2.polylines(image, [points], False, INK[:1], thick, cv2.LINE_AA)


def _scanned(image: Grey, one_bit: bool, rng: np.random.Generator) -> Grey:
    """Blur a little and add grain; some become black and white."""
    soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.0)))
    grainy = np.clip(soft + rng.normal(0, rng.uniform(1, 8), soft.shape), 0, 255).astype(np.uint8)
    if one_bit:
        threshold = PAPER - 0.35 * (PAPER - float(np.percentile(soft, 1)))
        grainy = np.where(grainy > threshold, 255, 0)
    return np.asarray(grainy, np.uint8)


@dataclass(frozen=True, slots=True)
class ReadString:
    """What stands in a box, what is read there, and how sure that is."""

    value: str
    read: str
    confidence: float


def said(value: str, cut: CutString) -> ReadString:
    """Return the value that the digits make, none where all ink together is struck or no digit."""
    marked = len(cut.cells) == 1 and cut.probabilities.argmax() >= DIGITS
    digits = "".join(map(str, cut.probabilities[:, :DIGITS].argmax(axis=1)))
    confidence = cut.confidence * float(cut.probabilities.max(axis=1).prod())
    return ReadString(value, "" if marked else digits, confidence)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strings", description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR",
                        help="folder of mnist/ and forms/ (default: %(default)s)")  # fmt: skip
    parser.add_argument("--strings", type=int, default=STRINGS, help="to draw (default: %(default)s)")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    classify, digits = Recogniser.load(), validation_digits(chosen.data)

    drawn = [draw_string(seed, digits) for seed in range(chosen.strings)]
    known = (read_strings(each.page, [each.quad], classify, [len(each.value)])[0] for each in drawn)
    with_length = [said(each.value, cut) for each, cut in zip(drawn, known, strict=True)]
    started = time.process_time()
    proposals = [propose(each.page, [each.quad])[0] for each in drawn]
    proposed = time.process_time()
    answers = [classify(proposal.glyphs) for proposal in proposals]
    classified = time.process_time()
    cuts = [choose(*each) for each in zip(proposals, answers, strict=True)]
    milliseconds = 1000 * (time.process_time() - classified + proposed - started) / len(drawn)
    reads = [said(each.value, cut) for each, cut in zip(drawn, cuts, strict=True)]
    print(_row("drawn (synthetic)", reads))
    print(_row("the same, length known", with_length))
    for name, pen in (("own pen strokes", True), ("MNIST validation digits", False)):
        print(_row(name, [read for each, read in zip(drawn, reads, strict=True) if each.pen == pen]))
    for low, high in pairwise(SPACINGS):
        near = (read for each, read in zip(drawn, reads, strict=True) if low <= each.spacing < high)
        print(_row(f"spacing {low:.0%} to {high:.0%}", list(near)))
    for low, high in pairwise(CONFIDENCES):
        sure = (read for read in reads if low <= read.confidence < high)
        print(_row(f"confidence {low:g} to {high:g}", list(sure)))
    struck = (draw_string(seed, digits, struck=True) for seed in range(chosen.strings // 4))
    marks = [said("", read_strings(each.page, [each.quad], classify)[0]) for each in struck]
    print(_row("struck out", marks))
    glyphs = sum(len(proposal.cells) for proposal in proposals) / len(drawn)
    print(f"{milliseconds:.1f} ms and {glyphs:.0f} glyphs a box, without classification")
    if (folder := chosen.data / "forms" / NIST).is_dir():
        for page in real_pages(folder):
            both = zip(page.truths, read_strings(page.page, page.places, classify), strict=True)
            print(_row(NIST, [said(truth.value, cut) for truth, cut in both]))


def _row(name: str, reads: Sequence[ReadString]) -> str:
    exact = sum(read.value == read.read for read in reads)
    wrong = sum(edit_distance(read.value, read.read) for read in reads)
    digits = sum(len(read.value) for read in reads)
    likely = wilson(exact, len(reads))
    share = f"{exact / max(1, len(reads)):6.1%} ({likely.low:.1%} to {likely.high:.1%})"
    return f"{name:28} {exact:4} of {len(reads):4} exact, {share}; {wrong} of {digits} digits wrong"


if __name__ == "__main__":
    main()
