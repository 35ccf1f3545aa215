from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest

from tests.training.made_digits import made_digits
from tests.worker.small_models import CARD
from training import export
from training.architectures import build
from training.errors import ExportRefused
from training.model_card import DIGITS, ModelCard
from training.score import classify, open_session

GLYPHS = made_digits(1_000).glyphs


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build("dropout")


@pytest.fixture(scope="module")
def graph(model: keras.Model) -> onnx.ModelProto:
    return export.convert(model, GLYPHS)


def copy_of(graph: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.load_model_from_string(graph.SerializeToString())


def with_last_layer_times(factor: float, graph: onnx.ModelProto) -> onnx.ModelProto:
    other = copy_of(graph)
    last = next(weights for weights in other.graph.initializer if list(weights.dims) == [128, len(DIGITS)])
    changed = onnx.numpy_helper.to_array(last) * np.float32(factor)
    last.CopyFrom(onnx.numpy_helper.from_array(changed, last.name))
    return other


def test_the_file_reads_what_the_model_reads(model: keras.Model, graph: onnx.ModelProto) -> None:
    probabilities = classify(open_session(graph.SerializeToString()), GLYPHS)

    np.testing.assert_allclose(probabilities, model.predict_on_batch(GLYPHS), atol=1e-5)


def test_ends_are_named_typed_and_open_to_any_number_of_glyphs(graph: onnx.ModelProto) -> None:
    session = open_session(graph.SerializeToString())

    (glyphs,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (glyphs.name, glyphs.type, glyphs.shape) == ("glyphs", "tensor(uint8)", ["batch", 28, 28])
    assert (probabilities.name, probabilities.type, probabilities.shape) == (
        "probabilities",
        "tensor(float)",
        ["batch", len(DIGITS)],
    )
    assert [opset.version for opset in graph.opset_import if opset.domain == ""] == [18]
    assert len(classify(session, GLYPHS[:3])) == 3


def test_a_graph_that_reads_another_digit_is_refused(model: keras.Model, graph: onnx.ModelProto) -> None:
    broken = with_last_layer_times(-1, graph)

    with pytest.raises(ExportRefused, match="of 1,000 glyphs as another digit"):
        export.refuse_unless_alike(model, broken, GLYPHS)


def test_a_graph_that_is_less_sure_is_refused_though_it_reads_the_same(
    model: keras.Model, graph: onnx.ModelProto
) -> None:
    broken = with_last_layer_times(0.5, graph)

    with pytest.raises(
        ExportRefused, match="reads 0 of 1,000 glyphs as another digit and moves a probability"
    ):
        export.refuse_unless_alike(model, broken, GLYPHS)


def test_what_cannot_be_exported_faithfully_is_not_exported() -> None:
    class Restless(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
        def call(self, features: keras.KerasTensor) -> keras.KerasTensor:
            return features + keras.random.uniform(keras.ops.shape(features))

    glyphs = keras.Input((28, 28), dtype="uint8")
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(glyphs))
    read = keras.layers.Dense(len(DIGITS), activation="softmax")(Restless()(features))
    restless = keras.Model(glyphs, read)

    with pytest.raises(ExportRefused, match="nothing was saved"):
        export.convert(restless, GLYPHS)


def test_the_card_travels_in_the_file(graph: onnx.ModelProto, tmp_path: Path) -> None:
    export.save(copy_of(graph), CARD, tmp_path / "model.onnx")

    session = open_session((tmp_path / "model.onnx").read_bytes())
    assert ModelCard.from_metadata(session.get_modelmeta().custom_metadata_map) == CARD
