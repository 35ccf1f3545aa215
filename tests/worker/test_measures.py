from dataclasses import replace
from typing import Any

import pytest

from segmentation.geometry import Box
from worker.measures import (
    NEVER_ACCEPTED,
    TOUCHES,
    FieldScore,
    Miss,
    PageScore,
    Read,
    Tally,
    Truth,
    by_field,
    digit_outcomes,
    edit_distance,
    field_outcomes,
    score_page,
    tally,
    wilson,
)

HERE, NEXT, AWAY = Box(10, 10, 60, 20), Box(12, 11, 60, 20), Box(200, 10, 60, 20)


def read(value: str, box: Box = HERE) -> Read:
    return Read("r01c01", tuple(label.strip() for label in value), box)


def test_a_reading_of_a_result_record_and_a_truth_line_meet() -> None:
    record = {
        "field": "r01c01",
        "cells": ["2", "7", "5"],
        "box": [388, 232, 54, 28],
        "status": "review",
        "confidence": 0.8,
        "reasons": ["low confidence"],
        "digits": [{"confidence": 0.9}, {"confidence": 0.95}, {"confidence": 0.93}],
    }
    line = {"name": "valid_votes", "value": "275", "box": [387.6, 232.4, 54.3, 28.0]}

    page = score_page([Truth.from_record(line)], [Read.from_record(record)])

    assert page.fields[0].exact


@pytest.mark.parametrize(
    ("true", "read", "distance"),
    [("275", "275", 0), ("275", "25", 1), ("275", "2785", 1), ("", "7", 1), ("2?5", "295", 0)],
)
def test_edit_distance_counts_changed_missing_and_added_digits(true: str, read: str, distance: int) -> None:
    assert edit_distance(true, read) == distance


def test_a_field_that_is_not_found_costs_all_its_digits() -> None:
    page = score_page([Truth("votes", "_275", HERE)], [read("275", AWAY)])

    assert tally([page]) == Tally(pages=1, fields=1, digits=3, digit_errors=3, spurious=1)


def test_blanks_and_crosses_are_no_digits() -> None:
    page = score_page([Truth("votes", "X_7", HERE)], [read("  7", NEXT)])

    assert page.fields[0].exact
    assert tally([page]).digits == 1


def test_one_reading_serves_one_true_field_only_the_nearest() -> None:
    page = score_page([Truth("near", "11", NEXT), Truth("nearest", "11", HERE)], [read("11", HERE)])

    assert [score.found for score in page.fields] == [False, True]


def test_a_blank_field_that_matches_nothing_is_not_spurious() -> None:
    assert score_page([], [read("  ", AWAY)]).spurious == ()
    assert len(score_page([], [read(" 1", AWAY)]).spurious) == 1


def test_without_boxes_each_true_field_takes_the_nearest_reading_once() -> None:
    truths = [Truth("a", "275"), Truth("b", "275"), Truth("c", "801")]
    reads = [read("276"), read("275"), read("444")]

    page = score_page(truths, reads)

    assert [score.read for score in page.fields] == [reads[1], reads[0], None]
    assert page.spurious == (reads[2],)


def test_of_two_readings_equally_near_the_one_with_as_many_boxes_is_taken() -> None:
    page = score_page([Truth("a", "__7")], [read("7"), read("  7")])

    assert page.fields[0].read == read("  7")


def test_blank_errors_are_counted_both_ways_apart() -> None:
    page = score_page([Truth("votes", "_27_", HERE)], [read("  71", HERE)])

    counts = tally([page])

    assert (counts.blank_cells, counts.blanks_read) == (2, 1)
    assert (counts.digit_cells, counts.digits_overlooked) == (2, 1)


@pytest.mark.parametrize(
    ("value", "got", "miss"),
    [
        ("27", None, Miss.NOT_FOUND),
        ("27", read("277"), Miss.SPLIT),
        ("_7", read("17"), Miss.BLANK),
        ("27", read(" 7"), Miss.BLANK),
        ("X7", read("47"), Miss.CROSS),
        ("27", read("21"), Miss.MISREAD),
        ("27", replace(read("21"), reasons=("low confidence", TOUCHES)), Miss.LINE_REST),
        ("27", read("27"), None),
    ],
)
def test_each_miss_has_its_cause(value: str, got: Read | None, miss: Miss | None) -> None:
    assert FieldScore(Truth("votes", value, HERE), got).miss is miss


def test_tallies_of_pages_add_up_to_rates() -> None:
    right = score_page([Truth("votes", "27", HERE)], [read("27")])
    wrong = score_page([Truth("votes", "27", HERE)], [read("21"), read("3", AWAY)])

    counts = tally([right, wrong])

    assert (counts.field_exact, counts.digit_error, counts.spurious_per_page) == (0.5, 0.25, 0.5)


def test_the_wilson_interval_is_the_published_one() -> None:
    interval = wilson(15, 148)  # Newcombe 1998, Statistics in Medicine 17, table I, method 3

    assert (interval.low, interval.high) == pytest.approx((0.0624, 0.1605), abs=1e-4)


def test_nothing_measured_says_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def sure(cells: str, box: Box, confidence: float, **more: Any) -> Read:
    """A reading with its confidence, each digit as confident as the field."""
    return replace(read(cells, box), confidence=confidence, confidences=(confidence,) * 9, **more)


def test_numbers_on_no_true_field_are_wrong_and_blanks_are_no_numbers() -> None:
    page = score_page(
        [Truth("a", "27", HERE), Truth("b", "__", NEXT)],
        [sure("27", HERE, 0.9), sure("  ", NEXT, 0.98), sure("3", AWAY, 0.7)],
    )

    assert list(field_outcomes([page])) == [(0.9, True), (0.7, False)]


def test_a_field_that_waits_for_review_anyway_is_accepted_at_no_threshold() -> None:
    doubtful = sure("2 7", HERE, 0.99, reasons=("blank between digits",))

    assert list(field_outcomes([score_page([Truth("a", "2_7", HERE)], [doubtful])])) == [
        (NEVER_ACCEPTED, True)
    ]


def test_each_box_read_as_a_digit_is_right_or_wrong_unless_nobody_can_tell() -> None:
    page = score_page([Truth("a", "_X7?1", HERE)], [sure(" 4727", HERE, 0.9)])

    assert list(digit_outcomes([page])) == [(0.9, False), (0.9, True), (0.9, False)]


def test_the_scores_of_a_field_are_gathered_from_all_pages() -> None:
    page = PageScore((FieldScore(Truth("votes", "27"), None), FieldScore(Truth("null", "3"), None)), ())

    assert {name: len(scores) for name, scores in by_field([page, page]).items()} == {"votes": 2, "null": 2}
