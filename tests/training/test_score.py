from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.small_models import CARD, small_model
from training.errors import ModelUnreadable
from training.score import matrix_product_peak, open_model


def test_a_model_file_is_opened_with_its_card(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(small_model())

    opened = open_model(tmp_path / "model.onnx")

    assert opened.card == CARD
    assert opened.content == (tmp_path / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no model", "is no model that reads digits"),
        (small_model(card=None), "cannot be used: it carries no model card"),
        (small_model(side=32), "is no model that reads digits"),
        (small_model(columns=9), "does not give what its card says"),
    ],
)
def test_what_cannot_read_as_its_card_says_is_refused_when_it_is_opened(
    tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "model.onnx").write_bytes(content)

    with pytest.raises(ModelUnreadable, match=rf"model\.onnx {why}"):
        open_model(tmp_path / "model.onnx")


def test_the_peak_is_that_of_a_machine() -> None:
    assert 1 < matrix_product_peak() < 10_000
