from __future__ import annotations

import numpy as np
import pytest

from segmentation.geometry import Box
from training.model_card import CLASSES
from worker.database.packing import pack, unpack
from worker.readings import Reading

DIGITS = 10


def digit(label: int, box: Box, seed: int = 0) -> Reading:
    """What a sure model says: nearly 1 for one class, tiny different numbers for the others."""
    probabilities = np.random.default_rng(seed).uniform(1e-7, 1e-5, DIGITS)
    probabilities[label] = 1 - np.delete(probabilities, label).sum()
    runner_up = int(np.argsort(probabilities)[-2])
    return Reading(
        str(label), float(probabilities[label]), str(runner_up), tuple(probabilities.tolist()), box
    )


def blank(box: Box) -> Reading:
    return Reading("", 0.99, None, (), box)


FIELD = [
    digit(4, Box(1200, 90, 16, 26), seed=1),
    blank(Box(1218, 88, 30, 40)),
    digit(0, Box(1251, 91, 20, 25), seed=2),
]


def test_boxes_and_runners_up_come_back_as_they_were() -> None:
    details = unpack(pack(FIELD), len(FIELD))

    assert [detail.box for detail in details] == [reading.box for reading in FIELD]
    assert [detail.runner_up and str(detail.runner_up) for detail in details] == [
        reading.runner_up for reading in FIELD
    ]


def test_a_blank_cell_has_neither_probabilities_nor_runner_up() -> None:
    assert unpack(pack(FIELD), 3)[1].probabilities == ()
    assert unpack(pack([blank(Box(1, 2, 3, 4))] * 2), 2)[0].runner_up is None


def test_probabilities_come_back_good_enough_for_a_log_loss() -> None:
    for before, after in zip(FIELD, unpack(pack(FIELD), len(FIELD)), strict=True):
        # float16 alone would be off by 2e-4 near 1.
        assert after.probabilities == pytest.approx(before.probabilities, rel=2e-3, abs=1e-7)


def test_a_digit_takes_less_than_thirty_bytes() -> None:
    assert len(pack([digit(n, Box(40 * n, 0, 20, 30)) for n in range(8)])) / 8 < 32


def test_a_struck_cell_comes_back_with_its_twelve_probabilities() -> None:
    probabilities = (0.01,) * 10 + (0.85, 0.05)
    struck = Reading("", 0.85, "other", probabilities, Box(1200, 90, 16, 26))

    (detail,) = unpack(pack([struck]), 1)

    assert detail.runner_up == CLASSES.index("other")
    assert detail.probabilities == pytest.approx(probabilities, rel=2e-3)


def test_a_box_left_of_the_page_comes_back() -> None:
    box = Box(-3, -1, 20, 30)  # ink may be cut by the edge of the paper

    assert unpack(pack([digit(1, box)]), 1)[0].box == box


def test_a_blob_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        unpack(b"\x09" + pack(FIELD)[1:], len(FIELD))


def test_boxes_that_are_too_far_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="too far apart"):
        pack([digit(1, Box(0, 0, 20, 30)), digit(2, Box(70_000, 0, 20, 30))])
