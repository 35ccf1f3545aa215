"""The pipeline on drawn pages, with a reader of our own choosing where it is the pipeline that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.geometry import Box, Point, Quad
from segmentation.page import Cell, Field, Page, PageLayout
from training.forms import BoxKind, PageDamage, Ruling, draw_form, random_hard_form
from training.model_card import CLASSES, OTHER
from worker.pipeline import Classify, ReadingRules, read_page
from worker.readings import FieldReading, FieldStatus
from worker.recogniser import Recogniser

READER = Recogniser.load()
TOUCHES = "touches the box"


def sure_of_seven(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.tile(np.eye(10, dtype=np.float32)[7] * 0.99 + 0.001, (len(glyphs), 1))


def test_every_digit_of_a_page_is_classified_in_one_call() -> None:
    calls = []

    def classify(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        calls.append(glyphs.shape)
        return sure_of_seven(glyphs)

    read_page(draw_form("4071 93").page, classify)

    assert calls == [(6, 28, 28)]


def test_a_page_without_boxes_gives_a_reading_without_fields() -> None:
    white = Page(np.full((1000, 800), 255, np.uint8))

    assert read_page(white, sure_of_seven).fields == ()


def test_outer_blanks_are_dropped_from_a_value_and_its_cells_keep_them() -> None:
    field = read_page(draw_form("__77_").page, sure_of_seven).fields[0]

    assert (field.value, field.cells) == ("77", ("", "", "7", "7", ""))


def test_a_blank_between_digits_is_a_space_and_waits_for_review() -> None:
    field = read_page(draw_form("7_7").page, sure_of_seven).fields[0]

    assert field.value == "7 7"
    assert field.status is FieldStatus.REVIEW
    assert "blank between digits" in field.reasons


def test_a_field_in_which_nobody_wrote_is_reported_as_blank() -> None:
    field = read_page(draw_form("____").page, sure_of_seven).fields[0]

    assert (field.value, field.status) == ("", FieldStatus.BLANK)


def test_a_field_is_as_sure_as_all_its_digits_together() -> None:
    field = read_page(draw_form("777").page, sure_of_seven).fields[0]

    assert np.isclose(field.confidence, np.prod([reading.confidence for reading in field.readings]))


def test_the_accepted_confidence_decides_who_waits_for_review() -> None:
    page = draw_form("111").page

    strict, lenient = (
        read_page(page, sure_of_seven, ReadingRules(accept_confidence=bar)).fields[0] for bar in (0.999, 0.5)
    )

    assert (strict.status, strict.reasons[0]) == (FieldStatus.REVIEW, "low confidence")
    assert (lenient.status, lenient.reasons) == (FieldStatus.ACCEPTED, ())


def test_all_class_probabilities_of_a_digit_and_its_runner_up_are_kept() -> None:
    def torn_between_1_and_7(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        row = np.zeros(10, np.float32)
        row[[1, 7]] = 0.6, 0.4
        return np.tile(row, (len(glyphs), 1))

    reading = read_page(draw_form("1").page, torn_between_1_and_7).fields[0].readings[0]

    assert (reading.label, reading.runner_up) == ("1", "7")
    assert len(reading.probabilities) == 10


def reads(*labels: str, sure: float = 0.99) -> Classify:
    """A reader of twelve classes who says these labels of the glyphs of a page, one after the other.

    Of what is cut from a page that lies on its side, which are not as many, the reader makes nothing.
    """

    def classify(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        answer = labels if len(glyphs) == len(labels) else [OTHER] * len(glyphs)
        said = np.eye(len(CLASSES), dtype=np.float32)[[CLASSES.index(label) for label in answer]]
        return said * (sure - (1 - sure) / 11) + np.float32((1 - sure) / 11)

    return classify


def cutting(**changes: Any) -> Callable[[Page, Sequence[Field]], tuple[tuple[Cell, ...], ...]]:
    """Cut cells as ever, but with changes to those that are not blank."""

    def cut(page: Page, fields: Sequence[Field]) -> tuple[tuple[Cell, ...], ...]:
        return tuple(
            tuple(cell if cell.glyph is None else replace(cell, **changes) for cell in row)
            for row in cut_cells(page, fields)
        )

    return cut


def read_field(values: str, classify: Classify, accept: float = 0.9) -> FieldReading:
    return read_page(draw_form(values).page, classify, ReadingRules(accept_confidence=accept)).fields[0]


def test_a_field_beside_which_one_more_box_seems_to_stand_waits_for_review(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def all_but_the_last_box(page: Page, quarter_turns: int = 0, *, pale: bool = False) -> PageLayout:
        (field,) = find_fields(page, quarter_turns, pale=pale).fields
        return PageLayout((replace(field, cells=field.cells[:-1], goes_on=True),), 0.0)

    monkeypatch.setattr("worker.pipeline.find_fields", all_but_the_last_box)
    field = read_field("123", READER)

    assert (field.value, field.status) == ("12", FieldStatus.REVIEW)
    assert field.reasons == ("may be a part of a field",)


@pytest.mark.parametrize(
    ("values", "classify", "accepted"),
    [("7", sure_of_seven, False), ("77", sure_of_seven, False), ("41", READER, True)],
)
def test_one_digit_or_one_again_in_boxes_as_for_ticks_waits_for_review(
    values: str, classify: Classify, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small_boxes(page: Page, quarter_turns: int = 0, *, pale: bool = False) -> PageLayout:
        (field,) = find_fields(page, quarter_turns, pale=pale).fields
        return PageLayout((replace(field, for_ticks=True),), 0.0)

    monkeypatch.setattr("worker.pipeline.find_fields", small_boxes)
    field = read_field(values, classify)

    assert field.value == values
    assert (field.status is FieldStatus.ACCEPTED) == accepted
    assert field.reasons == (() if accepted else ("may be a tick",))


@pytest.mark.parametrize(("doubts", "accepted"), [((TOUCHES,), False), ((), True)])
def test_digits_that_all_touch_their_boxes_must_be_surer_to_be_accepted(
    doubts: tuple[str, ...], accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.pipeline.cut_cells", cutting(doubts=doubts))
    field = read_field("41", reads("4", "1", sure=0.98))

    assert field.confidence == pytest.approx(0.96, abs=0.005)
    assert (field.value, field.status is FieldStatus.ACCEPTED) == ("41", accepted)


@pytest.mark.parametrize(("pieces", "accepted"), [(1, True), (2, False)])
def test_pieces_in_a_single_box_may_be_a_ring_and_what_is_printed_in_it(
    pieces: int, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.pipeline.cut_cells", cutting(pieces=pieces))
    field = read_field("4", reads("4"))

    assert (field.value, field.status is FieldStatus.ACCEPTED) == ("4", accepted)
    assert field.reasons == (() if accepted else ("may be a tick",))


def test_a_struck_box_counts_as_nothing_beside_digits() -> None:
    field = read_field("7777", reads("struck", "struck", "2", "7"))

    assert (field.value, field.cells) == ("27", ("", "", "2", "7"))
    assert field.status is FieldStatus.ACCEPTED
    assert field.readings[0].confidence == pytest.approx(0.99)
    assert len(field.readings[0].probabilities) == 12


def test_a_field_of_struck_and_blank_boxes_only_is_struck() -> None:
    field = read_field("7_7", reads("struck", "struck"))

    assert (field.value, field.cells, field.status) == ("", ("", "", ""), FieldStatus.STRUCK)
    assert field.reasons == ()


def test_a_field_in_which_hardly_a_digit_is_written_has_no_value_and_waits_for_review() -> None:
    field = read_field("7777", reads("other", "other", "other", "4"))

    assert (field.value, field.cells, field.status) == ("", ("", "", "", ""), FieldStatus.REVIEW)
    assert "not a digit" in field.reasons


@pytest.mark.parametrize(
    ("cut", "for_ticks", "sure", "value"),
    [
        ({"pieces": 2}, False, 0.9, ""),  # rings with numbers in them
        ({"pieces": 2}, False, 0.98, "41"),
        ({"pieces": 2, "doubts": (TOUCHES,)}, False, 0.999, ""),
        ({"may_be_line": True}, False, 0.99, ""),
        ({"doubts": (TOUCHES,)}, False, 0.8, ""),
        ({"doubts": (TOUCHES,)}, False, 0.95, "41"),
        ({"doubts": (TOUCHES,)}, True, 0.99, ""),  # ticks
        ({}, True, 0.99, "41"),
        ({}, False, 0.7, "41"),
        ({}, False, 0.55, ""),
    ],
)
def test_what_looks_less_like_digits_must_be_the_more_legible_to_have_a_value(
    cut: dict[str, Any], for_ticks: bool, sure: float, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def layout(page: Page, quarter_turns: int = 0, *, pale: bool = False) -> PageLayout:
        (field,) = find_fields(page, quarter_turns, pale=pale).fields
        return PageLayout((replace(field, for_ticks=for_ticks),), 0.0)

    monkeypatch.setattr("worker.pipeline.find_fields", layout)
    monkeypatch.setattr("worker.pipeline.cut_cells", cutting(**cut))
    field = read_field("41", reads("4", "1", sure=sure))

    assert field.value == value
    assert ("not a digit" in field.reasons) == (value == "")
    assert value or field.status is FieldStatus.REVIEW


def test_one_digit_that_touches_its_box_beside_blank_ones_need_not_be_that_legible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.pipeline.cut_cells", cutting(doubts=(TOUCHES,)))

    assert read_field("__4", reads("4", sure=0.8)).value == "4"


@pytest.mark.parametrize(("label", "accepted"), [("1", False), ("7", True)])
def test_a_1_that_may_be_a_line_waits_for_review(
    label: str, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.pipeline.cut_cells", cutting(may_be_line=True))
    field = read_field("__1", reads(label))

    assert (field.value, field.status is FieldStatus.ACCEPTED) == (label, accepted)
    assert field.reasons == (() if accepted else ("may be a line",))


@pytest.mark.parametrize(
    ("values", "doubts", "accepted"),
    [("11", (TOUCHES,), False), ("11", (), True), ("__1", (TOUCHES,), True), ("117", (TOUCHES,), True)],
)
def test_ones_only_that_touch_their_boxes_may_be_lines_and_wait_for_review(
    values: str, doubts: tuple[str, ...], accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.pipeline.cut_cells", cutting(doubts=doubts))
    field = read_field(values, reads(*values.strip("_")))

    assert (field.value, field.status is FieldStatus.ACCEPTED) == (values.strip("_"), accepted)
    assert ("may be a line" in field.reasons) == (not accepted)


@pytest.mark.parametrize(
    ("values", "waiting"),
    [
        ("72__ 7222 _722", [0]),
        ("72__ 7___ 722_ 2222", []),  # three show that the writer begins at the left
        ("72__ 7___ 722_ __72 _722 ___2", [0, 1, 2]),
    ],
)
def test_blanks_behind_a_number_wait_for_review_unless_the_page_is_written_like_that(
    values: str, waiting: list[int]
) -> None:
    fields = read_page(draw_form(values).page, reads(*[each for each in values if each in "27"])).fields

    assert [
        nth for nth, field in enumerate(fields) if field.reasons == ("blank behind the number",)
    ] == waiting
    assert {field.status for field in fields} <= {FieldStatus.ACCEPTED, FieldStatus.REVIEW}
    assert sum(field.status is FieldStatus.REVIEW for field in fields) == len(waiting)


def test_a_doubtful_number_with_blanks_behind_is_one_that_no_threshold_accepts() -> None:
    field, *_ = read_page(draw_form("72__ 7222 _722").page, reads(*"727222722", sure=0.7)).fields

    assert field.reasons == ("blank behind the number", "low confidence")


def test_boxes_that_are_struck_each_have_no_value_however_many_may_hold_a_digit() -> None:
    def torn(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        row = np.zeros(len(CLASSES), np.float32)
        row[[8, CLASSES.index("struck")]] = 0.35, 0.65
        return np.tile(row, (len(glyphs), 1))

    assert read_field("777777", torn).value == ""


def test_crosses_before_a_digit_leave_it_the_fields_value() -> None:
    field = read_field("7777", reads("struck", "struck", "struck", "4"))

    assert (field.value, field.status) == ("4", FieldStatus.ACCEPTED)


def test_a_field_that_is_perhaps_struck_waits_for_review() -> None:
    field = read_field("77", reads("struck", "struck", sure=0.8), accept=0.25)

    assert (field.value, field.status) == ("", FieldStatus.REVIEW)
    assert field.reasons[0] == "low confidence"


def test_a_box_struck_out_between_digits_waits_for_review() -> None:
    field = read_field("777", reads("2", "struck", "7"))

    assert (field.value, field.status) == ("2 7", FieldStatus.REVIEW)
    assert field.reasons[0] == "struck out between digits"


def test_what_is_no_digit_waits_for_review_however_little_is_asked_for() -> None:
    field = read_field("777", reads("2", "other", "7"), accept=0.0)

    assert field.status is FieldStatus.REVIEW
    assert field.reasons[0] == "not a digit"
    assert field.confidence < 0.01
    assert field.readings[1].confidence == pytest.approx(0.01 / 11)
    assert field.readings[1].runner_up == "other"


def test_stages_are_announced_in_order() -> None:
    stages: list[str] = []

    @contextmanager
    def note(name: str) -> Iterator[None]:
        stages.append(name)
        yield

    read_page(draw_form("12").page, sure_of_seven, stage=note)

    assert list(dict.fromkeys(stages)) == ["find", "cut", "read"]


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_page_reads_the_same_whichever_way_up_it_lies(quarter_turns: int) -> None:
    upright = draw_form("4071 93 275 64").page
    turned = Page(np.ascontiguousarray(np.rot90(upright.grey, quarter_turns)))

    values = [[field.value for field in read_page(page, READER).fields] for page in (upright, turned)]

    assert values[0] == values[1] == ["4071", "93", "275", "64"]


def test_a_page_on_its_side_is_turned_though_a_few_blank_boxes_seem_to_stand_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upright = draw_form("4071 93 275 64185").page
    corners = [(Point(x, 5), Point(x + 20, 5), Point(x + 20, 35), Point(x, 35)) for x in (5, 25, 45, 65)]
    seeming = Field("r01c01", tuple(Quad(*each) for each in corners), Box(5, 5, 80, 30))

    def find(page: Page, quarter_turns: int = 0, *, pale: bool = False) -> PageLayout:
        found = find_fields(page, quarter_turns, pale=pale)
        return found if quarter_turns else PageLayout((seeming,), 0.0)

    monkeypatch.setattr("worker.pipeline.find_fields", find)
    fields = read_page(Page(np.ascontiguousarray(np.rot90(upright.grey))), READER).fields

    assert [field.value for field in fields] == ["4071", "93", "275", "64185"]


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_combs_with_an_open_top_read_the_same_whichever_way_up_they_lie(quarter_turns: int) -> None:
    upright = random_hard_form(4, kind=BoxKind.OPEN_TICKS, damage=PageDamage.NONE).page
    turned = Page(np.ascontiguousarray(np.rot90(upright.grey, quarter_turns)))

    values = [[field.value for field in read_page(page, READER).fields] for page in (upright, turned)]

    assert values[0] == values[1]


def test_combs_with_a_closed_top_are_not_read_hanging_from_it() -> None:
    page = random_hard_form(520)
    assert (page.kind, page.damage) == (BoxKind.CLOSED_TICKS, PageDamage.PHOTO_TURNED)

    values = {field.value for field in read_page(page.page, Recogniser.load()).fields}

    assert sum(field.value.strip("_") in values for field in page.fields) >= len(page.fields) - 2


def test_a_page_whose_digits_seem_to_lie_on_their_heads_either_way_stays_as_it_is() -> None:
    asked: list[npt.NDArray[np.uint8]] = []

    def surer_on_their_heads(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        is_turned = bool(asked) and np.array_equal(glyphs, asked[-1][:, ::-1, ::-1])
        asked.append(glyphs)
        return reads(*["7"] * len(glyphs), sure=0.99 if is_turned else 0.6)(glyphs)

    fields = read_page(draw_form("4071 93").page, surer_on_their_heads).fields

    assert [len(field.cells) for field in fields] == [4, 2]


def test_a_page_is_read_whose_lines_hardly_show() -> None:
    values = ["4071", "93", "275", "640", "518"]
    page = draw_form(" ".join(values), ruling=Ruling(colour=(247, 247, 247))).page
    assert len(find_fields(page).fields) < len(values)

    assert [field.value for field in read_page(page, READER).fields] == values


def test_a_number_in_one_box_has_a_cell_for_each_digit() -> None:
    page = random_hard_form(4, kind=BoxKind.WHOLE, damage=PageDamage.NONE)
    values = {field.value: field for field in read_page(page.page, READER).fields}

    exact = [values[field.value] for field in page.fields if field.value in values]

    assert len(exact) >= 3
    assert all("".join(field.cells) == field.value for field in exact)


def test_what_is_hardly_legible_in_a_box_for_a_number_is_none() -> None:
    def torn_between_4_and_9(glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        row = np.zeros(len(CLASSES), np.float32)
        row[[4, 9]] = 0.51, 0.49
        return np.tile(row, (len(glyphs), 1))

    page = random_hard_form(4, kind=BoxKind.WHOLE, damage=PageDamage.NONE).page

    assert {field.value for field in read_page(page, torn_between_4_and_9).fields} == {""}


def test_a_page_without_boxes_says_so_and_why_if_that_shows() -> None:
    white = np.full((1000, 800), 255, np.uint8)
    letter = cv2.putText(white.copy(), "Dear Sir", (100, 300), cv2.FONT_HERSHEY_SIMPLEX, 3.0, (0,), 5)

    assert read_page(Page(white), READER).reason == "no digit boxes found: the page is empty"
    assert read_page(Page(np.asarray(letter, np.uint8)), READER).reason == "no digit boxes found"


def test_a_digit_that_touches_its_box_is_accepted_when_the_reader_is_sure_of_it() -> None:
    page = draw_form("1").page
    field = read_page(page, sure_of_seven).fields[0]
    stroke = field.readings[0].box
    middle = stroke.x + stroke.width // 2
    page.grey[stroke.y : field.box.bottom + 20, middle - 3 : middle + 3] = 20  # on, through the line

    sure, unsure = (
        read_page(page, sure_of_seven, ReadingRules(accept_confidence=bar)).fields[0] for bar in (0.5, 0.999)
    )

    assert (sure.status, sure.reasons) == (FieldStatus.ACCEPTED, ())
    assert "touches the box" in unsure.reasons
