from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from training.kept import Arrays, keep


def numbers(values: Iterator[int]) -> Arrays:
    return {"numbers": np.array([next(values)])}


def test_what_was_made_once_is_read_back_and_what_is_made_otherwise_is_made(tmp_path: Path) -> None:
    values = iter(range(10))

    made = [keep(tmp_path / "cache", "n", by, lambda: numbers(values))["numbers"] for by in "aabab"]

    assert np.concatenate(made).tolist() == [0, 0, 1, 0, 1]


def test_what_broke_off_is_not_taken_for_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(file: object, **_arrays: object) -> None:
        file.write(b"half of it")  # type: ignore[attr-defined]
        raise OSError("disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(np, "savez_compressed", full_disk)
        with pytest.raises(OSError, match="disk is full"):
            keep(tmp_path, "n", "a", lambda: numbers(iter([1])))

    assert keep(tmp_path, "n", "a", lambda: numbers(iter([2])))["numbers"].tolist() == [2]
