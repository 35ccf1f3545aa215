"""The model card's pictures, the same bytes from the same scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from training.gallery import ShownGlyph
from training.model_card import CLASSES, DIGITS
from training.scorecard import Epoch, Score

DPI = 70
GALLERY_COLUMNS = 8


def draw_curves(curves: Mapping[str, Sequence[Epoch]], path: Path) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    for number, (title, curve) in enumerate(curves.items()):
        colour = f"C{number}"
        epochs = range(1, len(curve) + 1)
        accuracy.plot(epochs, [100 * epoch.accuracy for epoch in curve], ":", color=colour)
        accuracy.plot(epochs, [100 * epoch.validation_accuracy for epoch in curve], color=colour, label=title)
        loss.plot(epochs, [epoch.loss for epoch in curve], ":", color=colour)
        loss.plot(epochs, [epoch.validation_loss for epoch in curve], color=colour)
    accuracy.set(xlabel="epoch", ylabel="right, %", ylim=(95, 100))
    loss.set(xlabel="epoch", ylabel="cross-entropy", ylim=(0, 0.6))
    accuracy.legend(loc="lower right", fontsize="small")
    _save(figure, path)


def draw_confusion(score: Score, path: Path) -> None:
    counts = np.array(score.confusion)
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    axes.imshow(mistakes, cmap="Reds", vmax=2 * max(1, mistakes.max()))  # pale enough to read numbers on
    for (truth, read), count in np.ndenumerate(counts):
        if count:
            axes.text(read, truth, str(count), ha="center", va="center", fontsize=9)
    places, labels = range(len(counts)), CLASSES[: len(counts)]
    axes.set_xticks(places, labels, rotation=45 if len(counts) > len(DIGITS) else 0)
    axes.set_yticks(places, labels)
    axes.set(xlabel="read as", ylabel="truth")
    _save(figure, path)


def draw_glyphs(shown: Sequence[ShownGlyph], path: Path) -> None:
    rows = -(-len(shown) // GALLERY_COLUMNS)
    figure = Figure(figsize=(GALLERY_COLUMNS * 1.2, max(rows, 1) * 1.45), layout="constrained")
    grid = figure.subplots(max(rows, 1), GALLERY_COLUMNS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, glyph in zip(grid, shown, strict=False):
        axes.imshow(255 - glyph.glyph(), cmap="gray", vmin=0, vmax=255)
        right = glyph.truth == glyph.read
        said = str(glyph.read) if right else f"{glyph.truth}, read {glyph.read}"
        axes.set_title(
            f"{said}\n{glyph.probability:.1%}", fontsize=9, color="black" if right else "firebrick"
        )
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=DPI, metadata={"Software": None})  # the same bytes from the same scorecards
