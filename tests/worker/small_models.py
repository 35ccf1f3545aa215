"""Tiny ONNX files for tests of what reads them: one matrix from 784 pixels to the classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from segmentation.glyph import GLYPH_RECIPE
from training.model_card import ModelCard

CARD = ModelCard(
    architecture="one matrix",
    glyph_recipe=GLYPH_RECIPE,
    classes=tuple("0123456789"),
    sources={"made": "in a test"},
    split="none",
    validation_accuracy=0.1,
    test_accuracy=None,
    calibration=None,
    seed=0,
    opset=18,
    trained_on="2026-01-01",
    commit="unknown",
)


def small_model(
    card: ModelCard | None = CARD,
    *,
    columns: int | None = None,
    side: int = 28,
    batch: str | int = "batch",
    input_type: int = TensorProto.UINT8,
    output_name: str = "probabilities",
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Return a valid ONNX file that keeps the contract but for what is asked otherwise."""
    columns = columns or (len(card.classes) if card else 10)
    weights = np.random.default_rng(0).normal(0, 0.01, (side * side, columns)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["glyphs"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["pixels"], ["row"]),
            helper.make_node("MatMul", ["row", "weights"], ["scores"]),
            helper.make_node("Softmax", ["scores"], [output_name]),
        ],
        "small",
        [helper.make_tensor_value_info("glyphs", input_type, [batch, side, side])],
        [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [batch, columns])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    entries = metadata if metadata is not None else card.to_metadata() if card else {}
    helper.set_model_props(model, dict(entries))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
