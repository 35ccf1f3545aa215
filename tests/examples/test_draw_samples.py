"""The sample scans of the first minute and the script that draws them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.draw_samples import EXAMPLES, draw_samples
from segmentation.page import Page
from worker.scans import ScanLimits, count_pages, load_page

LIMITS = ScanLimits(max_bytes=10_000_000, max_pixels=10_000_000, max_pages=10)
LOSSY = {".jpg", ".pdf"}


@pytest.fixture(scope="module")
def drawn_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    draw_samples(folder)
    return folder


def test_drawn_again_the_samples_are_the_same(drawn_again: Path) -> None:
    assert (drawn_again / "truth.jsonl").read_text() == (EXAMPLES / "truth.jsonl").read_text()
    for file, page in truth():
        committed, again = (load(folder / "scans" / file, page["page"]) for folder in (EXAMPLES, drawn_again))
        difference = np.abs(committed.grey.astype(int) - again.grey).mean()
        assert difference <= (1.0 if Path(file).suffix in LOSSY else 0.0), file


def test_the_truth_covers_every_page_of_every_scan() -> None:
    scans = [path for path in (EXAMPLES / "scans").rglob("*") if path.is_file()]
    pages = {
        (path.relative_to(EXAMPLES / "scans").as_posix(), number)
        for path in scans
        for number in range(1, count_pages(path.read_bytes(), LIMITS) + 1)
    }

    assert {(file, page["page"]) for file, page in truth()} == pages
    assert len(pages) >= 12
    assert {path.suffix for path in scans} == {".png", ".jpg", ".tif", ".pdf"}


def test_all_true_boxes_lie_within_their_page_and_have_a_character_each() -> None:
    for file, page in truth():
        width, height = page["size"]
        assert load(EXAMPLES / "scans" / file, page["page"]).grey.shape == (height, width)
        for field in page["fields"]:
            x, y, box_width, box_height = field["box"]
            assert 0 <= x < x + box_width <= width, (file, field["name"])
            assert 0 <= y < y + box_height <= height, (file, field["name"])
            assert len(field["value"]) == field["boxes"]


def test_the_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in EXAMPLES.rglob("*")) < 3_000_000


def truth() -> Iterator[tuple[str, dict[str, Any]]]:
    for line in (EXAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        page: dict[str, Any] = json.loads(line)
        yield page["file"], page


def load(path: Path, number: int) -> Page:
    return load_page(path.read_bytes(), number, LIMITS)
