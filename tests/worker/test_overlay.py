from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ImageColor

from worker.overlay import MARKS, draw_overlay
from worker.readings import FieldStatus


def record(status: FieldStatus, box: tuple[int, int, int, int], value: str = "275") -> dict[str, Any]:
    return {"status": status, "box": list(box), "value": value, "confidence": 0.9951, "digits": []}


def paper(width: int = 600, height: int = 400) -> npt.NDArray[np.uint8]:
    return np.full((height, width), 255, np.uint8)


def drawn(page: npt.NDArray[np.uint8], *records: dict[str, Any]) -> npt.NDArray[np.uint8]:
    return np.asarray(draw_overlay(page, records, "north/scan-0001.tif, page 1"))


def places(picture: npt.NDArray[np.uint8], status: FieldStatus) -> npt.NDArray[np.bool_]:
    """Where the colour of a status is."""
    return np.asarray((picture == ImageColor.getrgb(MARKS[status].colour)).all(axis=2))


@pytest.mark.parametrize("status", list(FieldStatus))
def test_each_status_has_a_colour_of_its_own_around_the_box(status: FieldStatus) -> None:
    around = places(drawn(paper(), record(status, (200, 150, 120, 40))), status)

    assert around[148:151, 200:320].any()
    assert around[150:190, 319:323].any()


def test_lines_differ_so_that_statuses_can_be_told_apart_without_colour() -> None:
    shares = [
        places(drawn(paper(), record(status, (100, 150, 400, 40))), status)[149, 100:500].mean()
        for status in FieldStatus
    ]

    assert len({mark.dashes for mark in MARKS.values()}) == len(FieldStatus)
    assert max(shares) == 1
    assert min(shares) < 0.5


def test_what_is_written_in_a_box_stays_visible() -> None:
    page = paper()
    page[150:190, 200:320] = np.random.default_rng(0).integers(0, 255, (40, 120))

    for status in FieldStatus:
        picture = drawn(page, record(status, (200, 150, 120, 40)))
        assert np.array_equal(picture[152:188, 202:318, 0], page[152:188, 202:318])


def test_a_label_goes_where_it_hides_neither_print_nor_another_box() -> None:
    page = paper()
    page[100:148, 150:400] = 0  # print above the field; another field stands below it
    status = FieldStatus.ACCEPTED

    picture = drawn(
        page, record(status, (200, 150, 120, 40)), record(FieldStatus.BLANK, (200, 192, 120, 40), "")
    )

    assert (picture[100:146, 150:400] == 0).all()
    assert places(picture, status)[155:185, 330:360].mean() > 0.5


def test_labels_grow_with_the_boxes_and_stay_on_the_page() -> None:
    status = FieldStatus.CORRECTED
    small, large = (
        int(places(drawn(paper(2400, 1600), record(status, (4, 4, 3 * side, side))), status).sum())
        for side in (20, 200)
    )

    assert large > 20 * small


def test_a_blank_field_is_marked_but_has_no_label() -> None:
    grey = drawn(paper(), record(FieldStatus.BLANK, (200, 150, 120, 40), ""))

    assert (grey[:140] == 255).all()
    assert (grey[200:400] == 255).all()


def test_the_legend_stands_below_the_page_and_hides_nothing_of_it() -> None:
    page = paper(200, 400)

    picture = drawn(
        page, *(record(status, (20, 40 + 40 * n, 50, 20)) for n, status in enumerate(FieldStatus))
    )

    assert picture.shape[1] == 200
    legend = picture[400:]
    assert all(places(legend, status).any() for status in FieldStatus)


def test_labels_are_as_large_on_a_page_that_lies_on_its_side() -> None:
    upright = places(drawn(paper(), record(FieldStatus.ACCEPTED, (200, 150, 160, 40))), FieldStatus.ACCEPTED)
    on_its_side = places(
        drawn(paper(), record(FieldStatus.ACCEPTED, (200, 150, 40, 160))), FieldStatus.ACCEPTED
    )

    assert on_its_side.sum() == pytest.approx(upright.sum(), rel=0.05)
