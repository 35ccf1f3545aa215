"""Keras to ONNX: the file that ships. Refused unless both read a thousand glyphs alike."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from math import prod
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from training.dataset import Glyphs
from training.errors import ExportRefused
from training.files import replace_file
from training.model_card import GLYPH_SIDE, INPUT_NAME, OPSET, OUTPUT_NAME, ModelCard
from training.score import classify, open_session

PARITY_GLYPHS = 1_000
PARITY_TOLERANCE = 1e-4  # 6e-7 is usual; MobileNet's many layers reach 1e-5


def convert(model: keras.Model, glyphs: Glyphs) -> onnx.ModelProto:
    """Return the model as an ONNX graph, uint8 glyphs in, probabilities out, any number at a time.

    Raises ExportRefused where ONNX has no words for the model, and unless the graph and the model agree on
    the first thousand of `glyphs`.
    """
    signature = tf.TensorSpec((None, GLYPH_SIDE, GLYPH_SIDE), tf.uint8, name=INPUT_NAME)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def read(glyphs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT_NAME: model(glyphs, training=False)}

    graph, _ = tf2onnx.convert.from_function(read, input_signature=[signature], opset=OPSET)
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"  # tf2onnx calls it unk__123
    try:
        onnx.checker.check_model(graph)
    except onnx.checker.ValidationError as error:  # tf2onnx leaves what it cannot convert in the graph
        raise ExportRefused(f"the model cannot be said in ONNX, nothing was saved: {error}") from error
    refuse_unless_alike(model, graph, glyphs[:PARITY_GLYPHS])
    return graph


def refuse_unless_alike(model: keras.Model, graph: onnx.ModelProto, glyphs: Glyphs) -> None:
    """Raise ExportRefused where the graph reads another digit or a probability that is too far off."""
    expected = np.asarray(model.predict_on_batch(glyphs))
    exported = classify(open_session(graph.SerializeToString()), glyphs)
    other = int((expected.argmax(axis=1) != exported.argmax(axis=1)).sum())
    difference = float(np.abs(expected - exported).max())
    if other or not difference <= PARITY_TOLERANCE:
        raise ExportRefused(
            f"the exported graph reads {other} of {len(glyphs):,} glyphs as another digit and moves a "
            f"probability by {difference:.1e} (allowed {PARITY_TOLERANCE:.0e}); nothing was saved"
        )


def save(graph: onnx.ModelProto, card: ModelCard, path: Path) -> None:
    """Write a model file with its card; whoever opens `path` meanwhile finds the old file or the new one."""
    onnx.helper.set_model_props(graph, card.to_metadata())
    replace_file(path, graph.SerializeToString())


def multiply_adds(graph: onnx.ModelProto) -> int:
    """Return how many multiply-adds reading one glyph takes, in convolutions and matrix products."""
    inferred = onnx.shape_inference.infer_shapes(graph).graph
    sides = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim[2:]]
        for value in (*inferred.value_info, *inferred.output)
    }
    weights = {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    return sum(
        prod(weights[node.input[1]]) * prod(sides[node.output[0]])
        for node in inferred.node
        if node.op_type in ("Conv", "MatMul", "Gemm")
    )


def versions() -> Mapping[str, str]:
    """Return what a model's making depends on, as installed."""
    return {
        name: version(name) for name in ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")
    }
