from __future__ import annotations

from pathlib import Path

import pytest

from training.files import replace_file, whole_file


def test_a_file_in_a_new_folder_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "card.json"

    replace_file(path, "größer")
    assert path.read_bytes() == "größer".encode()
    replace_file(path, b"\x00")

    assert path.read_bytes() == b"\x00"
    assert list(path.parent.iterdir()) == [path]


def test_until_the_new_file_is_whole_the_old_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "digits.weights.h5"
    path.write_text("old")

    with whole_file(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
        assert unfinished.name.endswith(".weights.h5")  # Keras writes no others

    assert path.read_text() == "new"


def test_what_broke_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("old")

    def break_off() -> None:
        with whole_file(path) as unfinished:
            unfinished.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()

    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
