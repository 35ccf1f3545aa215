"""The model card as a page and pictures, made from committed scorecards alone: no data, no TensorFlow."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from training.errors import TrainingError
from training.gallery import Gallery
from training.pictures import draw_confusion, draw_curves, draw_glyphs
from training.recipe import Paper, Recipe
from training.scorecard import (
    DIGITS_IN_CELLS,
    DRAWN_PAGES,
    MARKS,
    OPTDIGITS,
    REAL_PAGES,
    SEMEION,
    Score,
    Scorecard,
    Tally,
    Trials,
    tally_of,
)

RESIDUAL = "residual-distorted-digits-pens-marks"
TITLES = {
    "convolution": "A: convolutions, pooling, flatten, dense",
    "dropout": "B: A with dropout 0.5",
    "mobilenet": "C: MobileNet, top layers fine-tuned",
    "dropout-distorted": "B on distorted digits",
    "deep-distorted-digits-pens-marks": "deep, on paper",
    "deep-distorted-digits-pens-marks-continued": "deep, on paper, continued",
    "deep-distorted-digits-pens-marks-continued-continued": "deep, on paper, continued twice",
    RESIDUAL: "residual, on paper",
    f"{RESIDUAL}-continued-rounded": "residual, on paper, rounded",
    f"{RESIDUAL}-continued-rounded-averaged": "residual, on paper, averaged",
    f"{RESIDUAL}-continued-continued-rounded-averaged": "residual, more marks",
    f"{RESIDUAL}-continued-continued-continued-rounded-averaged": "residual, small steps",
}
INGREDIENTS = {
    "deep": "MNIST as it is",
    "deep-distorted": "+ distortion",
    "deep-distorted-digits": "+ MNIST's digits in drawn cells",
    "deep-distorted-digits-pens": "+ our own pens in drawn cells",
    "deep-distorted-digits-pens-marks": "+ marks that are no digits",
}
REPORT_FIGURES = {"convolution": 0.982, "dropout": 0.984, "mobilenet": 0.979}  # what the three are to beat
DIGIT_TRIALS = (DRAWN_PAGES, DIGITS_IN_CELLS, REAL_PAGES, OPTDIGITS, SEMEION)


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
    ablation = [Scorecard.read(path) for path in (scorecards / "ablation").glob("*.json")]
    pictures = output.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    curves = {_title(family): runs[0].curve for family, runs in families.items()}
    draw_curves(curves, pictures / "training-curves.png")
    draw_confusion(_tested(winner), pictures / "confusion-matrix.png")
    draw_glyphs(gallery.samples, pictures / "sample-predictions.png")
    draw_glyphs(gallery.mistakes, pictures / "worst-mistakes.png")
    output.write_text(_page(families, winner, ablation, pictures.name), encoding="utf-8")


Families = Mapping[str, Sequence[Scorecard]]


def _place(card: Scorecard) -> tuple[int, str]:
    """Order the families as the report does, and what it does not know after them by name."""
    family = card.recipe.family
    return (list(TITLES).index(family) if family in TITLES else len(TITLES), family)


def _page(families: Families, winner: Scorecard, ablation: Sequence[Scorecard], pictures: str) -> str:
    test = _tested(winner)
    recipe = winner.recipe
    sources = ", ".join(f"`{name}` (sha256 `{digest[:16]}…`)" for name, digest in winner.sources.items())
    versions = ", ".join(f"{name} {version}" for name, version in winner.versions.items())
    return f"""# Model card

Made by `digitmill-train report` from the scorecards in `training/scorecards/`; not to be edited by hand.

The model that ships is **{_title(recipe.family)}**, seed {recipe.seed}. It reads {test.accuracy:.2%} of
MNIST's {test.images:,} test images right ({test.images - round(test.accuracy * test.images)} mistakes). It
has {winner.parameters:,} parameters, takes {winner.onnx_bytes / 1e3:,.0f} kB of ONNX and reads
{winner.digits_per_second["64"]:,.0f} digits/s on one thread{_peak(winner)}. {_in_numbers(winner)}

It reads what is in one box, cut out and made a 28 x 28 glyph by `segmentation.glyph`: one of the ten
digits, or that the box is struck out, or that what is in it is something else: a letter, two digits, dirt.
A blank box is the segmentation's business. [accuracy.md](accuracy.md) says how well whole forms are read.

## Side by side

{_accuracy_table(families)}

Mean of the seeds, lowest and highest in brackets. *MNIST* is digits written in the United States around
1990, *to beat* the report's figure on its test images. Nothing else here was ever trained on. *Drawn pages*
are pages drawn by this project with MNIST's validation digits and pens of its own, damaged as scanners do,
their boxes found and cut as the worker does (synthetic); *digits in cells* the validation digits, each
written once into a drawn cell, worse treated than on most pages (synthetic); *real pages* the digits in the
found boxes of real scans, of which there are few; *optdigits* and *semeion* other people's digits, squeezed
to one aspect by those who published them; pens of our own got shapes after a look at semeion's mistakes
(ADR 17 and 21), so it is no longer quite foreign. Read right means that of all classes the right one is
the most probable. *Calibrated* is how the worker reads: with probabilities fitted to pages on which a mark
stands in two of a hundred boxes, and not in one of seven, as in training. *Marks* is the share of crosses,
dashes, scribbles, letters and dirt (synthetic; without letters that look like digits) for
which the most probable is no digit; the reader asks for more than the most probable.

{_cost_table(families, winner)}

Training minutes include the frozen features of MobileNet, and not those of the run that another one
continued; the machines had other work to do, so take them as orders of magnitude. Speeds are in
onnxruntime on one thread, by batch size: digits per second of that thread's own time, the median of five
rounds; files and speeds are those of one run of each, the one that ships or else the first seed's. What was
compared on different days was timed on different machines, so *of the peak* goes further: multiply-adds a
second at batch 64 against those of numpy's float32 matrix product on one thread of the same machine, at the
same time; whole numbers of 8 bits can go beyond it.

## Every run

{_runs_table(families, winner)}

## The shipped model, kind by kind

{_kinds_table(winner)}

In brackets 95 % Wilson intervals. *Right among digits*: had it been told that there is a digit. Letters that
look like digits are digits to a reader of digits: it learnt nothing to the contrary.
{_refusals(winner)}
## What each ingredient is worth

{_ablation_table(ablation)}

One seed each, shown about 500,000 glyphs, a quarter of what *deep, on paper* is shown. *Uncleaned* is the
naive way: the same boxes squeezed to 28 x 28 with their lines and dirt; what lies between the two is what
cutting out is worth.

## How it was chosen

By the mean of two shares of what calibrated readers read: of the digits on drawn pages those that are read
right, and of the marks those that are not accepted as digits where so much confidence is asked for that one
digit in a hundred is refused; MNIST's {winner.validation.images:,} validation images decide between equals.
Candidates are files of at most 4 MB and at most 15 million multiply-adds a glyph in 8 bits, or 4 million in
float32: with signed weights what reads 10,000 digits/s on one thread of a processor with instructions for 8
bits (VNNI).
The measured speed does not decide, so every machine chooses the same. Only then was every run scored on the
test images, once.

## How it was trained

Data: {sources}; {winner.split}. No value is missing; the classes are near enough to equal. EMNIST's digits
are no data to train on for these tables: like MNIST's they come from NIST's Special Database 19, and may be
of the people who wrote the test images.

{_training_in_words(recipe, winner.computed_in)}
MobileNet starts from ImageNet's weights at 96 x 96: its layers up to conv_pw_11 stay as they are, those
above and a softmax layer are trained, for fewer epochs.

Trained on {winner.trained_on} at commit `{winner.commit}` with {versions}.
`digitmill-train compare --data PATH --mobilenet-weights PATH --shared PATH --out FOLDER` makes it all again.
{_note(winner)}
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


def _tested(winner: Scorecard) -> Score:
    """Return how the winner reads the test images, calibrated as it ships where that was measured."""
    test = winner.calibrated.test if winner.calibrated else winner.test
    if test is None:
        raise TrainingError(
            f"the scorecard of {winner.recipe.name} has no test figures; run compare to its end"
        )
    return test


def _in_numbers(winner: Scorecard) -> str:
    if winner.is_quantised:
        return "Its weights and features are\nwhole numbers of 8 bits, all but those of its last layer."
    return f"It computes in\nfloat32: {winner.why_float}." if winner.why_float else "It computes in float32."


def _note(winner: Scorecard) -> str:
    return f"\n{textwrap.fill(winner.note, 108)}\n" if winner.note else ""


def _peak(winner: Scorecard) -> str:
    if not winner.peak_gflops:
        return ""
    return f"\nof {winner.machine}, where numpy's matrix product makes {winner.peak_gflops:.0f} GFLOP/s"


def _training_in_words(recipe: Recipe, computed_in: str) -> str:
    rate = "rising in the first epoch, then falling to 0 along a cosine" if recipe.falling else "throughout"
    start = recipe.starts_from
    begun = f"It learnt on from where `{start}` ended (see `training/experiments.py`). " if start else ""
    sentences = [
        f"{begun}AdamW at {recipe.learning_rate:g}, {rate}, weight decay {recipe.weight_decay:g}; batches of "
        f"{recipe.batch}, {recipe.epochs} epochs, shuffled anew in each; categorical cross-entropy "
        f"with label smoothing {recipe.label_smoothing:g}; multiplied in {computed_in}; pixels scaled to "
        f"[0, 1] inside the network; {_kept_in_words(recipe)}.",
        _paper_in_words(recipe.paper),
        _distortion_in_words(recipe),
    ]
    return "\n".join(textwrap.fill(sentence, 108) for sentence in sentences if sentence)


def _kept_in_words(recipe: Recipe) -> str:
    if not recipe.averaged:
        return "the weights after the last epoch are kept"
    return (
        f"the running mean of the weights is kept, of which a step keeps {recipe.averaged:.1%}, and "
        "batch normalisations measure its features anew, on glyphs as they are"
    )


def _paper_in_words(paper: Paper | None) -> str:
    if paper is None:
        return ""
    return (
        "An epoch shows each of the data set's digits once, and beside them "
        f"{paper.digits:,} of the same digits written into drawn cells, {paper.pens:,} of our own pens and "
        f"{paper.marks:,} marks that are no digits, all cut out as the worker does."
    )


def _distortion_in_words(recipe: Recipe) -> str:
    distortion = recipe.distortion
    if distortion is None:
        return "Training digits were shown as they are."
    last = recipe.undistorted_epochs
    plain = f", but for the last {last} epochs" if last else ""
    share = distortion.coarse
    coarse = f", made coarse and black and white {share:.0%} of the times" if share else ""
    return (
        f"Each time a glyph was shown it was turned by up to {distortion.turn_degrees:g} degrees, slanted by "
        f"up to {distortion.slant:g}, scaled by up to {distortion.scale:.0%}, shifted by up to "
        f"{distortion.shift:g} px, bent by {distortion.bend:g} px (root mean square) and made wider by up to "
        f"{distortion.stretch:.0%}{coarse}{plain}."
    )


def _title(family: str) -> str:
    return TITLES.get(family, family)


def _accuracy_table(families: Families) -> str:
    head = ("model", "MNIST validation", "MNIST test", "to beat", *DIGIT_TRIALS, MARKS)
    rows = []
    for family, cards in families.items():
        tests = [card.test for card in cards if card.test]
        beaten = f"{REPORT_FIGURES[family]:.1%}" if family in REPORT_FIGURES else ""
        trials = [card.trials for card in cards]
        rows.append(_accuracies(_title(family), [card.validation for card in cards], tests, beaten, trials))
        mended = [card.calibrated for card in cards if card.calibrated]
        if mended:
            scores = [each.validation for each in mended], [each.test for each in mended if each.test]
            rows.append(_accuracies("the same, calibrated", *scores, "", [each.trials for each in mended]))
    return _table(head, rows)


def _accuracies(
    title: str, validation: Sequence[Score], test: Sequence[Score], beaten: str, trials: Sequence[Trials]
) -> tuple[str, ...]:
    scores = (_spread([score.accuracy for score in each], ".2%") for each in (validation, test))
    return (title, *scores, beaten, *_trial_columns(trials))


def _trial_columns(trials: Sequence[Trials]) -> tuple[str, ...]:
    """Return the shares of digits read right, trial by trial, and of marks not read as digits."""
    return (
        *(_spread([tally.accuracy for tally in _tallies(trials, trial)], ".2%") for trial in DIGIT_TRIALS),
        _spread([1 - tally.as_digit / tally.glyphs for tally in _tallies(trials, MARKS)], ".1%"),
    )


def _cost_table(families: Families, winner: Scorecard) -> str:
    speeds = tuple(next(iter(families.values()))[0].digits_per_second)
    head = (
        *("model", "parameters", "multiply-adds", "ONNX", "numbers", "training minutes"),
        *(f"digits/s at {batch}" for batch in speeds),
        "of the peak",
    )
    shown = [(family, cards, winner if winner in cards else cards[0]) for family, cards in families.items()]
    rows = [
        (
            _title(family),
            f"{card.parameters:,}",
            f"{card.multiply_adds / 1e6:.1f} M" if card.multiply_adds else "",
            f"{card.onnx_bytes / 1e3:,.0f} kB",
            "8 bits" if card.is_quantised else "float32",
            _spread([each.training_minutes for each in cards], ".1f"),
            *(f"{card.digits_per_second[batch]:,.0f}" for batch in speeds),
            _of_the_peak(card),
        )
        for family, cards, card in shown
    ]
    return _table(head, rows)


def _of_the_peak(card: Scorecard) -> str:
    if not card.peak_gflops:
        return ""
    return f"{2 * card.multiply_adds * card.digits_per_second['64'] / 1e9 / card.peak_gflops:.0%}"


def _runs_table(families: Families, winner: Scorecard) -> str:
    head = ("run", "epochs", "validation", "log-loss", "test", "log-loss", DRAWN_PAGES, MARKS)
    rows = [
        (
            f"**{card.recipe.name}**" if card is winner else card.recipe.name,
            str(card.recipe.epochs),
            f"{card.validation.accuracy:.2%}",
            f"{card.validation.log_loss:.4f}",
            f"{card.test.accuracy:.2%}" if card.test else "",
            f"{card.test.log_loss:.4f}" if card.test else "",
            _spread([tally.accuracy for tally in _tallies([card.trials], DRAWN_PAGES)], ".2%"),
            _spread([1 - tally.as_digit / tally.glyphs for tally in _tallies([card.trials], MARKS)], ".1%"),
        )
        for cards in families.values()
        for card in cards
    ]
    return _table(head, rows)


def _kinds_table(winner: Scorecard) -> str:
    """Show every trial of the winner, calibrated, by what was written, its pages taken together."""
    rows = []
    trials = winner.calibrated.trials if winner.calibrated else winner.trials
    for trial, kinds in trials.items():
        shown = kinds if trial in (DRAWN_PAGES, MARKS) else {"": tally_of(trials, trial)}
        for kind, tally in shown.items():
            if tally is not None:
                low, high = tally.interval
                rows.append(
                    (
                        trial,
                        kind,
                        f"{tally.glyphs:,}",
                        f"{tally.accuracy:.2%} ({100 * low:.2f} to {100 * high:.2f})",
                        "" if trial == MARKS else f"{tally.right_of_digits / tally.glyphs:.2%}",
                        f"{tally.as_digit / tally.glyphs:.2%}",
                    )
                )
    return _table(("trial", "kind", "glyphs", "read right", "right among digits", "read as a digit"), rows)


def _refusals(winner: Scorecard) -> str:
    """Show what passes for a digit, a column for each set of digits that the threshold was taken from."""
    if not winner.refusals:
        return ""
    head = ["what is no digit"]
    rows = [[kind] for kind in winner.refusals[0].kinds] + [["**all but lookalikes**"]]
    for refusal in winner.refusals:
        head.append(f"accepted at {refusal.threshold:.3f} ({refusal.digits})")
        for row, passed in zip(rows, [*refusal.kinds.values(), refusal.passed], strict=True):
            row.append(f"{passed.accepted} of {passed.glyphs:,} ({passed.accepted / passed.glyphs:.1%})")
    explained = (
        "What is accepted as a digit, by calibrated confidence, where so much of it is asked for that one in "
        "a hundred true digits is refused: of those on drawn pages, and of those in drawn cells, which are "
        "treated worse, as the marks themselves are (all synthetic)."
    )
    return f"\n{_table(head, rows)}\n\n{textwrap.fill(explained, 108)}\n"


def _ablation_table(ablation: Sequence[Scorecard]) -> str:
    order = list(INGREDIENTS)
    head = ("shown", "MNIST validation", f"{DRAWN_PAGES}, uncleaned", *DIGIT_TRIALS, MARKS)
    rows = [
        (
            INGREDIENTS[card.recipe.family],
            f"{card.validation.accuracy:.2%}",
            _spread(
                [
                    tally.uncleaned_right / tally.glyphs
                    for tally in _tallies([card.trials], DRAWN_PAGES)
                    if tally.uncleaned_right is not None
                ],
                ".2%",
            ),
            *_trial_columns([card.trials]),
        )
        for card in sorted(ablation, key=lambda card: order.index(card.recipe.family))
    ]
    return _table(head, rows)


def _tallies(trials: Sequence[Trials], trial: str) -> list[Tally]:
    return [tally for each in trials if (tally := tally_of(each, trial))]


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    mean = format(statistics.mean(values), form)
    if len(values) == 1:
        return mean
    return f"{mean} ({format(min(values), form).rstrip('%')} to {format(max(values), form).rstrip('%')})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
