"""One network a file; the file's name is the architecture's name.

Each module makes its network in `build(weights: Path | None) -> keras.Model`: glyphs (batch, 28, 28) uint8
in, probabilities (batch, classes) out, for the ten digits or all of CLASSES, all scaling inside. `weights` is
for networks that start from pretrained ones. Layers that stay as they were pretrained are one inner model
named FROZEN, the others then one named TRAINED.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, cast

from training.errors import TrainingError

if TYPE_CHECKING:
    import keras

FROZEN = "frozen"
TRAINED = "trained"


def architecture_names() -> tuple[str, ...]:
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def build(architecture: str, weights: Path | None = None) -> keras.Model:
    """Return a fresh network. Raises TrainingError for a name that no file here has."""
    if architecture not in architecture_names():
        known = ", ".join(architecture_names())
        raise TrainingError(f"no architecture is called {architecture!r}; there are {known}")
    module = importlib.import_module(f"{__name__}.{architecture}")
    return cast("keras.Model", module.build(weights))
