"""Glyphs that take long to draw and cut and are the same each time: made once, then read back from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmentation.glyph import GLYPH_RECIPE
from segmentation.version import SEGMENTATION_VERSION
from training.files import whole_file

PAPER, FEATURES = "paper", "features"  # folders of a cache: what was cut from drawn paper, frozen features

Arrays = Mapping[str, npt.NDArray[Any]]


def keep(cache: Path, name: str, made_by: str, make: Callable[[], Arrays]) -> Arrays:
    """Return what `make` returns, from a file in `cache` if it was made before.

    `made_by` names all that decides what comes out, but for how segmentation cuts it, which always counts;
    `name` is how the file's name starts.
    """
    decided_by = f"{made_by} {GLYPH_RECIPE} {SEGMENTATION_VERSION}"
    key = hashlib.sha256(decided_by.encode()).hexdigest()[:16]
    path = cache / f"{name}-{key}.npz"
    if not path.exists():
        arrays = make()
        with whole_file(path) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # names may be anything
    with np.load(path, allow_pickle=False) as kept:
        return dict(kept)
