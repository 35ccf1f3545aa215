"""Boxes drawn on white paper, for tests of the segmentation alone: a comb, a row of boxes, a single one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

A4 = (1754, 1240)  # height and width at 150 dpi


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes in a row from (x, y), in pixels; without a gap they share their walls."""

    count: int
    x: int = 200
    y: int = 300
    width: int = 50
    height: int = 64
    gap: int = 0
    line: int = 3
    shade: int = 0


def paper(size: tuple[int, int] = A4) -> Grey:
    return np.full(size, 255, np.uint8)


def draw_boxes(page: Grey, boxes: Boxes) -> None:
    for index in range(boxes.count):
        x = boxes.x + index * (boxes.width + boxes.gap)
        corner = (x + boxes.width, boxes.y + boxes.height)
        cv2.rectangle(page, (x, boxes.y), corner, (boxes.shade,), boxes.line)


def draw_dashed_boxes(page: Grey, boxes: Boxes, dash: int, space: int) -> None:
    """Draw boxes whose sides are dashes and spaces of so many pixels, from the left or the top on."""
    before, behind = boxes.line // 2, boxes.line - boxes.line // 2
    for index in range(boxes.count):
        left, top = boxes.x + index * (boxes.width + boxes.gap), boxes.y
        right, bottom = left + boxes.width, top + boxes.height
        for x in range(left, right, dash + space):
            for y in (top, bottom):
                page[y - before : y + behind, x : min(x + dash, right)] = boxes.shade
        for y in range(top, bottom, dash + space):
            for x in (left, right):
                page[y : min(y + dash, bottom), x - before : x + behind] = boxes.shade


def write_digit(page: Grey, boxes: Boxes, index: int, digit: int, share: float = 0.6) -> None:
    """Write a digit into one of the boxes, `share` of the box high, in its middle."""
    scale = boxes.height * share / 22  # 22 px: the height of this font's digits at scale 1
    pen = max(2, round(boxes.height / 16))
    x = boxes.x + index * (boxes.width + boxes.gap) + boxes.width // 2 - round(10 * scale)
    y = boxes.y + boxes.height // 2 + round(11 * scale)
    cv2.putText(page, str(digit), (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (30,), pen, cv2.LINE_AA)


def turned(page: Grey, degrees: float) -> Grey:
    """Return the page turned about its middle, clockwise positive."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(page, turn, (width, height), borderValue=(255,)), np.uint8)
