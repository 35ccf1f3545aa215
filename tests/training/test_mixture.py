from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.made_digits import made_digits
from training import mixture
from training.mixture import Mixture, mix
from training.model_card import CLASSES, DIGITS
from training.recipe import Paper

OWN = made_digits(40)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixture, "PEN_CELLS", 64)
        patch.setattr(mixture, "MARK_CELLS", 64)
        return mix(
            Paper(digits=30, pens=20, marks=10), OWN, tmp_path_factory.mktemp("paper"), lambda *_: None
        )


def source_of(mixed: Mixture, indices: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[int]:
    """Return how many of the indices point into each source."""
    sources = np.searchsorted(np.cumsum(mixed.sizes), indices, side="right")
    return [int((sources == source).sum()) for source in range(len(mixed.sizes))]


def test_an_epoch_shows_all_digits_of_the_data_set_and_its_share_of_each_pool(mixed: Mixture) -> None:
    order = mixed.order(np.random.default_rng(0))

    assert source_of(mixed, order) == [40, 30, 20, 10]
    assert len(set(order)) == mixed.shown == 100


def test_another_epoch_draws_other_glyphs_from_the_pools(mixed: Mixture) -> None:
    first, second = (set(mixed.order(np.random.default_rng(seed)).tolist()) for seed in (0, 1))

    assert set(range(len(OWN))) <= first & second
    assert first != second


def test_marks_are_no_digits_and_the_others_are(mixed: Mixture) -> None:
    ends = np.cumsum(mixed.sizes)

    assert mixed.labels[: ends[2]].max() < len(DIGITS)
    assert {CLASSES[label] for label in mixed.labels[ends[2] :]} == {"struck", "other"}


def test_without_paper_an_epoch_shows_the_data_set_alone(tmp_path: Path) -> None:
    alone = mix(None, OWN, tmp_path / "paper", lambda *_: None)

    assert sorted(alone.order(np.random.default_rng(0))) == list(range(40))
    assert not (tmp_path / "paper").exists()
