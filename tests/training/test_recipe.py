from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, replace

from training.distortions import Distortion
from training.experiments import RECIPES
from training.recipe import Paper, Recipe


def test_the_last_epochs_show_glyphs_as_they_are() -> None:
    recipe = Recipe("deep", epochs=4, distortion=Distortion(), undistorted_epochs=2)

    assert [bool(recipe.distortion_in(epoch)) for epoch in range(4)] == [True, True, False, False]


def test_a_recipe_is_named_by_what_it_is_shown() -> None:
    assert Recipe("deep").family == "deep"
    assert Recipe("deep", distortion=Distortion()).family == "deep-distorted"
    assert Recipe("deep", seed=2, paper=Paper(digits=9, marks=9)).name == "deep-digits-marks-seed2"
    assert Recipe("deep", starts_from="deep-seed0").family == "deep-continued"
    assert Recipe("deep", starts_from="deep-continued-seed0").family == "deep-continued-continued"


def test_a_recipe_is_read_back_as_it_was_written() -> None:
    recipe = Recipe("deep", distortion=Distortion(bend=1.5), paper=Paper(1, 2, 3), label_smoothing=0.05)

    assert Recipe.from_entries(asdict(recipe)) == recipe


def test_recipes_written_before_there_was_paper_are_read() -> None:
    entries = {"architecture": "dropout", "seed": 1, "epochs": 10, "batch": 128, "learning_rate": 0.001}
    distortion = {"turn_degrees": 10.0, "slant": 0.2, "scale": 0.1, "shift": 1.5}

    assert Recipe.from_entries({**entries, "distortion": None}) == Recipe("dropout", 1)
    assert Recipe.from_entries({**entries, "distortion": distortion}) == Recipe(
        "dropout", 1, distortion=Distortion()
    )


def test_runs_of_one_family_differ_in_their_seed_alone() -> None:
    families: dict[str, set[Recipe]] = defaultdict(set)
    for recipe in RECIPES:
        families[recipe.family].add(replace(recipe, seed=0, starts_from=""))

    assert {family: len(recipes) for family, recipes in families.items()} == dict.fromkeys(families, 1)
