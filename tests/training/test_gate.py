from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.gate import Paired, objections, put_in_place

TRUTH = np.arange(100) % 10


def wrong_at(*places: int) -> np.ndarray:
    read = TRUTH.copy()
    read[list(places)] += 1
    return read


def own(before: np.ndarray, after: np.ndarray) -> Paired:
    return Paired.of("own", TRUTH, before, after)


def test_only_what_one_of_both_has_right_is_mended_or_broken() -> None:
    pair = own(wrong_at(1, 2, 3), wrong_at(3, 4))

    assert pair == Paired("own", 100, before=97, after=98, mended=2, broken=1)


def test_chance_is_that_of_a_fair_coin() -> None:
    assert own(wrong_at(*range(5)), wrong_at()).by_chance_better == pytest.approx(1 / 32)
    assert own(wrong_at(*range(9)), wrong_at(50)).by_chance_better == pytest.approx(11 / 1024)
    assert own(wrong_at(7), wrong_at(7)).by_chance_better == 1


def test_a_model_that_mends_five_and_breaks_none_may_take_the_place() -> None:
    assert objections(own(wrong_at(*range(5)), wrong_at()), ()) == []


def test_four_mended_are_no_proof_and_the_sentence_says_so() -> None:
    (said,) = objections(own(wrong_at(*range(4)), wrong_at()), ())

    assert "mends 4 and breaks 0" in said
    assert "6% of the time; more images would tell" in said


def test_a_model_that_is_not_better_is_objected_to() -> None:
    same = own(wrong_at(1), wrong_at(1))
    worse = own(wrong_at(), wrong_at(1))

    assert "reads 99 right, the old one 99" in objections(same, ())[0]
    assert "reads 99 right, the old one 100" in objections(worse, ())[0]


def test_what_is_forgotten_of_the_old_is_objected_to() -> None:
    better = own(wrong_at(*range(9)), wrong_at())
    slip = Paired.of("pens", TRUTH, wrong_at(1), wrong_at(2, 3))
    loss = Paired.of("MNIST", TRUTH, wrong_at(), wrong_at(*range(7)))

    assert objections(better, [slip]) == []
    assert objections(better, [slip, loss]) == ["MNIST: it mends 0 and breaks 7 of 100"]


def test_the_model_that_is_replaced_is_kept_beside_and_never_twice_under_one_name(tmp_path: Path) -> None:
    model = tmp_path / "models" / "own.onnx"

    assert put_in_place(b"first", model) is None
    first = put_in_place(b"second", model)
    second = put_in_place(b"third", model)

    assert model.read_bytes() == b"third"
    assert first is not None
    assert second is not None
    assert (first.read_bytes(), second.read_bytes()) == (b"first", b"second")
    assert sorted(model.parent.iterdir()) == sorted([first, model, second])
