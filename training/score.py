"""How well and how fast an exported model reads. Works on the ONNX file, so it measures what ships."""

from __future__ import annotations

import statistics
import time

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from training.dataset import Glyphs, LabelledGlyphs
from training.model_card import INPUT_NAME, OUTPUT_NAME
from training.scorecard import Score

BATCH_SIZES = (1, 64, 256)
CLASSIFY_BATCH = 64  # the quickest per digit on one thread
ROUNDS = 5
ROUND_SECONDS = 0.4


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


def score(probabilities: npt.NDArray[np.float32], digits: LabelledGlyphs) -> Score:
    """Compare what was read with what is true."""
    classes = probabilities.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (digits.labels, probabilities.argmax(axis=1)), 1)
    of_truth = probabilities[np.arange(len(digits)), digits.labels]
    log_loss = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean()
    return Score(tuple(map(tuple, confusion.tolist())), float(log_loss))


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
