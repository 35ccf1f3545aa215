"""How well and how fast an exported model reads. Works on the ONNX file, so it measures what ships."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from training.dataset import Glyphs, LabelledGlyphs
from training.errors import ModelUnreadable
from training.model_card import CLASSES, GLYPH_SIDE, INPUT_NAME, OUTPUT_NAME, CardUnreadable, ModelCard
from training.scorecard import Score

BATCH_SIZES = (1, 64, 256)
CLASSIFY_BATCH = 64  # the quickest per digit on one thread
ROUNDS = 5
ROUND_SECONDS = 0.4
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MATRIX_PRODUCTS = """
import time, numpy
side, best = 1024, 0.0
left = right = numpy.ones((side, side), numpy.float32)
for _ in range(30):
    started = time.thread_time()
    left @ right
    best = max(best, 2 * side**3 / (time.thread_time() - started) / 1e9)
print(best)
"""


Read = Callable[[Glyphs], npt.NDArray[np.floating]]
"""Glyphs (n, 28, 28) uint8 to probabilities (n, classes)."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenModel:
    """A model file that reads glyphs."""

    content: bytes
    session: ort.InferenceSession
    card: ModelCard


def open_model(path: Path) -> OpenModel:
    """Open a model file and have it read a blank glyph. Raises ModelUnreadable, and OSError."""
    content = path.read_bytes()
    try:
        session = open_session(content)
        card = ModelCard.from_metadata(session.get_modelmeta().custom_metadata_map)
        read = classify(session, np.zeros((1, GLYPH_SIDE, GLYPH_SIDE), np.uint8))
    except CardUnreadable as error:
        raise ModelUnreadable(f"{path} cannot be used: {error}") from error
    except Exception as error:  # onnxruntime's errors have no common base
        raise ModelUnreadable(
            f"{path} is no model that reads digits; digitmill model check says why"
        ) from error
    if read.shape != (1, len(card.classes)) or not set(card.classes) <= set(CLASSES):
        known = ", ".join(CLASSES)
        raise ModelUnreadable(f"{path} does not give what its card says, one column each for some of {known}")
    return OpenModel(content, session, card)


def open_session(content: bytes) -> ort.InferenceSession:
    """Open the bytes of an ONNX file as the worker does: on one thread that does not spin."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def classify(
    session: ort.InferenceSession, glyphs: Glyphs, batch: int = CLASSIFY_BATCH
) -> npt.NDArray[np.float32]:
    """Return the probabilities (n, classes) float32 of glyphs (n, 28, 28) uint8."""
    parts = [
        session.run([OUTPUT_NAME], {INPUT_NAME: glyphs[start : start + batch]})[0]
        for start in range(0, len(glyphs), batch)
    ]
    return np.concatenate(parts)


def score(probabilities: npt.NDArray[np.floating], digits: LabelledGlyphs) -> Score:
    """Compare what was read with what is true."""
    classes = probabilities.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (digits.labels, probabilities.argmax(axis=1)), 1)
    of_truth = probabilities[np.arange(len(digits)), digits.labels]
    log_loss = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean()
    return Score(tuple(map(tuple, confusion.tolist())), float(log_loss))


def matrix_product_peak() -> float:
    """Return the GFLOP/s of numpy's float32 matrix product on one thread, what a reader is compared with.

    In a process of its own, for a library of matrices fixes its number of threads when it is loaded.
    """
    environment = os.environ | dict.fromkeys(ONE_THREAD, "1")
    command = [sys.executable, "-c", MATRIX_PRODUCTS]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(answer.stdout)


def digits_per_second(session: ort.InferenceSession, glyphs: Glyphs, batch: int) -> float:
    """Return how many digits a second of one thread's own time reads: the median of five rounds.

    Time that other programs take from the thread does not count, so a busy machine chooses no other winner.
    """
    chosen = glyphs[:batch]
    classify(session, chosen, batch)  # the first call allocates
    rates = []
    for _ in range(ROUNDS):
        started, digits = time.thread_time(), 0
        while time.thread_time() - started < ROUND_SECONDS:
            classify(session, chosen, batch)
            digits += len(chosen)
        rates.append(digits / (time.thread_time() - started))
    return statistics.median(rates)
