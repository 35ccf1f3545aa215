"""An experiment as a value: everything that decides how a network is trained, apart from the data."""

from __future__ import annotations

from dataclasses import dataclass

from training.distortions import Distortion


@dataclass(frozen=True, slots=True)
class Recipe:
    """Adam on categorical cross-entropy over shuffled batches, for a fixed number of epochs."""

    architecture: str  # a file of training/architectures
    seed: int = 0
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 1e-3
    distortion: Distortion | None = None  # what happens to each training glyph each time it is shown

    @property
    def family(self) -> str:
        """The recipe's name without its seed."""
        return f"{self.architecture}-distorted" if self.distortion else self.architecture

    @property
    def name(self) -> str:
        return f"{self.family}-seed{self.seed}"
