"""`digitmill-train fit` on a user's own digits: says what it read and found; replaces, or does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.cli.talk import progress, talk
from training.dataset import KERAS_CACHE, Dataset, load_dataset
from training.errors import GateMissed
from training.gate import Paired, objections, put_in_place
from training.model_card import CLASSES
from training.own_digits import OwnDigits, read_own_digits, skipped_lines

SHIPPED_MODEL = Path(__file__).parents[2] / "worker" / "models" / "digits.onnx"
"""The model file that ships, beside this package wherever it is installed; it is read as a file alone."""


@dataclass(frozen=True, slots=True)
class OwnFit:
    """What the command line asks for."""

    data: Path
    out: Path  # the run's folder
    replace: Path  # the model file to be better than; where there is none, that is the shipped one
    architecture: str | None  # to train from nothing; None starts from the shipped model
    seed: int
    epochs: int
    mnist: Path | None
    even_if_worse: bool


def fit_own(wish: OwnFit) -> None:
    """Train on own digits, and put the model in the old one's place if it is better, or if told to.

    Where the old one has learnt just this already, it stays. Raises GateMissed where the new one is not
    better, and what reading digits and models raises.
    """
    own = read_own_digits(wish.data)
    mnist = _mnist(wish.mnist)
    _say(_what_was_read(own, mnist))
    from training.retrain import from_nothing, from_shipped, retrain

    if wish.architecture:
        plan = from_nothing(wish.architecture, wish.seed, wish.epochs)
    else:
        plan = from_shipped(wish.seed, wish.epochs)
    before = wish.replace if wish.replace.exists() else SHIPPED_MODEL
    with progress() as watch:
        retrained = retrain(own, plan, wish.out, before=before, mnist=mnist, watch=watch)
    if retrained is None:
        _say([f"{before} has learnt these images already, in just this way; it stays as it is"])
        return
    _say(_how_they_compare([retrained.own, *retrained.old], before))
    against = objections(retrained.own, retrained.old)
    if against and not wish.even_if_worse:
        raise GateMissed(
            f"the new model is not shown to be better: {'; '.join(against)}. {before} stays as it is, and "
            f"the new one is {retrained.model}; --even-if-worse puts it into {wish.replace} all the same"
        )
    kept = put_in_place(retrained.model.read_bytes(), wish.replace)
    _say([f"{wish.replace} is the new model" + (f"; the one before is kept as {kept}" if kept else "")])
    _say([f"To read with it: DIGITMILL_MODEL={wish.replace}"])


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        talk.print(line, soft_wrap=True, highlight=False, markup=False)


def _mnist(path: Path | None) -> Dataset | None:
    """Return MNIST as named, or as Keras keeps it if it does; nothing is downloaded for a rehearsal."""
    return load_dataset(path) if path or KERAS_CACHE.expanduser().exists() else None


def _what_was_read(own: OwnDigits, mnist: Dataset | None) -> Iterator[str]:
    counts = Counter([*own.training.labels.tolist(), *own.test.labels.tolist()])
    yield (
        f"{sum(counts.values()):,} images: "
        + ", ".join(f"{CLASSES[label]}: {count:,}" for label, count in sorted(counts.items()))
        + f"; {len(own.test):,} of them are set aside to test with, now and whenever they come again"
    )
    if own.repeated:
        yield f"{own.repeated:,} images that show the same as another one are left out"
    if own.skipped:
        yield f"{len(own.skipped):,} files are left out:\n{skipped_lines(own.skipped)}"
    if mnist is None:
        yield "MNIST is not there (--mnist): what is known already is rehearsed on drawn digits alone"


def _how_they_compare(pairs: Iterable[Paired], before: Path) -> Iterator[str]:
    yield f"read right, by {before} and by the new model:"
    for pair in pairs:
        yield (
            f"  {pair.name}: {pair.before:,} and {pair.after:,} of {pair.images:,} "
            f"({pair.mended:,} mended, {pair.broken:,} broken)"
        )
