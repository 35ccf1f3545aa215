"""The comparison behind ADR 8, on a network whose confidence is known to be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration import Mend, Said, beta, compare, histogram, isotonic
from training.scaling import Floats, softmax

CELLS = 6_000


def overconfident(seed: int) -> Said:
    """Says with twice the true scores what is true."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2.0, (CELLS, 5))
    labels = np.array([rng.choice(5, p=row) for row in softmax(scores)])
    return Said(2 * scores, labels)


@pytest.mark.parametrize("way", [isotonic, histogram, beta])
def test_each_way_makes_confidence_fit_the_share_that_is_right(way: object) -> None:
    rng = np.random.default_rng(0)
    said = rng.uniform(0.5, 1.0, CELLS)
    right = rng.random(CELLS) < said**3

    assert callable(way)
    mend: Mend = way(said, right)

    mended: Floats = mend(np.array([0.6, 0.75, 0.9]))
    np.testing.assert_allclose(mended, [0.6**3, 0.75**3, 0.9**3], atol=0.08)


def test_scaling_lowers_the_log_loss_of_an_overconfident_network() -> None:
    rows = [line.split(" | ") for line in list(compare(overconfident(1), overconfident(2)))[2:]]

    loss = {row[0].removeprefix("| "): float(row[1]) for row in rows if row[1]}
    assert loss["temperature scaling"] < 0.9 * loss["as trained"]
    assert loss["vector scaling"] == pytest.approx(loss["temperature scaling"], abs=0.01)
