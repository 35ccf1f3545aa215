"""The runs of a comparison, a folder each; some begin where another ended.

Needs Keras on TensorFlow or JAX; exporting needs TensorFlow.
"""

from __future__ import annotations

import json
from pathlib import Path

from training.dataset import Dataset
from training.errors import RunMismatch, WeightsUnreadable
from training.fit import LEARNT, STATE, Fit, fit
from training.mixture import Watch
from training.recipe import Recipe


def learn(
    recipe: Recipe, dataset: Dataset, runs: Path, *, folder: Path, weights: Path | None, watch: Watch
) -> Fit:
    """Train a run in `folder`, or go on with it; the run that it begins with lies in `runs`.

    `weights` and `watch` are those of `fit`, `runs` its cache. Raises WeightsUnreadable where the run that it
    begins with is not at its end, RunMismatch where that learnt from other data.
    """
    start = _what_was_learnt(recipe.starts_from, dataset, runs) if recipe.starts_from else None
    return fit(recipe, dataset, folder, cache=runs, weights=weights, start=start, watch=watch)


def _what_was_learnt(name: str, dataset: Dataset, runs: Path) -> Path:
    state, learnt = runs / name / STATE, runs / name / LEARNT
    if not (state.exists() and learnt.exists()):
        raise WeightsUnreadable(f"{runs / name} holds no run at its end; learn {name} first, it begins there")
    if json.loads(state.read_text(encoding="utf-8"))["sources"] != dict(dataset.sources):
        raise RunMismatch(f"{runs / name} has learnt from other data; remove it or name another folder")
    return learnt
