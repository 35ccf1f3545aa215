"""The experiments that a comparison runs: the candidates to ship, and what each ingredient is worth."""

from __future__ import annotations

from dataclasses import replace

from training.distortions import Distortion
from training.recipe import Paper, Recipe

SEEDS = (0, 1, 2)

BENT = Distortion(bend=1.0, stretch=1.0)
DEEP = Recipe(
    "deep",
    epochs=13,
    learning_rate=2e-3,
    distortion=BENT,
    undistorted_epochs=2,
    paper=Paper(digits=40_000, pens=20_000, marks=15_000),
    falling=True,
    weight_decay=0.02,
    label_smoothing=0.05,
    bfloat16=True,
)
CONTINUED = replace(
    DEEP,
    epochs=20,
    learning_rate=1.5e-3,
    distortion=replace(BENT, coarse=0.2),
    paper=Paper(digits=30_000, pens=10_000, marks=20_000),
    label_smoothing=0.0,
)
RESIDUAL = replace(
    CONTINUED,
    architecture="residual",
    epochs=24,
    learning_rate=2e-3,
    paper=Paper(digits=40_000, pens=20_000, marks=20_000),
    undistorted_epochs=1,
)
ROUNDED = replace(RESIDUAL, epochs=3, learning_rate=2e-4, rounded=True)
AVERAGED = replace(ROUNDED, epochs=6, learning_rate=5e-4, averaged=0.999)
MORE_MARKS = replace(
    AVERAGED, epochs=4, learning_rate=3e-4, paper=Paper(digits=40_000, pens=20_000, marks=30_000)
)
SMALL_STEPS = replace(MORE_MARKS, epochs=3, learning_rate=2e-4)
AGAIN = replace(
    CONTINUED,
    epochs=4,
    learning_rate=4e-4,
    undistorted_epochs=0,
    paper=Paper(digits=20_000, pens=30_000, marks=20_000),
)
RECIPES = (
    *(Recipe("convolution", seed) for seed in SEEDS),
    *(Recipe("dropout", seed) for seed in SEEDS),
    Recipe("mobilenet", epochs=3),
    *(Recipe("dropout", seed, distortion=Distortion()) for seed in SEEDS),
    *(replace(DEEP, seed=seed) for seed in SEEDS),
    longer := replace(CONTINUED, starts_from=DEEP.name),
    replace(AGAIN, starts_from=longer.name),
    *(replace(RESIDUAL, seed=seed) for seed in SEEDS),
    *(replace(ROUNDED, seed=seed, starts_from=replace(RESIDUAL, seed=seed).name) for seed in SEEDS),
    averaged := replace(AVERAGED, starts_from=RESIDUAL.name),
    more_marks := replace(MORE_MARKS, starts_from=averaged.name),
    replace(SMALL_STEPS, starts_from=more_marks.name),
)
"""The three models of the report, the second again on distorted digits, and two networks made for paper.

Some learn on: one from where seed 0 of `deep` ended, with more marks, coarse scans, and no label smoothing,
which teaches a network to doubt clear digits as much as unclear ones; one from where that ended, with more
pens; and each seed of `residual`, in small steps, with the rounded weights that it is read with. Seed 0
learns on in another way as well, and ends on the mean of its weights.
"""

QUARTER = replace(DEEP, epochs=4, undistorted_epochs=1)
ABLATION = (
    replace(QUARTER, epochs=10, distortion=None, undistorted_epochs=0, paper=None),
    replace(QUARTER, epochs=10, paper=None),
    replace(QUARTER, epochs=5, paper=Paper(digits=40_000)),
    replace(QUARTER, paper=Paper(digits=40_000, pens=20_000)),
    QUARTER,
)
"""What each ingredient is worth: each is shown about 500,000 glyphs, a quarter of the winner's."""
