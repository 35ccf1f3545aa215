from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.made_digits import made_dataset, made_digits
from training import arithmetic, provenance
from training import fit as fit_module
from training.architectures import FROZEN, architecture_names, build
from training.distortions import Distortion
from training.errors import RunMismatch, TrainingError, WeightsUnreadable
from training.fit import STATE, Fit, fit
from training.recipe import Recipe
from training.rounding import Conv2D
from training.runs import learn

# Dropout and distortion draw random numbers: what is interrupted must draw the same ones when it goes on.
RECIPE = Recipe(
    "dropout", seed=3, epochs=3, batch=50, distortion=Distortion(bend=1), undistorted_epochs=1, falling=True
)
DATASET = made_dataset()
FEW = made_dataset(200, 50)


@pytest.fixture(scope="module")
def narrow_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a narrow MobileNet without top, as Keras 3 saves them; random, but enough to be loaded."""
    path = tmp_path_factory.mktemp("mobilenet") / "narrow.weights.h5"
    keras.utils.set_random_seed(0)
    keras.applications.MobileNet((96, 96, 3), alpha=0.25, include_top=False, weights=None).save_weights(path)
    return path


def test_every_file_of_the_folder_is_an_architecture() -> None:
    assert architecture_names() == ("convolution", "deep", "dropout", "mobilenet", "residual")


@pytest.mark.parametrize(
    ("architecture", "classes"),
    [("convolution", 10), ("dropout", 10), ("mobilenet", 10), ("deep", 12), ("residual", 12)],
)
def test_a_network_takes_raw_glyphs_and_gives_probabilities(
    architecture: str, classes: int, narrow_weights: Path
) -> None:
    model = build(architecture, narrow_weights)

    probabilities = model.predict_on_batch(made_digits(7).glyphs)

    assert model.input.dtype == "uint8"
    assert probabilities.shape == (7, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TrainingError, match="'perceptron'; there are convolution, deep, dropout"):
        build("perceptron")


def test_the_networks_of_the_report_have_its_layers() -> None:
    kinds = [type(layer).__name__ for layer in build("dropout").layers]

    assert [kind for kind in kinds if kind not in ("InputLayer", "Rescaling", "Reshape")] == [
        *["Conv2D", "MaxPooling2D"] * 2,
        "Flatten",
        "Dropout",
        "Dense",
        "Dense",
    ]
    assert "Dropout" not in [type(layer).__name__ for layer in build("convolution").layers]
    assert (
        next(layer.rate for layer in build("dropout").layers if isinstance(layer, keras.layers.Dropout))
        == 0.5
    )


def test_a_few_hundred_digits_are_learnt_in_seconds(tmp_path: Path) -> None:
    trained = fit(Recipe("convolution", epochs=4, batch=32), DATASET, tmp_path / "run", cache=tmp_path)

    assert [epoch.seconds > 0 for epoch in trained.curve] == [True] * 4
    assert trained.curve[-1].validation_accuracy > 0.95
    assert trained.curve[-1].loss < trained.curve[0].loss


def test_an_interrupted_run_ends_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    def interrupt_in_the_second_epoch(what: str, step: int, _steps: int) -> None:
        if what.endswith("epoch 2/3") and step == 5:
            raise KeyboardInterrupt

    whole = fit(RECIPE, DATASET, tmp_path / "whole", cache=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(RECIPE, DATASET, tmp_path / "stopped", cache=tmp_path, watch=interrupt_in_the_second_epoch)
    shown: list[str] = []
    resumed = fit(
        RECIPE,
        DATASET,
        tmp_path / "stopped",
        cache=tmp_path,
        watch=lambda what, _step, _steps: shown.append(what),
    )

    assert set(shown) == {f"{RECIPE.name} epoch 2/3", f"{RECIPE.name} epoch 3/3"}
    for expected, weight in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)


def test_a_run_that_averages_ends_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    recipe = replace(RECIPE, architecture="residual", averaged=0.8)

    def stop_in_the_last_epoch(what: str, *_: int) -> None:
        if what.endswith("epoch 3/3"):
            raise KeyboardInterrupt

    whole = fit(recipe, FEW, tmp_path / "whole", cache=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, FEW, tmp_path / "run", cache=tmp_path, watch=stop_in_the_last_epoch)
    resumed = fit(recipe, FEW, tmp_path / "run", cache=tmp_path)

    for expected, weight in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-4)


def test_the_mean_of_the_weights_is_nearer_to_where_they_began(tmp_path: Path) -> None:
    def learnt(averaged: float) -> Fit:
        recipe = replace(RECIPE, architecture="convolution", averaged=averaged)
        return fit(recipe, FEW, tmp_path / str(averaged), cache=tmp_path)

    first, mean, last = learnt(0.9999), learnt(0.8), learnt(0.0)

    assert mean.curve[-1].loss == pytest.approx(last.curve[-1].loss)  # what is shown and learnt is the same

    def way(end: Fit) -> float:
        pairs = zip(end.model.get_weights(), first.model.get_weights(), strict=True)
        return float(np.sqrt(sum(((weight - began) ** 2).sum() for weight, began in pairs)))

    assert 0 < way(mean) < 0.95 * way(last)


def test_normalisations_measure_the_features_of_averaged_weights_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, architecture="residual", averaged=0.9)
    settled = fit(recipe, FEW, tmp_path / "run", cache=tmp_path).model
    monkeypatch.setattr(fit_module, "SETTLING_BATCHES", 0)
    unsettled = fit(recipe, FEW, tmp_path / "run", cache=tmp_path).model

    def apart(one: list[keras.Variable], other: list[keras.Variable]) -> float:
        return max(float(np.abs(a.numpy() - b.numpy()).max()) for a, b in zip(one, other, strict=True))

    assert apart(settled.trainable_weights, unsettled.trainable_weights) == 0
    assert apart(settled.non_trainable_weights, unsettled.non_trainable_weights) > 0.01


def test_bfloat16_is_taken_only_on_machines_that_are_quick_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = ["cpu:0"]
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: devices)
    monkeypatch.setattr(provenance, "CPUINFO", tmp_path / "cpuinfo")
    may, may_not = Recipe("deep", bfloat16=True), Recipe("deep")

    def numbers_on(flags: str) -> list[str]:
        (tmp_path / "cpuinfo").write_text(f"model name\t: Made Up\nflags\t\t: {flags}\nflags\t\t: none\n")
        return [arithmetic.numbers_for(recipe) for recipe in (may, may_not)]

    assert numbers_on("fpu avx2 avx512f") == ["float32", "float32"]
    assert numbers_on("fpu avx2 avx512_bf16") == ["bfloat16", "float32"]
    assert numbers_on("amx_bf16 fpu") == ["bfloat16", "float32"]
    (tmp_path / "cpuinfo").unlink()
    assert arithmetic.numbers_for(may) == "float32"
    for names in (["GPU:0"], ["gpu:0", "gpu:1"], ["cuda:0"]):  # as TensorFlow and JAX call them
        devices[:] = names
        assert arithmetic.numbers_for(may) == "bfloat16"


def test_a_machine_is_named_with_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "NVIDIA", tmp_path)
    assert "Made Up" not in provenance.machine()

    (tmp_path / "0000:00:05.0").mkdir()
    (tmp_path / "0000:00:05.0" / "information").write_text("Model: \t\t Made Up 200\nIRQ:   \t 11\n")

    assert provenance.machine().endswith(" cores, Made Up 200")


def test_what_was_learnt_in_bfloat16_is_returned_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "is_quick_at_bfloat16", lambda: True)
    before = keras.config.dtype_policy().name
    trained = fit(
        Recipe("deep", epochs=1, batch=100, bfloat16=True),
        made_dataset(200, 50),
        tmp_path / "run",
        cache=tmp_path,
    )

    assert trained.computed_in == "bfloat16"
    probabilities = trained.model.predict_on_batch(DATASET.validation.glyphs)
    assert {layer.compute_dtype for layer in trained.model.layers} <= {"float32", "uint8"}
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert keras.config.dtype_policy().name == before == "float32"


def test_a_falling_learning_rate_ends_near_nought(tmp_path: Path) -> None:
    trained = fit(
        Recipe("dropout", epochs=3, batch=50, falling=True), DATASET, tmp_path / "run", cache=tmp_path
    )

    assert float(trained.model.optimizer.learning_rate) < 1e-6


def test_a_run_may_learn_on_with_rounded_weights(tmp_path: Path) -> None:
    first = Recipe("residual", epochs=1, batch=100)
    on = Recipe("residual", epochs=1, batch=100, starts_from=first.name, rounded=True)

    def learnt(recipe: Recipe) -> Fit:
        return learn(
            recipe, DATASET, tmp_path, folder=tmp_path / recipe.name, weights=None, watch=lambda *_: None
        )

    before, after = learnt(first), learnt(on)

    assert on.name == "residual-continued-rounded-seed0"
    assert after.curve[0].loss < before.curve[0].loss
    assert [layer.rounds for layer in before.model.layers if isinstance(layer, Conv2D)] == [False] * 10
    assert [layer.rounds for layer in after.model.layers if isinstance(layer, Conv2D)] == [True] * 10


def test_a_run_whose_beginning_is_missing_says_so(tmp_path: Path) -> None:
    orphan = Recipe("dropout", starts_from="dropout-seed7")

    with pytest.raises(WeightsUnreadable, match="no run at its end; learn dropout-seed7 first"):
        learn(orphan, DATASET, tmp_path, folder=tmp_path / "on", weights=None, watch=lambda *_: None)


def test_a_finished_run_keeps_where_and_in_what_it_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe("dropout", epochs=1, batch=200, bfloat16=True)
    monkeypatch.setattr(fit_module, "machine", lambda: "the machine with a GPU")
    monkeypatch.setattr(arithmetic, "is_quick_at_bfloat16", lambda: True)
    fit(recipe, DATASET, tmp_path / "run", cache=tmp_path)
    monkeypatch.setattr(fit_module, "machine", lambda: "the one that exports")
    monkeypatch.setattr(arithmetic, "is_quick_at_bfloat16", lambda: False)

    again = fit(recipe, DATASET, tmp_path / "run", cache=tmp_path)

    assert again.learnt_on == "the machine with a GPU, Keras on tensorflow"
    assert again.computed_in == "bfloat16"


def test_weights_decay_and_biases_do_not(tmp_path: Path) -> None:
    def learnt(name: str, decay: float) -> keras.Model:
        recipe = Recipe("convolution", epochs=2, batch=100, weight_decay=decay)
        return fit(recipe, DATASET, tmp_path / name, cache=tmp_path).model

    free, held = learnt("free", 0.0), learnt("held", 20.0)

    assert np.abs(held.layers[-1].kernel).mean() < 0.9 * np.abs(free.layers[-1].kernel).mean()
    assert np.abs(held.layers[-1].bias).mean() > 0.5 * np.abs(free.layers[-1].bias).mean()


def test_a_folder_with_another_run_is_not_trained_over(tmp_path: Path) -> None:
    fit(Recipe("convolution", epochs=1, batch=200), DATASET, tmp_path, cache=tmp_path)

    with pytest.raises(RunMismatch, match="another recipe or other data"):
        fit(Recipe("convolution", seed=1, epochs=1, batch=200), DATASET, tmp_path, cache=tmp_path)


def test_a_folder_with_a_run_of_a_later_version_is_not_trained_over(tmp_path: Path) -> None:
    recipe = Recipe("convolution", epochs=1, batch=200)
    fit(recipe, DATASET, tmp_path, cache=tmp_path)
    state = json.loads((tmp_path / STATE).read_text())
    (tmp_path / STATE).write_text(json.dumps({**state, "recipe": {**state["recipe"], "unheard_of": 1}}))

    with pytest.raises(RunMismatch, match="a run of a later version"):
        fit(recipe, DATASET, tmp_path, cache=tmp_path)


def test_a_run_begun_with_adam_goes_on_with_adamw_as_if_nothing_had_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe("convolution", epochs=2, batch=100)

    def stop_in_the_second_epoch(what: str, *_: int) -> None:
        if what.endswith("epoch 2/2"):
            raise KeyboardInterrupt

    whole = fit(recipe, DATASET, tmp_path / "whole", cache=tmp_path)
    with monkeypatch.context() as version_0_1:
        version_0_1.setattr(keras.optimizers, "AdamW", lambda rate, _decay: AdamOfThen(rate))
        with pytest.raises(KeyboardInterrupt):
            fit(recipe, DATASET, tmp_path / "run", cache=tmp_path, watch=stop_in_the_second_epoch)
    resumed = fit(recipe, DATASET, tmp_path / "run", cache=tmp_path)

    assert len(resumed.curve) == 2
    for expected, weight in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)


class AdamOfThen(keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
    def exclude_from_weight_decay(self, **_names: object) -> None:
        """Adam decays nothing."""


def test_a_damaged_checkpoint_is_named_with_the_way_out(tmp_path: Path) -> None:
    recipe = Recipe("convolution", epochs=1, batch=200)
    fit(recipe, DATASET, tmp_path / "run", cache=tmp_path)
    (checkpoint,) = (tmp_path / "run").glob("epoch-*.weights.h5")
    checkpoint.write_bytes(checkpoint.read_bytes()[:1_000])

    with pytest.raises(
        WeightsUnreadable, match=r"epoch-01\.weights\.h5 does not hold .* remove .*run to begin"
    ):
        fit(recipe, DATASET, tmp_path / "run", cache=tmp_path)


def test_mobilenets_lower_layers_stay_and_are_computed_once(tmp_path: Path, narrow_weights: Path) -> None:
    few = made_dataset(60, 10)
    shown: list[str] = []

    def fit_seed(seed: int) -> keras.Model:
        recipe = Recipe("mobilenet", seed, epochs=1, batch=30)
        folder = tmp_path / recipe.name
        return fit(
            recipe,
            few,
            folder,
            cache=tmp_path,
            weights=narrow_weights,
            watch=lambda what, *_: shown.append(what),
        ).model

    first, second = fit_seed(0), fit_seed(1)

    assert shown.count("mobilenet frozen features") == 2  # training and validation, of the first seed
    fresh = build("mobilenet", narrow_weights)
    for before, after in zip(
        fresh.get_layer(FROZEN).get_weights(), first.get_layer(FROZEN).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)
    assert any(
        (one != other).any() for one, other in zip(first.get_weights(), second.get_weights(), strict=True)
    )


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_1_0_224_trunk_to_conv_dw_13.weights.h5",
        "mobilenet_7_5_224_tf_no_top.weights.h5",
        "mobilenet_2_5_224_tf_no_top.h5",
    ],
)
def test_public_weight_files_of_every_kind_are_loaded(shared_data: Path, name: str) -> None:
    one, other = (
        build("mobilenet", shared_data / "mobilenet" / name),
        build("mobilenet", shared_data / "mobilenet" / name),
    )

    loaded = zip(one.get_layer(FROZEN).get_weights(), other.get_layer(FROZEN).get_weights(), strict=True)
    assert all((first == second).all() for first, second in loaded)  # random weights would differ


def test_a_file_without_mobilenets_weights_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.weights.h5"
    build("convolution").save_weights(other)

    for path in (other, tmp_path / "gone.weights.h5"):
        with pytest.raises(WeightsUnreadable, match=f"{path.name} holds no weights of MobileNet"):
            build("mobilenet", path)


def test_frozen_features_cannot_be_distorted(tmp_path: Path, narrow_weights: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be distorted"):
        fit(
            Recipe("mobilenet", distortion=Distortion()),
            made_dataset(20, 10),
            tmp_path,
            cache=tmp_path,
            weights=narrow_weights,
        )
