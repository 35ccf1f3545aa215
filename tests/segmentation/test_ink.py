"""Which ink in a cut-out box is the digit's, whatever other boxes it is cut together with."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from segmentation.glyph import normalise_all
from segmentation.ink import Digits, find_ink
from segmentation.strips import Grey, Strip

HEIGHT, WIDTH, MARGIN = 66, 60, 8.0
PAPER, INK = 200, 40


def box(digit: str, *, pen: int = 4, off: int = 0, line: bool = True) -> Grey:
    """Return a patch of a box with its lines, into which somebody wrote, `off` pixels to the right."""
    patch = np.full((HEIGHT, WIDTH), PAPER, np.uint8)
    if line:
        edge = round(MARGIN)
        cv2.rectangle(patch, (edge - 1, edge - 1), (WIDTH - edge, HEIGHT - edge), (INK,), 2)
    cv2.putText(patch, digit, (18 + off, 49), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (INK,), pen, cv2.LINE_AA)
    return patch


def strip(boxes: Sequence[Grey]) -> Strip:
    return Strip(np.stack(boxes, axis=1), MARGIN)


def each_box(digits: Digits, boxes: Sequence[int]) -> dict[int, tuple[object, ...]]:
    """Return what was found, by the numbers that the boxes of a strip have on their page."""
    rows = zip(
        (ink.tolist() for ink in digits.inks),
        digits.around.edges.T.tolist(),
        digits.pieces.tolist(),
        digits.may_be_line.tolist(),
        digits.at_edge.tolist(),
        strict=True,
    )
    return {boxes[place]: row for place, row in zip(digits.box.tolist(), rows, strict=True)}


def test_what_else_is_cut_with_a_box_and_where_changes_nothing_of_its_digit() -> None:
    digits = enumerate("5102736489" * 3)
    patches = [box(digit, pen=2 + nth % 4, off=5 * (nth % 5) - 12) for nth, digit in digits]
    patches[3::7] = [box("", line=nth > 1) for nth in range(len(patches[3::7]))]
    for patch in (*patches[5::7], *patches[6::7]):  # beside each other, struck from wall to wall
        cv2.line(patch, (0, HEIGHT // 2), (WIDTH, HEIGHT // 2), (INK,), 3)
    order = np.random.default_rng(0).permutation(len(patches)).tolist()
    parts = [order[:1], order[1:4], order[4:18], order[18:]]

    (together,) = find_ink([strip(patches)])
    apart = find_ink([strip([patches[number] for number in part]) for part in parts])

    expected = each_box(together, range(len(patches)))
    assert len(expected) == len(patches) - len(patches[3::7])
    found = [each_box(each, part) for each, part in zip(apart, parts, strict=True)]
    assert {number: row for each in found for number, row in each.items()} == expected


def test_what_stands_in_a_box_that_is_nearly_black_is_no_blank_glyph() -> None:
    patches = [np.full((HEIGHT, WIDTH), PAPER, np.uint8) for _ in range(6)]
    for patch, shade in zip(patches, (150, 182, 182, 182, 182), strict=False):
        patch[25:45, 28:34] = shade  # pale ink in one, print that is paler still in the others
    patches[5][:] = 8
    patches[5][20:46, 24:36] = 7

    (digits,) = find_ink([strip(patches)])

    assert digits.box.tolist() == [0, 5]
    assert normalise_all(digits.inks).max(axis=(1, 2)).tolist() == [255, 255]
