from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.speed import (
    FORMATS,
    README,
    STAGES,
    Format,
    Measured,
    draw_pages,
    run_digitmill,
    speed_section,
    with_section,
)


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return draw_pages(1)[0]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_each_format_decodes_to_the_drawn_page(form: Format, page: Image.Image) -> None:
    content = form.encode(page)

    decoded = np.asarray(form.decode(content))
    assert decoded.shape == (3508, 2480)
    assert np.corrcoef(decoded[::8, ::8].ravel(), np.asarray(page)[::8, ::8].ravel())[0, 1] > 0.85
    assert Image.open(io.BytesIO(content)).info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_the_measured_command_reads_every_page_and_times_each_stage(page: Image.Image) -> None:
    jpeg = FORMATS[0]

    cost = run_digitmill(jpeg, [jpeg.encode(page)], pages=2, processes=1)

    assert {stage: len(times) for stage, times in cost.stages_ms.items()} == dict.fromkeys(STAGES, 2)
    assert cost.cpu_s > sum(map(sum, cost.stages_ms.values())) / 1000 * 0.5


def test_the_verdict_follows_the_numbers() -> None:
    def section(run_ms: float, gain: float) -> str:
        measured = Measured(10, run_ms, 2, dict.fromkeys(STAGES, 5.0))
        names = [form.name for form in FORMATS]
        return speed_section(dict.fromkeys(names, [measured] * 3), dict.fromkeys(names, 1.0), [gain] * 3, 100)

    assert "JPEG: 2.20 times a bare decode, within the goal of at most 2.2" in section(22, 1.9)
    assert "JPEG: 2.30 times a bare decode, outside the goal" in section(23, 1.9)
    assert "PNG: 1.40 times a bare decode, within the goal of at most 1.4" in section(14, 1.9)
    assert "PNG: 1.50 times a bare decode, outside the goal" in section(15, 1.9)
    assert "times as fast as one, outside the goal" in section(22, 1.7)
    assert "times as fast as one, within the goal" in section(22, 1.9)


def test_a_new_table_replaces_the_old_one_and_nothing_else() -> None:
    readme = README.read_text(encoding="utf-8")

    once = with_section(readme, "| first |")
    twice = with_section(once, "| second |")

    assert "| first |" not in twice
    assert with_section(twice, "| first |") == once
    with pytest.raises(ValueError, match="speed: begin"):
        with_section("no marks here", "| first |")
