"""What is committed about the models: the scorecards, the page made from them, and the file that ships."""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from training.compare import choose_winner, model_card
from training.gallery import Gallery
from training.report import REPORT_FIGURES, write_model_card
from training.scorecard import Scorecard
from worker.recogniser import Recogniser

SCORECARDS = REPOSITORY / "training" / "scorecards"
CARDS = [Scorecard.read(path) for path in sorted(SCORECARDS.glob("*-seed*.json"))]


@pytest.mark.parametrize("family", REPORT_FIGURES)
def test_each_model_beats_the_reports_figure_on_the_test_images(family: str) -> None:
    runs = [card.test for card in CARDS if card.recipe.family == family]

    assert runs
    assert statistics.mean(run.accuracy for run in runs if run) > REPORT_FIGURES[family]


def test_the_reports_convolutional_models_were_trained_with_three_seeds_for_ten_epochs() -> None:
    runs = {family: list(cards) for family, cards in groupby(CARDS, key=lambda card: card.recipe.family)}

    for family in ("convolution", "dropout"):
        assert {card.recipe.seed for card in runs[family]} == {0, 1, 2}
        assert {len(card.curve) for card in runs[family]} == {10}
        assert {card.recipe.distortion for card in runs[family]} == {None}


def test_the_model_that_ships_is_the_winner_and_knows_how_sure_it_is() -> None:
    winner = choose_winner([card for card in CARDS if card.calibrated])

    shipped = Recogniser.load().card
    assert Gallery.read(SCORECARDS / "gallery.json").run == winner.recipe.name
    assert replace(shipped, calibration=None, digit_errors=None, field_errors=None) == model_card(winner)
    assert None not in (shipped.calibration, shipped.digit_errors, shipped.field_errors)


def test_the_walkthrough_was_run_from_top_to_bottom_and_names_no_folder_of_a_machine() -> None:
    notebook = json.loads((REPOSITORY / "training" / "walkthrough.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]

    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}
    assert not re.search(r"(/home|/root|/tmp|/Users|site-packages)", json.dumps(outputs))


def test_the_model_card_says_what_the_scorecards_say(tmp_path: Path) -> None:
    write_model_card(SCORECARDS, tmp_path / "model-card.md")

    assert (tmp_path / "model-card.md").read_text() == (REPOSITORY / "docs" / "model-card.md").read_text()
