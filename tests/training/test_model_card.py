from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.worker.small_models import CARD
from training.model_card import METADATA_KEY, Calibration, CardUnreadable, ErrorCurve, ModelCard


def test_a_card_comes_back_from_the_metadata_as_it_was() -> None:
    card = replace(CARD, test_accuracy=0.9912, note="Größe und 数", versions={"keras": "3.15.1"})

    assert ModelCard.from_metadata(card.to_metadata()) == card


def test_calibration_and_error_curves_travel_with_the_card() -> None:
    card = replace(
        CARD,
        calibration=Calibration("vector scaling", (1.1,) * 10, (0.0,) * 10, 0.997, "600 cells"),
        digit_errors=ErrorCurve((0.0, 0.9), (1000, 950), (12, 3)),
        field_errors=ErrorCurve((0.0, 0.9), (250, 200), (11, 3)),
    )

    assert ModelCard.from_metadata(card.to_metadata()) == card


def test_a_card_of_version_0_1_is_read_as_one_without_calibration() -> None:
    entries = json.loads(CARD.to_metadata()[METADATA_KEY]) | {"calibration": "none"}
    for later in ("digit_errors", "field_errors"):
        del entries[later]

    assert ModelCard.from_metadata({METADATA_KEY: json.dumps(entries)}) == CARD


def test_entries_of_later_versions_are_passed_over() -> None:
    entries = json.loads(CARD.to_metadata()[METADATA_KEY]) | {"favourite_colour": "blue"}

    assert ModelCard.from_metadata({METADATA_KEY: json.dumps(entries)}) == CARD


def test_metadata_without_a_whole_card_are_refused_with_the_entry_that_lacks() -> None:
    entries = json.loads(CARD.to_metadata()[METADATA_KEY])
    del entries["glyph_recipe"]

    with pytest.raises(CardUnreadable, match="no model card"):
        ModelCard.from_metadata({"author": "somebody"})
    with pytest.raises(CardUnreadable, match="glyph_recipe"):
        ModelCard.from_metadata({METADATA_KEY: json.dumps(entries)})


def test_an_error_curve_counts_what_is_at_least_so_confident() -> None:
    outcomes = [(1.0, True), (0.9, False), (0.9, True), (0.5, False)]

    curve = ErrorCurve.count(outcomes)

    for threshold, accepted, wrong in zip(curve.thresholds, curve.accepted, curve.wrong, strict=True):
        kept = [right for confidence, right in outcomes if confidence >= threshold]
        assert (accepted, wrong) == (len(kept), kept.count(False))
    assert 0.9 in curve.thresholds
    assert curve.thresholds == tuple(sorted(set(curve.thresholds)))
