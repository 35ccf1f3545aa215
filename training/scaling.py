"""Logistic regression on the logarithms of a network's probabilities, by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.model_card import LEAST_PROBABILITY

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

TEMPERATURE, VECTOR, BENT = "temperature scaling", "vector scaling", "vector scaling with a bend"
PRIOR_CELLS = 1.0  # weight of the belief that nothing needs mending, against cells that say otherwise
MOST_STEPS = 50  # of Newton's method; ten are usual
SMALLEST_GAIN = 1e-9  # of the mean log-loss, for which another step is worth it


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """Turns log-probabilities z into probabilities: softmax(scale z + bend z² + bias).

    Label smoothing squeezes great odds together; a bend draws them apart again. It is never positive, so
    that what was more probable stays so within its class.
    """

    scale: Floats  # (classes,)
    bias: Floats  # (classes,)
    bend: float = 0.0

    def __call__(self, scores: Floats) -> Floats:
        return softmax(self.scale * scores + self.bend * scores**2 + self.bias)


def fit_scaling(scores: Floats, labels: Labels, method: str) -> Scaling:
    """Fit scores (n, classes) to labels (n,), of which -1 don't count. The loss is convex in all numbers."""
    scores, labels = scores[labels >= 0], labels[labels >= 0]
    terms = np.stack([scores, np.ones_like(scores), scores**2])
    classes = scores.shape[1]
    identity = np.repeat([1.0, 0.0, 0.0], classes)
    free = _free_numbers(classes, method)
    numbers, (loss, probabilities) = identity, _penalised_loss(terms, labels, identity, identity)
    for _ in range(MOST_STEPS):
        gradient, curvature = _derivatives(terms, probabilities, labels)
        gradient += PRIOR_CELLS * (numbers - identity)
        curvature += PRIOR_CELLS * np.eye(len(numbers))
        step = free @ np.linalg.solve(free.T @ curvature @ free, free.T @ gradient)
        while (found := _penalised_loss(terms, labels, numbers - step, identity))[0] > loss:
            step /= 2  # far from the minimum a whole step may lead away
        gained, numbers, (loss, probabilities) = loss - found[0], numbers - step, found
        if gained <= SMALLEST_GAIN * len(labels):
            break
    scale, bias, (bend, *_) = np.split(numbers, 3)
    return Scaling(scale, bias, float(bend)) if bend <= 0 else fit_scaling(scores, labels, VECTOR)


def log_scores(probabilities: npt.NDArray[np.float32]) -> Floats:
    return np.log(np.maximum(probabilities.astype(np.float64), LEAST_PROBABILITY))


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_loss(probabilities: Floats, labels: Labels) -> float:
    """Return the mean of what the truth costs; glyphs of label -1 don't count."""
    known = labels >= 0
    of_truth = np.maximum(probabilities[known, labels[known]], np.finfo(np.float64).tiny)
    return float(-np.log(of_truth).mean())


def _free_numbers(classes: int, method: str) -> Floats:
    """Return what may change as columns: scales, then biases, then bends, one of each a class or for all."""
    each, all_, none = np.eye(classes), np.ones((classes, 1)), np.zeros((classes, classes))
    match method:
        case "temperature scaling":
            columns = [[all_, none[:, :1], none[:, :1]]]
        case "vector scaling":
            columns = [[each, none, none], [none, each, none]]
        case _:
            columns = [[each, none, none], [none, each, none], [none[:, :1], none[:, :1], all_]]
    return np.hstack([np.vstack(column) for column in columns])


def _penalised_loss(terms: Floats, labels: Labels, numbers: Floats, identity: Floats) -> tuple[float, Floats]:
    """Return the summed log-loss with the prior's penalty, and the probabilities that it comes from."""
    factors = numbers.reshape(len(terms), 1, -1)
    probabilities = softmax((terms * factors).sum(axis=0))
    penalty = PRIOR_CELLS / 2 * float(np.square(numbers - identity).sum())
    return log_loss(probabilities, labels) * len(labels) + penalty, probabilities


def _derivatives(terms: Floats, probabilities: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """Return gradient and Hessian of the summed log-loss by all numbers, term by term and class by class."""
    count, classes = len(terms), probabilities.shape[1]
    surprise = probabilities.copy()
    surprise[np.arange(len(labels)), labels] -= 1
    gradient = (surprise * terms).sum(axis=1).ravel()
    weighted = np.hstack(list(probabilities * terms))
    curvature = (-weighted.T @ weighted).reshape(count, classes, count, classes)
    own = np.arange(classes)
    for first in range(count):
        for second in range(count):
            products = (probabilities * terms[first] * terms[second]).sum(axis=0)
            curvature[first, own, second, own] += products
    return gradient, curvature.reshape(count * classes, count * classes)
