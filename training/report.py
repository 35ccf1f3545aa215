"""The model card as a page and pictures, made from committed scorecards alone: no data, no TensorFlow."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from training.distortions import Distortion
from training.errors import TrainingError
from training.gallery import Gallery, ShownGlyph
from training.scorecard import Scorecard

TITLES = {
    "convolution": "A: convolutions, pooling, flatten, dense",
    "dropout": "B: A with dropout 0.5",
    "mobilenet": "C: MobileNet, top layers fine-tuned",
    "dropout-distorted": "B on distorted digits",
}
REPORT_FIGURES = {"convolution": 0.982, "dropout": 0.984, "mobilenet": 0.979}  # what the three are to beat
DPI = 70
GALLERY_COLUMNS = 8


def write_model_card(scorecards: Path, output: Path) -> None:
    """Write `output` and, in a folder of its name beside it, its pictures.

    Raises TrainingError where `scorecards` does not hold the scorecards and the gallery of a comparison.
    """
    cards = sorted(
        (Scorecard.read(path) for path in scorecards.glob("*-seed*.json")),
        key=lambda card: (_place(card), card.recipe.seed),
    )
    if not cards or not (scorecards / "gallery.json").exists():
        raise TrainingError(f"{scorecards} holds no comparison; make one with digitmill-train compare")
    gallery = Gallery.read(scorecards / "gallery.json")
    winner = next(card for card in cards if card.recipe.name == gallery.run)
    families = {family: list(runs) for family, runs in groupby(cards, key=lambda card: card.recipe.family)}
    pictures = output.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    _draw_curves(families, pictures / "training-curves.png")
    _draw_confusion(winner, pictures / "confusion-matrix.png")
    _draw_glyphs(gallery.samples, pictures / "sample-predictions.png")
    _draw_glyphs(gallery.mistakes, pictures / "worst-mistakes.png")
    output.write_text(_page(families, winner, pictures.name), encoding="utf-8")


Families = Mapping[str, Sequence[Scorecard]]


def _place(card: Scorecard) -> tuple[int, str]:
    """Order the families as the report does, and what it does not know after them by name."""
    family = card.recipe.family
    return (list(TITLES).index(family) if family in TITLES else len(TITLES), family)


def _page(families: Families, winner: Scorecard, pictures: str) -> str:
    test = winner.test
    if test is None:
        raise TrainingError(
            f"the scorecard of {winner.recipe.name} has no test figures; run compare to its end"
        )
    recipe = winner.recipe
    sources = ", ".join(f"`{name}` (sha256 `{digest[:16]}…`)" for name, digest in winner.sources.items())
    versions = ", ".join(f"{name} {version}" for name, version in winner.versions.items())
    return f"""# Model card

Made by `digitmill-train report` from the scorecards in `training/scorecards/`; not to be edited by hand.

The model that ships is **{_title(recipe.family)}**, seed {recipe.seed}. It reads {test.accuracy:.2%} of
MNIST's {test.images:,} test images right ({test.images - round(test.accuracy * test.images)} mistakes). It
has {winner.parameters:,} parameters, takes {winner.onnx_bytes / 1e3:,.0f} kB of ONNX and reads
{winner.digits_per_second["64"]:,.0f} digits/s on one thread.

It reads one handwritten digit, cut from its box and made a 28 x 28 glyph by `segmentation.glyph`. It knows
the ten digits and nothing else: a cross, a letter or a blot is read as some digit, and a blank box is the
segmentation's business. Its probabilities are as trained, not calibrated. All figures here are figures **on
MNIST**, digits written in the United States around 1990; [accuracy.md](accuracy.md) says how well whole
forms are read.

## Side by side

{_families_table(families)}

Mean of the seeds, lowest and highest in brackets. *Distorted* are the validation images turned by up to 10
degrees, slanted, scaled and shifted. *To beat* is the report's figure on the test images.
Training minutes include the frozen features of MobileNet; {winner.machine},
had other work to do, so take them as orders of magnitude. Speeds are in onnxruntime on one thread, by batch
size: digits per second of that thread's own time, the median of five rounds, all models in one go.

## Every run

{_runs_table(families, winner)}

## How it was chosen

On the {winner.validation.images:,} validation images alone, as they are and distorted (turned, slanted,
scaled and shifted, the same for every model): the most accurate of both together, among the models with at
most 4 MB of ONNX and at least 8,000 digits/s on one thread. What ships reads paper, where digits lie askew.
Only then was every run scored on the test images, once.

## How it was trained

Data: {sources}; {winner.split}. No value is missing; the classes are near enough to equal.

Adam at {recipe.learning_rate:g}, batches of {recipe.batch}, {recipe.epochs} epochs, shuffled anew in each;
categorical cross-entropy on one-hot labels; pixels scaled to [0, 1] inside the network; the weights after
the last epoch are kept.
{_distortion_in_words(recipe.distortion)}
MobileNet starts from ImageNet's weights at 96 x 96: its layers up to conv_pw_11 stay as they are, those
above and a softmax layer are trained, for fewer epochs.

Trained on {winner.trained_on} at commit `{winner.commit}` with {versions}.
`digitmill-train compare --data PATH --mobilenet-weights PATH --out FOLDER` makes it all again.

## Training curves

![accuracy and loss by epoch]({pictures}/training-curves.png)

The first seed of each. Full lines: validation images. Dotted: training images as they were shown, with
dropped features and distortions.

## Confusion matrix

![confusion matrix]({pictures}/confusion-matrix.png)

The shipped model on the test images; the colour leaves the diagonal out.

## Sample predictions

![sample predictions]({pictures}/sample-predictions.png)

The first test images: what was read, and how sure the model was.

## Worst mistakes

![worst mistakes]({pictures}/worst-mistakes.png)

The mistakes it was most sure of: the truth, then what was read.

The digits shown are from MNIST (LeCun, Cortes, Burges),
[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/).
"""


def _distortion_in_words(distortion: Distortion | None) -> str:
    if distortion is None:
        return "Training digits were shown as they are."
    return (
        "Each time a training digit was shown it was turned by up to "
        f"{distortion.turn_degrees:g} degrees, slanted by up to {distortion.slant:g},\n"
        f"scaled by up to {distortion.scale:.0%} and shifted by up to {distortion.shift:g} px."
    )


def _title(family: str) -> str:
    return TITLES.get(family, family)


def _families_table(families: Families) -> str:
    rows = []
    for family, cards in families.items():
        first = cards[0]
        to_beat = f"{REPORT_FIGURES[family]:.1%}" if family in REPORT_FIGURES else ""
        rows.append(
            (
                _title(family),
                _spread([card.validation.accuracy for card in cards], ".2%"),
                _spread(
                    [card.distorted_validation.accuracy for card in cards if card.distorted_validation], ".2%"
                ),
                _spread([card.test.accuracy for card in cards if card.test], ".2%"),
                to_beat,
                f"{first.parameters:,}",
                f"{first.onnx_bytes / 1e3:,.0f} kB",
                _spread([card.training_minutes for card in cards], ".1f"),
                *(
                    f"{statistics.mean(card.digits_per_second[batch] for card in cards):,.0f}"
                    for batch in first.digits_per_second
                ),
            )
        )
    speeds = [f"digits/s at {batch}" for batch in cards[0].digits_per_second]
    head = (
        "model",
        "validation",
        "distorted",
        "test",
        "to beat",
        "parameters",
        "ONNX",
        "training minutes",
        *speeds,
    )
    return _table(head, rows)


def _runs_table(families: Families, winner: Scorecard) -> str:
    rows = [
        (
            f"**{card.recipe.name}**" if card is winner else card.recipe.name,
            str(card.recipe.epochs),
            f"{card.validation.accuracy:.2%}",
            f"{card.validation.log_loss:.4f}",
            f"{card.distorted_validation.accuracy:.2%}" if card.distorted_validation else "",
            f"{card.test.accuracy:.2%}" if card.test else "",
            f"{card.test.log_loss:.4f}" if card.test else "",
        )
        for cards in families.values()
        for card in cards
    ]
    return _table(("run", "epochs", "validation", "log-loss", "distorted", "test", "log-loss"), rows)


def _spread(values: Sequence[float], form: str) -> str:
    mean = format(statistics.mean(values), form)
    if len(values) == 1:
        return mean
    return f"{mean} ({format(min(values), form).rstrip('%')} to {format(max(values), form).rstrip('%')})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _draw_curves(families: Families, path: Path) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    for number, (family, cards) in enumerate(families.items()):
        curve, colour = cards[0].curve, f"C{number}"
        epochs = range(1, len(curve) + 1)
        accuracy.plot(epochs, [100 * epoch.accuracy for epoch in curve], ":", color=colour)
        accuracy.plot(
            epochs, [100 * epoch.validation_accuracy for epoch in curve], color=colour, label=_title(family)
        )
        loss.plot(epochs, [epoch.loss for epoch in curve], ":", color=colour)
        loss.plot(epochs, [epoch.validation_loss for epoch in curve], color=colour)
    accuracy.set(xlabel="epoch", ylabel="right, %", ylim=(95, 100))
    loss.set(xlabel="epoch", ylabel="cross-entropy", ylim=(0, 0.2))
    accuracy.legend(loc="lower right", fontsize="small")
    _save(figure, path)


def _draw_confusion(card: Scorecard, path: Path) -> None:
    score = card.test or card.validation
    counts = np.array(score.confusion)
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    axes.imshow(mistakes, cmap="Reds", vmax=2 * max(1, mistakes.max()))  # pale enough to read numbers on
    for (truth, read), count in np.ndenumerate(counts):
        if count:
            axes.text(read, truth, str(count), ha="center", va="center", fontsize=9)
    axes.set(xticks=range(len(counts)), yticks=range(len(counts)), xlabel="read as", ylabel="truth")
    _save(figure, path)


def _draw_glyphs(shown: Sequence[ShownGlyph], path: Path) -> None:
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
