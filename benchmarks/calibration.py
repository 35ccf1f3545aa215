"""Ways to calibrate a model, fitted on drawn pages and compared on others: the numbers of ADR 9.

`python -m benchmarks.calibration` takes the shipped model; drawing the pages takes some minutes, once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.calibrate import METHODS, labels_of_glyphs
from training.calibration_pages import FIRST_SEED, PAGES, CutPages, calibration_pages
from training.dataset import load_dataset
from training.scaling import Floats, Labels, Scaling, fit_scaling, log_loss, log_scores
from training.score import classify, open_session
from worker.recogniser import SHIPPED_MODEL, Recogniser
from worker.reliability import LEAST_IN_BIN, expected_calibration_error, reliability
from worker.reliability import log_loss as log_loss_of_right

REPOSITORY = Path(__file__).resolve().parent.parent
OTHER_PAGES, OTHER_SEED = 1_000, FIRST_SEED + 2_000_000
HISTOGRAM_BINS = 15

Flags = npt.NDArray[np.bool_]
Mend = Callable[[Floats], Floats]
"""Confidences of the most probable class to such as fit how often it is right."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a model says of the glyphs of some pages, and what is true."""

    scores: Floats
    labels: Labels

    @classmethod
    def of(cls, model: bytes, classes: tuple[str, ...], pages: CutPages) -> Said:
        labels = labels_of_glyphs(pages, classes)
        scores = log_scores(classify(open_session(model), pages.glyphs))
        return cls(scores[labels >= 0], labels[labels >= 0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data" / "mnist",
                        help="MNIST (default: %(default)s)")  # fmt: skip
    parser.add_argument("--cache", type=Path, default=REPOSITORY / "out" / "cache", help="of drawn pages")
    parser.add_argument("--model", type=Path, default=REPOSITORY / "worker" / SHIPPED_MODEL,
                        help="ONNX file (default: the one that ships)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=OTHER_SEED,
                        help="of the pages compared on (default: %(default)s, those of ADR 9)")  # fmt: skip
    chosen = parser.parse_args()
    classes, model = Recogniser.load(chosen.model).card.classes, chosen.model.read_bytes()
    digits = load_dataset(chosen.data).validation
    fitted, others = (
        Said.of(model, classes, calibration_pages(digits, chosen.cache, pages=pages, first_seed=seed))
        for pages, seed in ((PAGES, FIRST_SEED), (OTHER_PAGES, chosen.seed))
    )
    print(f"Fitted on {len(fitted.labels):,} cells, compared on {len(others.labels):,} of other pages.")
    for line in compare(fitted, others):
        print(line)


def compare(fitted: Said, others: Said) -> Iterator[str]:
    """Yield a Markdown table, a row a way to calibrate."""
    yield "| | log-loss | of right or wrong | ECE | largest gap of a bin | right |"
    yield "| --- | --- | --- | --- | --- | --- |"
    same = np.ones(fitted.scores.shape[1])
    ways = {"as trained": Scaling(same, 0 * same)}
    ways |= {method: fit_scaling(fitted.scores, fitted.labels, method) for method in METHODS}
    for name, scaling in ways.items():
        before, after = scaling(fitted.scores), scaling(others.scores)
        is_right = after.argmax(axis=1) == others.labels
        yield _row(name, after.max(axis=1), is_right, log_loss(after, others.labels))
        right = before.argmax(axis=1) == fitted.labels
        for way, fit in (("isotonic", isotonic), ("histogram", histogram), ("beta", beta)):
            mended = fit(before.max(axis=1), right)(after.max(axis=1))
            yield _row(f"{name}, then {way} on the label", mended, is_right)


def isotonic(confidences: Floats, right: Flags) -> Mend:
    """Pool adjacent violators (Zadrozny and Elkan 2002), straight lines in between."""
    order = np.argsort(confidences)
    means: list[float] = []
    sizes: list[int] = []
    for each in right[order].tolist():
        means.append(float(each))
        sizes.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            size, mean = sizes.pop(), means.pop()
            means[-1] = (means[-1] * sizes[-1] + mean * size) / (sizes[-1] + size)
            sizes[-1] += size
    return lambda given: np.interp(given, confidences[order], np.repeat(means, sizes))


def histogram(confidences: Floats, right: Flags) -> Mend:
    """As many in each bin (Zadrozny and Elkan 2001)."""
    edges = np.quantile(confidences, np.linspace(0, 1, HISTOGRAM_BINS + 1)[1:-1])
    bins = np.searchsorted(edges, confidences, side="right")
    sizes = np.bincount(bins, minlength=HISTOGRAM_BINS)
    shares = np.bincount(bins, right, minlength=HISTOGRAM_BINS) / np.maximum(sizes, 1)
    return lambda given: shares[np.searchsorted(edges, given, side="right")]


def beta(confidences: Floats, right: Flags) -> Mend:
    """A logistic regression on log p and log (1 - p) (Kull 2017), by Newton's method."""

    def terms(given: Floats) -> Floats:
        given = given.clip(1e-9, 1 - 1e-9)
        return np.stack([np.log(given), -np.log1p(-given), np.ones_like(given)], axis=1)

    def sigmoid(given: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-given.clip(-500, 500))))

    weights, inputs = np.array([1.0, 1.0, 0.0]), terms(confidences)
    for _ in range(30):
        said = sigmoid(inputs @ weights)
        curvature = (inputs * (said * (1 - said))[:, None]).T @ inputs + 1e-6 * np.eye(3)
        weights = weights - np.linalg.solve(curvature, inputs.T @ (said - right))
    return lambda given: sigmoid(terms(given) @ weights)


def _row(name: str, confidences: Floats, right: Flags, loss: float | None = None) -> str:
    outcomes = list(zip(confidences.tolist(), right.tolist(), strict=True))
    bins = reliability(outcomes)
    gap = max(each.gap for each in bins if each.count >= LEAST_IN_BIN)
    return (
        f"| {name} | {'' if loss is None else f'{loss:.4f}'} | {log_loss_of_right(outcomes):.4f} "
        f"| {expected_calibration_error(bins):.2%} | {gap:.2%} | {right.mean():.2%} |"
    )


if __name__ == "__main__":
    main()
