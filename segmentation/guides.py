"""Guides that are printed into boxes in a pale colour, to write a digit over: told from ink.

A guide is paler than the ink of the page and the same in every box that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.paper import PRINTED, Tones
from segmentation.strips import Grey, Strip

Darkness = npt.NDArray[np.float32]

PALE = 0.5  # of the page's ink: how dark a guide is at most
FEWEST = 4  # boxes that must show a guide and nothing else
SAME_SIZE = 0.12  # by which patches of boxes with the same guide may differ in width and height
ALIKE = 0.7  # correlation of a box that shows a guide alone with the guide; digits of one hand may reach 0.6
SHOWN = 0.85  # of a guide that shows in boxes that are written into
LINE = 2  # px, by which a box's line may reach in


def guides_alone(strips: Sequence[Strip], tones: Tones) -> npt.NDArray[np.bool_]:
    """Tell of each box whether a guide is all that is in it, going by what paler boxes have in common.

    A guide is printed into all boxes of a size, so it must show under what is written into the others.
    """
    alone = np.zeros(len(tones.ink), bool)
    dark = np.maximum(tones.ink, tones.core)
    pale = (dark >= PRINTED * tones.paper) & (dark < PALE * tones.usual_ink * tones.paper)
    if np.count_nonzero(pale) < FEWEST or not (pale & (tones.ink > 0)).any():
        return alone
    patches = [strip.patch(index) for strip in strips for index in range(len(strip))]
    margins = [strip.margin for strip in strips for _ in range(len(strip))]
    for group in _same_size(patches, np.flatnonzero(pale).tolist()):
        boxes = {index: _darkness(patches[index], tones.paper[index]) for index in group}
        margin = {index: round(margins[index]) for index in group}
        like = [index for index in group if pale[index]]
        guide = _in_common([boxes[index] for index in like], margin[like[0]])
        alike = [index for index in like if _correlation(boxes[index], guide, margin[index]) >= ALIKE]
        if len(alike) < max(FEWEST, len(like) / 2):
            continue
        guide = _in_common([boxes[index] for index in alike], margin[alike[0]])
        written = [_shown(guide, boxes[index]) for index in group if tones.ink[index] and not pale[index]]
        if written and np.median(written) >= SHOWN:
            alone[alike] = True
    return alone


def _same_size(patches: Sequence[Grey], pale: Sequence[int]) -> Iterator[list[int]]:
    """Yield the boxes of each size that pale ones have, if it is that of enough of them."""
    sizes = np.array([patch.shape for patch in patches], float)
    waiting = set(pale)
    while waiting:
        first = min(waiting)
        near = np.flatnonzero((np.abs(sizes / sizes[first] - 1) <= SAME_SIZE).all(axis=1)).tolist()
        if len(waiting.intersection(near)) >= FEWEST:
            yield near
        waiting.difference_update(near)


def _shown(guide: Darkness, box: Darkness) -> float:
    """Return how much of a guide shows in a box, 0 to 1."""
    height, width = box.shape
    expected = cv2.resize(guide, (width, height), interpolation=cv2.INTER_LINEAR)
    around = cv2.dilate(box, np.ones((3, 3), np.uint8))  # it lies in its boxes to a pixel
    return float(np.minimum(around, expected).sum() / max(1.0, expected.sum()))


def _in_common(boxes: Sequence[Darkness], margin: int) -> Darkness:
    """Return what boxes have in common between their lines, as dark as it is in the middle one of them."""
    height, width = boxes[0].shape
    alike = [cv2.resize(box, (width, height), interpolation=cv2.INTER_LINEAR) for box in boxes]
    common = np.zeros((height, width), np.float32)
    inner = slice(margin + LINE, height - margin - LINE), slice(margin + LINE, width - margin - LINE)
    common[inner] = np.median(alike, axis=0)[inner]
    return common


def _darkness(patch: Grey, paper: float) -> Darkness:
    return np.asarray(np.maximum(np.float32(paper) - patch, 0), np.float32)


def _correlation(box: Darkness, guide: Darkness, margin: int) -> float:
    """Return how alike a box and a guide are between the box's lines, -1 to 1; a pixel's shift is allowed."""
    height, width = box.shape
    inner = slice(margin + LINE, height - margin - LINE), slice(margin + LINE, width - margin - LINE)
    expected = cv2.resize(guide, (width, height), interpolation=cv2.INTER_LINEAR)[inner]
    if min(expected.shape) < 3 or not expected.any():
        return 0.0
    around = box[margin : height - margin, margin : width - margin]
    return float(cv2.matchTemplate(around, expected, cv2.TM_CCOEFF_NORMED).max())
