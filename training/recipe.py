"""An experiment as a value: everything that decides how a network is trained, apart from the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.distortions import Distortion

BFLOAT16, FLOAT32 = "bfloat16", "float32"


@dataclass(frozen=True, slots=True)
class Paper:
    """How many glyphs that were cut out of drawn cells an epoch shows beside the data set's own."""

    digits: int = 0  # the data set's digits, written into cells
    pens: int = 0  # digits of our own pens
    marks: int = 0  # what is no digit


@dataclass(frozen=True, slots=True)
class Recipe:
    """AdamW on categorical cross-entropy over shuffled batches, for a fixed number of epochs."""

    architecture: str  # a file of training/architectures
    seed: int = 0
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 1e-3
    distortion: Distortion | None = None  # what happens to each training glyph each time it is shown
    undistorted_epochs: int = 0  # the last ones, which show glyphs as they are
    paper: Paper | None = None
    falling: bool = False  # the learning rate: up in the first epoch, then down to 0 along a cosine
    weight_decay: float = 0.0  # share of a weight taken off a step, times the learning rate
    label_smoothing: float = 0.0
    starts_from: str = ""  # the run of the same comparison whose weights it learns on from
    rounded: bool = False  # learns with the weights it will read with, where the architecture knows how
    averaged: float = 0.0  # share of the weights' running mean that a step keeps; 0: no mean is taken
    bfloat16: bool = False  # may multiply in bfloat16 where the machine is quick at it; weights are float32

    @property
    def family(self) -> str:
        """The recipe's name without its seed: the architecture and what it is shown."""
        shown = ["distorted"] if self.distortion else []
        if self.paper:
            shown += [source for source in ("digits", "pens", "marks") if getattr(self.paper, source)]
        if self.starts_from:
            shown += ["continued"] * (1 + self.starts_from.count("continued"))
        shown += ["rounded"] if self.rounded else []
        shown += ["averaged"] if self.averaged else []
        return "-".join([self.architecture, *shown])

    @property
    def name(self) -> str:
        return f"{self.family}-seed{self.seed}"

    def distortion_in(self, epoch: int) -> Distortion | None:
        """Return what happens to the glyphs in an epoch, counted from 0."""
        return self.distortion if epoch < self.epochs - self.undistorted_epochs else None

    @classmethod
    def from_entries(cls, entries: Mapping[str, Any]) -> Recipe:
        """Read a recipe back from a JSON object; what earlier versions did not know has its default."""
        distortion, paper = entries.get("distortion"), entries.get("paper")
        values = {
            "distortion": Distortion(**distortion) if distortion else None,
            "paper": Paper(**paper) if paper else None,
        }
        return cls(**{**entries, **values})
