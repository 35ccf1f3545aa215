"""A sample of `make soak`: the same commands, a few pages."""

from __future__ import annotations

import sys

import pytest

from benchmarks.soak import (
    LEAST_PAGES,
    SETTLED,
    WINDOW,
    Memory,
    Sample,
    local_cpu_s,
    main,
    queue_cpu_s,
    report,
    watch_memory,
)
from benchmarks.speed import FORMATS, draw_pages


def test_both_ways_read_the_batch_and_say_what_it_cost() -> None:
    contents = [FORMATS[0].encode(page) for page in draw_pages(1)]

    assert local_cpu_s(contents, 2) > 0.5
    assert queue_cpu_s(contents, 2) > 0.5


def test_a_run_that_fails_is_no_measure_of_memory() -> None:
    with pytest.raises(RuntimeError, match="it is no scan"):
        watch_memory([b"no scan"], 1)


def test_memory_that_grows_page_by_page_shows_between_the_first_window_and_the_last() -> None:
    pages = 2_000
    flat = [Sample(page, 200.0 + 30.0 * (page == 700)) for page in range(pages + 1)]
    leaking = [Sample(page, 200.0 + 0.02 * page) for page in range(pages + 1)]

    assert Memory.of(flat) == Memory(200.0, 200.0, 230.0)
    assert Memory.of(leaking).growth == pytest.approx(
        (200 + 0.02 * (pages - WINDOW / 2)) / (200 + 0.02 * (SETTLED + WINDOW / 2)), abs=1e-3
    )


def test_the_verdict_follows_the_numbers() -> None:
    def verdicts(memory: Memory, ratio: float) -> int:
        return report(memory, [ratio] * 3, 2_000, 200).count("not met")

    assert verdicts(Memory(200.0, 219.0, 300.0), 1.09) == 0
    assert verdicts(Memory(200.0, 221.0, 300.0), 1.09) == 1
    assert verdicts(Memory(200.0, 219.0, 501.0), 1.09) == 1
    assert verdicts(Memory(200.0, 219.0, 300.0), 1.11) == 1


def test_a_batch_whose_end_is_its_beginning_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["soak", "--pages", str(LEAST_PAGES - 1)])

    with pytest.raises(SystemExit):
        main()

    assert f"give {LEAST_PAGES} or more" in capsys.readouterr().err
