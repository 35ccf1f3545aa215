"""A network's probabilities made such as are right as often as they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.model_card import LEAST_PROBABILITY, Calibration


def calibrated(probabilities: npt.NDArray[np.float32], calibration: Calibration) -> npt.NDArray[np.float32]:
    """Return probabilities (n, classes) after the calibration of the model that gave them."""
    logs = np.log(np.maximum(probabilities, np.float32(LEAST_PROBABILITY)))
    scores = logs * np.asarray(calibration.scale, np.float32)
    scores += np.float32(calibration.bend) * np.square(logs)
    scores += np.asarray(calibration.bias, np.float32)
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
