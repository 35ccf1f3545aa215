"""Guides that are printed into boxes in a pale colour, to write a digit over: told from ink, and taken out.

A guide is paler than the ink of the page and the same in every box that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Darkness = npt.NDArray[np.float32]

PALE = 0.6  # of the page's ink: how dark a guide is at most
FEWEST = 3  # boxes that must show a guide and nothing else
SAME_SIZE = 0.12  # by which boxes with the same guide may differ in width and height
ALIKE = 0.6  # correlation of a box that shows a guide alone with the guide
INK_OVER_GUIDE = 1.5  # times a guide's darkness, from which on a pixel is ink
LINE = 2  # px, by which a box's line may reach in
NEXT_TO = np.ones((3, 3), np.uint8)  # a guide lies in its boxes to a pixel


def take_out_guides(
    patches: Sequence[Grey], margins: Sequence[int], papers: Sequence[float], levels: Sequence[float]
) -> tuple[list[Grey], list[float]]:
    """Return patches without guides, and how dark their ink is; 0 where a guide was all there was.

    `papers` and `levels` say how light the paper of each is, and how much darker its ink. Where no guides are
    printed, all is returned as it came.
    """
    cleaned, left = list(patches), list(levels)
    dark = np.array(levels)
    ink = float(np.median(dark[dark >= np.median(dark[dark > 0])])) if dark.any() else 0.0
    pale = [index for index, level in enumerate(levels) if 0 < level < PALE * ink]
    for group in _same_size(patches, pale):
        like = [index for index in group if index in set(pale)]
        boxes = {index: _darkness(patches[index], papers[index]) for index in like}
        guide = _in_common(list(boxes.values()), margins[like[0]])
        alone = [index for index in like if _correlation(boxes[index], guide, margins[index]) >= ALIKE]
        if len(alone) < max(FEWEST, len(like) / 2):
            continue
        for index in alone:
            left[index] = 0.0
        for index in set(group) - set(alone):
            cleaned[index] = _without(patches[index], papers[index], guide)
    return cleaned, left


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


def _without(patch: Grey, paper: float, guide: Darkness) -> Grey:
    """Return a patch with paper in place of the guide, where ink does not cover it."""
    height, width = patch.shape
    printed = cv2.dilate(cv2.resize(guide, (width, height), interpolation=cv2.INTER_LINEAR), NEXT_TO)
    covered = _darkness(patch, paper) > INK_OVER_GUIDE * printed
    return np.where(covered, patch, np.uint8(min(255.0, paper))).astype(np.uint8)
