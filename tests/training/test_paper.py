from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.made_digits import made_digits
from training import paper
from training.dataset import LabelledGlyphs
from training.forms.marks import OTHER_MARKS, STRUCK_MARKS
from training.model_card import CLASSES
from training.paper import class_of_mark, paper_digits, paper_marks, paper_pens

SOURCE = made_digits(120)


def same(a: LabelledGlyphs, b: LabelledGlyphs) -> bool:
    return np.array_equal(a.glyphs, b.glyphs) and np.array_equal(a.labels, b.labels)


def test_a_pool_is_the_same_from_the_cache_and_made_anew(tmp_path: Path) -> None:
    first = paper_digits(SOURCE, 1, 0, tmp_path / "a")

    assert same(first, paper_digits(SOURCE, 1, 0, tmp_path / "a"))
    assert same(first, paper_digits(SOURCE, 1, 0, tmp_path / "b"))
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_another_seed_source_or_number_of_passes_makes_another_pool(tmp_path: Path) -> None:
    paper_digits(SOURCE, 1, 0, tmp_path)
    paper_digits(SOURCE, 1, 1, tmp_path)
    paper_digits(SOURCE, 2, 0, tmp_path)
    paper_digits(SOURCE[:64], 1, 0, tmp_path)

    assert len(list(tmp_path.iterdir())) == 4


def test_nothing_is_drawn_where_the_cache_has_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper_pens(16, 0, tmp_path)
    monkeypatch.setattr(paper, "write_in_cells", None)

    assert len(paper_pens(16, 0, tmp_path)) > 8


def test_each_digit_is_written_once_a_pass_less_what_went_astray(tmp_path: Path) -> None:
    pool = paper_digits(SOURCE, 2, 0, tmp_path)

    counts = np.bincount(pool.labels, minlength=10)
    assert len(counts) == 10
    assert counts.min() >= 0.8 * 24
    assert counts.max() <= 24


def test_pens_write_all_digits(tmp_path: Path) -> None:
    pool = paper_pens(400, 0, tmp_path)

    assert 360 < len(pool) <= 400
    assert np.bincount(pool.labels, minlength=10).min() > 15


def test_marks_are_struck_or_other_and_no_digits(tmp_path: Path) -> None:
    pool = paper_marks(240, 0, tmp_path, SOURCE)

    assert set(pool.labels) == {CLASSES.index("struck"), CLASSES.index("other")}
    assert [CLASSES[class_of_mark(kind)] for kind in STRUCK_MARKS] == ["struck"] * len(STRUCK_MARKS)
    assert [CLASSES[class_of_mark(kind)] for kind in OTHER_MARKS] == ["other"] * len(OTHER_MARKS)
