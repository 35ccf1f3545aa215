"""A network in whole numbers of 8 bits: twice as fast on a processor, and a quarter as large.

Kept only where it reads as well; else the network ships as it was learnt.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from training.dataset import Glyphs, LabelledGlyphs
from training.errors import ExportRefused
from training.model_card import INPUT_NAME
from training.scaling import TEMPERATURE, fit_scaling, log_loss, log_scores
from training.score import CLASSIFY_BATCH, classify, open_session

CALIBRATION_GLYPHS = 1_024  # of a part, to see how large features become; twice as many change no figure
MOST_CHANGED = 2e-4  # share of glyphs read otherwise than before: 2 of MNIST's 10,000 to validate with
MOST_LOG_LOSS, LOG_LOSS_NOISE = 1.02, 1e-4  # times what it was, and what is too small to matter
METHODS = (CalibrationMethod.MinMax, CalibrationMethod.Percentile, CalibrationMethod.Entropy)
WEIGHTS = (QuantType.QInt8, QuantType.QUInt8)
"""The types of the weights that are tried one after the other.

A processor without VNNI adds products of features and signed weights in pairs, in 16 bits: with weights of 8
bits they overflow, and of MNIST's 10,000 digits to validate with 40 are read otherwise than where there is
VNNI. Weights of 7 bits leave room, so that all machines read alike. Unsigned ones are computed without pairs,
which is slower.
"""
WEIGHING = ("Conv", "MatMul", "Gemm")  # the layers that cost time
PASSING = ("Relu", "MaxPool", "Add")  # between them; a softmax in 8 bits would know no 0.999


def quantise(graph: onnx.ModelProto, seen: Glyphs, validation: LabelledGlyphs) -> onnx.ModelProto:
    """Return the graph with weights and features in 8 bits, all but the layer that makes probabilities.

    Static, a scale for each filter (Jacob 2018). How large features become is measured on `seen`, glyphs as
    they were trained on: in one way and on one part of them after the other, until the outcome reads as well.
    Reads alike on processors with and without instructions for 8 bits. Raises ExportRefused where
    `validation` is read otherwise or with less certainty, whatever the way.
    """
    refusal = ExportRefused(f"{len(seen)} glyphs are too few to see how large features become")
    parts = [seen[start : start + CALIBRATION_GLYPHS] for start in range(0, len(seen), CALIBRATION_GLYPHS)]
    parts = [part for part in parts if len(part) >= CLASSIFY_BATCH]
    for weights, part, method in product(WEIGHTS, parts, METHODS):
        quantised = _quantised(graph, part, method, weights)
        try:
            refuse_unless_as_good(graph, quantised, validation)
        except ExportRefused as refused:
            refusal = refused
        else:
            return quantised
    raise refusal


def in_small_numbers(
    learnt: onnx.ModelProto, seen: Glyphs, validation: LabelledGlyphs
) -> tuple[onnx.ModelProto, str]:
    """Return the graph in 8 bits and "", or where that reads worse the graph as it was learnt, and why."""
    try:
        return quantise(learnt, seen, validation), ""
    except ExportRefused as refused:
        return learnt, str(refused)


def _quantised(
    graph: onnx.ModelProto, seen: Glyphs, method: CalibrationMethod, weights: QuantType
) -> onnx.ModelProto:
    last = [node.name for node in graph.graph.node if node.op_type in WEIGHING][-1]
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)  # it advises to do what is done here
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            small = Path(folder) / "small.onnx"
            quantize_static(
                onnx.shape_inference.infer_shapes(graph),
                small,
                _Seen(seen),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=weights,
                reduce_range=weights is QuantType.QInt8,
                op_types_to_quantize=[*WEIGHING, *PASSING],
                nodes_to_exclude=[last],
                calibrate_method=method,
            )
            return onnx.load(small)
    finally:
        log.setLevel(level)


def refuse_unless_as_good(before: onnx.ModelProto, after: onnx.ModelProto, digits: LabelledGlyphs) -> None:
    """Raise ExportRefused where more than a few digits are read otherwise, or the log-loss rises.

    The log-loss is that after calibration: how far probabilities are from nought and one is mended there.
    """
    old, new = (classify(open_session(graph.SerializeToString()), digits.glyphs) for graph in (before, after))
    changed = int((old.argmax(axis=1) != new.argmax(axis=1)).sum())
    losses = [calibrated_log_loss(probabilities, digits) for probabilities in (old, new)]
    if changed > MOST_CHANGED * len(digits) or losses[1] > MOST_LOG_LOSS * losses[0] + LOG_LOSS_NOISE:
        raise ExportRefused(
            f"in 8 bits {changed} of {len(digits):,} glyphs are read otherwise and the log-loss goes from "
            f"{losses[0]:.4f} to {losses[1]:.4f}; the network stays in float32"
        )


def calibrated_log_loss(probabilities: npt.NDArray[np.float32], digits: LabelledGlyphs) -> float:
    """Return the log-loss at the temperature that makes it least (Guo 2017)."""
    scores, labels = log_scores(probabilities), digits.labels.astype(np.intp)
    return log_loss(fit_scaling(scores, labels, TEMPERATURE)(scores), labels)


class _Seen(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Glyphs in batches, as onnxruntime asks for them."""

    def __init__(self, glyphs: Glyphs) -> None:
        whole = len(glyphs) // CLASSIFY_BATCH * CLASSIFY_BATCH  # histograms want batches of one size
        self._batches = iter(glyphs[:whole].reshape(-1, CLASSIFY_BATCH, *glyphs.shape[1:]))

    def get_next(self) -> Mapping[str, npt.NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT_NAME: batch}
