"""Images such as a user brings along: digits of our own pens, of all sizes, in folders by label."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.forms import random_hand
from training.forms.pen import write

Grey = npt.NDArray[np.uint8]


def digit_image(digit: int, height: int = 60, seed: int = 0) -> Grey:
    """A digit, dark on light paper, in an image of about `height` px."""
    rng = np.random.default_rng((seed, digit))
    ink = write(digit, 0.7 * height, random_hand(rng), rng)
    edge = (height - ink.shape[0]) // 2 + 1
    ink = np.pad(ink, ((edge, edge), (edge + 4, edge + 4)))
    paper = rng.normal(235, 3, ink.shape)
    return np.asarray(np.clip(paper * (1 - ink / 255 * 0.9), 0, 255), np.uint8)


def write_folders(folder: Path, labels: Iterable[str], count: int, seed: int = 0) -> Path:
    """Write `count` images for each of these digits, each in another size and by another hand."""
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            image = digit_image(int(label), 30 + 7 * (number % 12), seed * 10_000 + number)
            cv2.imwrite(str(folder / label / f"{number}.png"), image)
    return folder
