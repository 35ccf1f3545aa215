"""A seeded sample of the hard pages of `make accuracy`: what is counted, and how misses are told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import accuracy_hard
from benchmarks.accuracy_hard import (
    NAMES,
    PARTS,
    ROUND,
    Cause,
    HardRead,
    HardReader,
    default_rules,
    hard_goals,
    place_of,
    read_hard,
)
from benchmarks.accuracy_page import accuracy_page
from benchmarks.accuracy_runs import ReadPage, read_fields, real_goals
from segmentation.geometry import Box
from segmentation.page import Page
from training.forms import BoxKind, DrawnPage, PageDamage, kind_and_damage, random_hard_form
from worker.measures import FieldScore, PageScore, Read, Truth
from worker.readings import FieldStatus
from worker.recogniser import Recogniser

SEEDS = (10_000, 10_001, 10_003)  # none of them in the full run


def three(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Classify everything as a 3."""
    return np.tile(np.eye(10, dtype=np.float32)[3], (len(glyphs), 1))


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load()


@pytest.fixture(scope="module")
def reader(recogniser: Recogniser) -> HardReader:
    return HardReader(recogniser, default_rules(recogniser))


@pytest.fixture(scope="module")
def reads(reader: HardReader) -> list[HardRead]:
    return [reader.read(seed) for seed in SEEDS]


def test_every_field_that_is_not_exact_has_one_cause(reads: list[HardRead]) -> None:
    for read in reads:
        assert read.score.fields
        assert len(read.causes) == sum(not score.exact for score in read.score.fields)


def test_pages_read_in_other_processes_score_as_those_read_here(
    reads: list[HardRead], tmp_path: Path
) -> None:
    assert read_hard(SEEDS[:2], tmp_path, processes=2) == reads[:2]


def test_plain_boxes_on_a_clean_page_are_found_and_read(reader: HardReader) -> None:
    (seed,) = (seed for seed in range(ROUND) if kind_and_damage(seed) == (BoxKind.JOINED, PageDamage.NONE))

    read = reader.read(seed)

    assert (read.kind, read.damage, read.is_photo) == (BoxKind.JOINED, PageDamage.NONE, False)
    assert np.mean([score.exact for score in read.score.fields]) > 0.8


def test_a_reader_that_always_says_3_misreads_and_blames_no_line(recogniser: Recogniser) -> None:
    (seed,) = (seed for seed in range(ROUND) if kind_and_damage(seed) == (BoxKind.SEPARATE, PageDamage.NONE))

    causes = HardReader(three, default_rules(recogniser)).read(seed).causes

    assert Cause.MISREAD in causes
    assert Cause.LINE_REST not in causes


def test_fields_read_right_where_they_truly_are_were_cut_in_the_wrong_place(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = next(seed for seed in range(ROUND) if kind_and_damage(seed) == (BoxKind.JOINED, PageDamage.NONE))
    reader = HardReader(recogniser, default_rules(recogniser))
    as_three = [
        replace(read, cells=("3",) * len(read.cells))
        for read in read_fields(reader.draw(seed).page, recogniser)
    ]
    monkeypatch.setattr(accuracy_hard, "read_fields", lambda *_: as_three)

    causes = reader.read(seed).causes

    assert causes.count(Cause.MISPLACED) > len(causes) / 2


def test_a_reader_that_errs_only_where_lines_are_printed_blames_them(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads_right = HardReader._reads_right
    on_bare = [False]

    def reads_one(self: HardReader, page: DrawnPage, score: FieldScore) -> bool:
        on_bare.append(float(np.mean(page.page.grey < 128)) < 0.01)
        return reads_right(self, page, score)

    def errs(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return recogniser(glyphs) if on_bare[-1] else three(glyphs)

    monkeypatch.setattr(HardReader, "_reads_right", reads_one)
    (seed,) = (seed for seed in range(ROUND) if kind_and_damage(seed) == (BoxKind.SEPARATE, PageDamage.NONE))

    causes = HardReader(errs, default_rules(recogniser)).read(seed).causes

    assert causes.count(Cause.LINE_REST) > len(causes) / 2


def test_a_bare_page_shows_what_was_written_and_nothing_that_was_printed() -> None:
    printed, bare = (random_hard_form(7, BoxKind.THICK, PageDamage.NONE, bare=bare) for bare in (False, True))
    darker = bare.page.grey.astype(int) - printed.page.grey

    assert bare.fields == printed.fields
    assert np.mean(bare.page.grey < 128) < 0.5 * np.mean(printed.page.grey < 128)
    assert np.mean(darker < -60) < 0.001


def test_what_stands_beside_the_fields_is_named() -> None:
    page = next(page for page in map(random_hard_form, range(30)) if page.letters)
    comb = page.letters[0].box

    assert place_of(comb, page) == NAMES
    assert place_of(page.fields[0].box, page) == PARTS
    assert place_of(page.distractors[0].box, page) in {page.distractors[0].kind.value, NAMES}
    assert place_of(Box(0, 0, 2, 2), page) == "elsewhere"


def test_goals_count_values_accepted_where_no_field_is(reads: list[HardRead]) -> None:
    stray = Read("r99c01", ("7",), Box(0, 0, 9, 9), FieldStatus.ACCEPTED)
    worse = replace(
        reads[0],
        score=replace(reads[0].score, spurious=(stray, *reads[0].score.spurious)),
        accepted=("paragraph", *reads[0].accepted),
    )

    before, after = (
        {goal.measure: goal.value for goal in hard_goals(pages)} for pages in (reads, [worse, *reads[1:]])
    )

    assert after["accepted where no field is"] == before["accepted where no field is"] + 1


def test_goals_keep_scans_photos_and_whole_numbers_apart(reads: list[HardRead]) -> None:
    as_photos = [replace(read, is_photo=True, kind=BoxKind.JOINED) for read in reads]

    goals = {goal.measure: goal.value for goal in hard_goals(as_photos)}

    assert np.isnan(goals["scans: fields found"])
    assert np.isnan(goals["whole numbers: found"])
    assert goals["photos: fields found"] >= 0


def test_the_page_shows_hard_pages_by_kind_damage_and_cause(
    recogniser: Recogniser, reads: list[HardRead]
) -> None:
    page = accuracy_page(recogniser, [], [], {}, {}, hard=reads)

    assert "## Goals" in page
    for read in reads:
        assert f"| {read.kind} |" in page
        assert f"| {read.damage} |" in page
    for cause in Cause:
        assert f" {cause} |" in page


def test_real_photos_have_a_goal_of_their_own_and_pages_without_boxes_another() -> None:
    seven = Read("r01c01", ("7",), Box(0, 0, 9, 9), FieldStatus.ACCEPTED)
    blank = Page(np.full((20, 20), 255, np.uint8))
    right = ReadPage("a", blank, PageScore((FieldScore(Truth("a", "7"), seven),), ()), {})
    wrong = ReadPage("b", blank, PageScore((FieldScore(Truth("b", "8"), seven),), ()), {})
    nothing_to_read = ReadPage("c", blank, PageScore((), (seven,)), {})

    goals = real_goals({"kawalc1-c1 photos": [right, wrong], "omrchecker": [right, nothing_to_read]})

    assert [(goal.measure, goal.value, goal.met) for goal in goals] == [
        ("kawalc1-c1 photos: fields exact", 0.5, False),
        ("pages without digit boxes: accepted", 1, False),
    ]
