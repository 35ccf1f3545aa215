from __future__ import annotations

import keras
import numpy as np
import onnx
import pytest

from tests.training.made_digits import made_dataset
from training import export
from training.architectures import build
from training.dataset import LabelledGlyphs
from training.errors import ExportRefused
from training.quantisation import calibrated_log_loss, in_small_numbers, quantise, refuse_unless_as_good
from training.score import classify, open_session

DATASET = made_dataset(1_000, 400)


@pytest.fixture(scope="module")
def learnt() -> onnx.ModelProto:
    keras.utils.set_random_seed(0)
    model = build("convolution")
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    for _ in range(4):
        for start in range(0, 1_000, 50):
            part = slice(start, start + 50)
            model.train_on_batch(DATASET.training.glyphs[part], DATASET.training.labels[part])
    return export.convert(model, DATASET.validation.glyphs)


def test_a_network_of_8_bits_is_a_quarter_as_large_and_reads_the_same(learnt: onnx.ModelProto) -> None:
    small = quantise(learnt, DATASET.training.glyphs, DATASET.validation)

    old, new = (
        classify(open_session(g.SerializeToString()), DATASET.validation.glyphs) for g in (learnt, small)
    )
    assert small.ByteSize() < 0.3 * learnt.ByteSize()
    assert (old.argmax(axis=1) == new.argmax(axis=1)).all()
    assert (old != new).any()


def test_no_two_products_together_overflow_the_16_bits_of_processors_without_vnni(
    learnt: onnx.ModelProto,
) -> None:
    graph = quantise(learnt, DATASET.training.glyphs, DATASET.validation).graph

    weights = [
        onnx.numpy_helper.to_array(tensor).astype(int)
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    ]
    assert len(weights) == 3
    assert 60 < max(np.abs(tensor).max() for tensor in weights) <= (2**15 - 1) // (2 * 255)


def test_what_reads_worse_in_8_bits_stays_as_it_was_learnt_and_says_why(learnt: onnx.ModelProto) -> None:
    faint = DATASET.training.glyphs // 32

    graph, why = in_small_numbers(learnt, faint, DATASET.validation)

    assert graph is learnt
    assert "the network stays in float32" in why
    assert in_small_numbers(learnt, DATASET.training.glyphs, DATASET.validation)[1] == ""


def test_probabilities_are_no_coarser_than_before(learnt: onnx.ModelProto) -> None:
    small = quantise(learnt, DATASET.training.glyphs, DATASET.validation)

    probabilities = classify(open_session(small.SerializeToString()), DATASET.validation.glyphs)
    assert len(np.unique(probabilities)) > 1_000  # 256, if the softmax had been quantised too


def test_the_ends_of_the_graph_stay_as_they_were(learnt: onnx.ModelProto) -> None:
    session = open_session(quantise(learnt, DATASET.training.glyphs, DATASET.validation).SerializeToString())

    (glyphs,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (glyphs.name, glyphs.type, glyphs.shape) == ("glyphs", "tensor(uint8)", ["batch", 28, 28])
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["batch", 10])
    assert len(classify(session, DATASET.validation.glyphs[:3])) == 3


def test_a_network_that_was_calibrated_on_the_wrong_glyphs_is_refused(learnt: onnx.ModelProto) -> None:
    faint = DATASET.training.glyphs // 32

    with pytest.raises(ExportRefused, match="the network stays in float32"):
        quantise(learnt, faint, DATASET.validation)


def test_where_one_part_of_the_glyphs_misleads_the_next_one_is_asked(learnt: onnx.ModelProto) -> None:
    glyphs = DATASET.training.glyphs[:512]

    small = quantise(learnt, np.concatenate([glyphs // 32, glyphs // 32, glyphs]), DATASET.validation)

    assert small.ByteSize() < 0.3 * learnt.ByteSize()


def test_too_few_glyphs_to_measure_features_on_are_refused(learnt: onnx.ModelProto) -> None:
    with pytest.raises(ExportRefused, match="63 glyphs are too few"):
        quantise(learnt, DATASET.training.glyphs[:63], DATASET.validation)


def test_a_network_that_reads_another_digit_is_refused(learnt: onnx.ModelProto) -> None:
    other = onnx.load_model_from_string(learnt.SerializeToString())
    last = next(weights for weights in other.graph.initializer if list(weights.dims) == [128, 10])
    last.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(last), last.name))

    with pytest.raises(ExportRefused, match="of 400 glyphs are read otherwise"):
        refuse_unless_as_good(learnt, other, DATASET.validation)


def test_a_calibrated_log_loss_does_not_ask_how_sure_a_network_claims_to_be() -> None:
    right = np.arange(2_000) % 20 != 0
    labels = np.where(right, 0, 1).astype(np.uint8)
    digits = LabelledGlyphs(np.zeros((2_000, 28, 28), np.uint8), labels)
    shy, bold = (np.tile(np.array([p, *[(1 - p) / 9] * 9], np.float32), (2_000, 1)) for p in (0.6, 0.999))

    assert calibrated_log_loss(shy, digits) == pytest.approx(calibrated_log_loss(bold, digits), rel=0.02)
