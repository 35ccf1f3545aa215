"""Pages on which something pale is printed over the boxes, or shows through from the back."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.fields import find_fields
from segmentation.page import Page
from tests.segmentation.drawn_boxes import Boxes, Grey, draw_boxes, paper, write_digit

WORDS = "this side of the sheet says a lot of this and that"


def sizes(page: Grey) -> list[int]:
    """The number of boxes of each field, in reading order."""
    return [len(field.cells) for field in find_fields(Page(page)).fields]


def rows_of_boxes(x: int, y: int, shade: int = 0) -> Grey:
    """A page with three rows of five boxes below each other, filled in."""
    page = paper()
    for row in range(3):
        boxes = Boxes(5, x=x, y=y + 160 * row, shade=shade)
        draw_boxes(page, boxes)
        for index in range(boxes.count):
            write_digit(page, boxes, index, (3 * row + index) % 10)
    return page


def with_text(page: Grey) -> Grey:
    for line in range(16):
        place = (100 + 17 * (line % 5), 900 + 45 * line)
        cv2.putText(page, WORDS, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0,), 2, cv2.LINE_AA)
    return page


def through_the_paper(back: Grey, share: float = 0.2) -> Grey:
    """What is seen of a page's back: mirrored, soft and pale."""
    soft = cv2.GaussianBlur(cv2.flip(back, 1), (0, 0), 1.5)
    return np.asarray(255 - (255.0 - soft) * share, np.uint8)


def test_boxes_on_the_back_neither_lengthen_rows_nor_hide_them() -> None:
    front = rows_of_boxes(200, 300)
    back = with_text(rows_of_boxes(610, 320))  # beside the boxes of the front and across them

    assert sizes(np.minimum(front, through_the_paper(back))) == [5, 5, 5]


def test_pale_boxes_stay_beside_dark_ones_and_much_pale_print() -> None:
    page = np.minimum(rows_of_boxes(200, 300), rows_of_boxes(700, 300, shade=225))
    page = np.minimum(page, 255 - (255 - with_text(paper())) // 8)

    assert sizes(page) == [5, 5, 5, 5, 5, 5]


def test_a_watermark_of_strokes_a_few_times_as_thick_as_lines_hides_no_box() -> None:
    mark = paper()
    for line in range(25):
        place = (-150 + 67 * (line % 3), 250 + 50 * line)
        cv2.putText(mark, 4 * "SPECIMEN ", place, cv2.FONT_HERSHEY_SIMPLEX, 1.8, (205,), 14, cv2.LINE_AA)

    assert sizes(np.minimum(rows_of_boxes(200, 300), mark)) == [5, 5, 5]
