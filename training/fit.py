"""Recipe in, trained model out; goes on after an interruption from the last epoch it finished."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
import numpy.typing as npt

from training import architectures
from training.architectures import FROZEN, TRAINED
from training.arithmetic import computing_in, numbers_for
from training.dataset import Dataset, Glyphs
from training.distortions import distort
from training.errors import RunMismatch, TrainingError, WeightsUnreadable
from training.files import replace_file, whole_file
from training.kept import FEATURES, PAPER
from training.mixture import Mixture, Watch, mix
from training.provenance import commit, machine
from training.recipe import FLOAT32, Recipe
from training.rounding import round_weights
from training.scorecard import Epoch

PREDICT_BATCH = 256
EXAMPLES = 4_096
BATCHES_AHEAD = 8  # made by threads of their own while the network learns from the last one
MAKERS = max(1, min(4, (os.cpu_count() or 1) // 4))  # threads; few cores have enough to do with learning
STATE, LEARNT = "curve.json", "learnt.weights.h5"  # in a run's folder
UNKNOWN = {"computed_in": "", "learnt_on": "", "commit": "unknown"}  # of runs ended by earlier versions
LEAST_RATE = 0.05  # of the learning rate, where its rise begins
NOT_DECAYED = ("bias", "gamma", "beta")  # weight decay is for the weights of convolutions and dense layers
SETTLING_BATCHES = 300  # after which a twentieth is left of what normalisations knew of features before

Plan = TypeVar("Plan")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A trained model, and how it got there."""

    model: keras.Model
    curve: tuple[Epoch, ...]  # of the weights as they came, before a mean of them is taken
    preparation_seconds: float
    examples: Glyphs  # some of those it was shown, of every source
    computed_in: str  # BFLOAT16 or FLOAT32, in its last epoch
    learnt_on: str  # the machine that this was on, and Keras' backend
    commit: str  # of the code that it was learnt with


def fit(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    cache: Path,
    weights: Path | None = None,
    start: Path | None = None,
    watch: Watch | None = None,
) -> Fit:
    """Train what the recipe says; leave in `folder` a checkpoint after each epoch, and what was learnt.

    A folder that holds a run of the same recipe on the same data goes on where that run stopped, and ends as
    if it had never stopped; of another recipe or other data it raises RunMismatch. `weights`: what the
    architecture starts from; `start`: weights of the whole network, to learn on from. `cache`: a folder that
    keeps what takes long to make and is the same for other runs: glyphs cut from drawn cells in `paper`,
    frozen features in `features`.
    """
    watch = watch or (lambda _what, _step, _steps: None)
    keras.utils.set_random_seed(recipe.seed)
    numbers = numbers_for(recipe)
    with computing_in(numbers):
        model = _network(recipe, weights)
    if start:
        _learn_on(model, start)
    trained = _trained_part(model)
    started = time.perf_counter()
    mixture = mix(recipe.paper, dataset.training, cache / PAPER, watch)
    trained.compile(
        _optimizer(recipe, steps=-(-mixture.shown // recipe.batch)),
        keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=keras.backend.backend() != "tensorflow",  # whose XLA is 2.5 times slower on a CPU
    )
    checkpoint = Checkpoint(folder, recipe, dataset)
    curve = checkpoint.restore(trained)
    inputs = _inputs_of(model, mixture.glyphs, cache / FEATURES, watch, recipe)
    validation_inputs = _inputs_of(model, dataset.validation.glyphs, cache / FEATURES, watch, recipe)
    preparation_seconds = time.perf_counter() - started

    for number in range(len(curve), recipe.epochs):
        started = time.perf_counter()
        loss, accuracy = _train_one_epoch(trained, inputs, mixture, recipe=recipe, number=number, watch=watch)
        validation = _evaluate(trained, validation_inputs, dataset.validation.labels)
        curve = (*curve, Epoch(loss, accuracy, *validation, time.perf_counter() - started))
        checkpoint.save(trained, curve, computed_in=numbers)
    if recipe.averaged:
        _take_the_mean(trained, inputs, mixture, recipe)
    examples = mixture.glyphs[mixture.order(np.random.default_rng(recipe.seed))[:EXAMPLES]]
    if numbers != FLOAT32:
        model = _in_float32(model, recipe, weights)
    save_weights(model, folder / LEARNT)
    return Fit(model, curve, preparation_seconds, examples, **checkpoint.circumstances())


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a network's weights to learn on from, a .weights.h5 file, without its optimiser's state."""
    bare = keras.models.clone_model(model)
    bare.set_weights(model.get_weights())
    with whole_file(path) as unfinished:
        bare.save_weights(unfinished)


def epochs_done(folder: Path) -> int:
    """Return how many epochs a run has finished; 0 where the folder holds none."""
    state = folder / STATE
    return len(json.loads(state.read_text(encoding="utf-8"))["curve"]) if state.exists() else 0


def _network(recipe: Recipe, weights: Path | None) -> keras.Model:
    model = architectures.build(recipe.architecture, weights)
    if recipe.rounded:
        round_weights(model)
    return model


def _learn_on(model: keras.Model, start: Path) -> None:
    try:
        model.load_weights(start)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsUnreadable(f"{start} holds no weights of this network: {error}") from error


def _in_float32(model: keras.Model, recipe: Recipe, weights: Path | None) -> keras.Model:
    """Return the same network for export: its weights were float32 all along, its arithmetic was not."""
    precise = _network(recipe, weights)
    precise.set_weights(model.get_weights())
    return precise


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return AdamW (Loshchilov 2019); `steps` are those of an epoch."""
    rate = recipe.learning_rate
    if recipe.falling:
        rate = keras.optimizers.schedules.CosineDecay(
            LEAST_RATE * rate, (recipe.epochs - 1) * steps, warmup_target=rate, warmup_steps=steps
        )
    averaging = {"use_ema": True, "ema_momentum": recipe.averaged} if recipe.averaged else {}
    optimizer = keras.optimizers.AdamW(rate, recipe.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


class Checkpoint:
    """A run's folder: the curve so far, and the weights and the optimiser's state after its last epoch."""

    def __init__(self, folder: Path, recipe: Recipe, dataset: Dataset) -> None:
        self._folder = folder
        self._recipe = recipe
        self._sources = dict(dataset.sources)
        self._state = folder / STATE

    def restore(self, trained: keras.Model) -> tuple[Epoch, ...]:
        """Load what the last finished epoch left, and return the curve up to there; () for a fresh folder."""
        if not self._state.exists():
            return ()
        state = json.loads(self._state.read_text(encoding="utf-8"))
        try:
            recipe = Recipe.from_entries(state["recipe"])
        except TypeError as error:  # an entry that is not known here
            raise RunMismatch(
                f"{self._folder} holds a run of a later version; go on with that one, or name another folder"
            ) from error
        if (recipe, state["sources"]) != (self._recipe, self._sources):
            raise RunMismatch(
                f"{self._folder} holds a run of another recipe or other data; remove it or name another"
            )
        trained.optimizer.build(trained.trainable_variables)
        weights = self._weights(len(state["curve"]))
        try:
            trained.load_weights(weights)
        except (OSError, ValueError, KeyError) as error:
            raise WeightsUnreadable(
                f"{weights} does not hold what the last epoch left ({error}); "
                f"remove {self._folder} to begin anew"
            ) from error
        return tuple(Epoch(**epoch) for epoch in state["curve"])

    def circumstances(self) -> Mapping[str, str]:
        """Return how, where and by which code the last finished epoch was learnt."""
        state = json.loads(self._state.read_text(encoding="utf-8"))
        return {**UNKNOWN, **{name: state[name] for name in UNKNOWN if name in state}}

    def save(self, trained: keras.Model, curve: tuple[Epoch, ...], computed_in: str) -> None:
        """Keep the state after an epoch. A kill leaves the state before or after, never a mixture."""
        self._folder.mkdir(parents=True, exist_ok=True)
        trained.save_weights(self._weights(len(curve)))
        state = {
            "recipe": asdict(self._recipe),
            "sources": self._sources,
            "curve": list(map(asdict, curve)),
            "computed_in": computed_in,
            "learnt_on": f"{machine()}, Keras on {keras.backend.backend()}",
            "commit": commit(),
        }
        replace_file(self._state, json.dumps(state, indent=1))
        self._weights(len(curve) - 1).unlink(missing_ok=True)

    def _weights(self, epochs: int) -> Path:
        return self._folder / f"epoch-{epochs:02d}.weights.h5"


def _trained_part(model: keras.Model) -> keras.Model:
    return model.get_layer(TRAINED) if _has_frozen_part(model) else model


def _has_frozen_part(model: keras.Model) -> bool:
    return any(layer.name == FROZEN for layer in model.layers)


def _train_one_epoch(
    trained: keras.Model,
    inputs: npt.NDArray[Any],
    mixture: Mixture,
    *,
    recipe: Recipe,
    number: int,
    watch: Watch,
) -> tuple[float, float]:
    """Show what an epoch shows, in an order that depends on seed and epoch only; return loss and accuracy."""
    rng = np.random.default_rng([recipe.seed, number])
    for layer in trained.layers:
        if hasattr(layer, "seed_generator"):  # dropout: checkpoints do not hold its state
            layer.seed_generator.state.assign([recipe.seed, number])
    distortion = recipe.distortion_in(number)
    order = mixture.order(rng)
    batches = [order[start : start + recipe.batch] for start in range(0, len(order), recipe.batch)]
    classes = trained.output.shape[-1]

    def make(step: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        chosen = batches[step]
        batch = inputs[chosen]
        if distortion:
            batch = distort(batch, distortion, np.random.default_rng([recipe.seed, number, step]))
        return batch, keras.utils.to_categorical(mixture.labels[chosen], classes)

    loss = right = 0.0
    for step, (batch, truth) in enumerate(_made_ahead(make, range(len(batches))), start=1):
        trained.reset_metrics()  # whether Keras does so by itself depends on its version
        figures = trained.train_on_batch(batch, truth, return_dict=True)
        loss += float(figures["loss"]) * len(batch)
        right += float(figures["accuracy"]) * len(batch)
        watch(f"{recipe.name} epoch {number + 1}/{recipe.epochs}", step, len(batches))
    return loss / len(order), right / len(order)


def _take_the_mean(trained: keras.Model, inputs: npt.NDArray[Any], mixture: Mixture, recipe: Recipe) -> None:
    """Put the running mean of the weights (Polyak 1992) in place of the last ones.

    Its features are others than those that the normalisations have seen, so they measure them anew (Izmailov
    2018): on glyphs as they are, for these are what is read.
    """
    trained.optimizer.finalize_variable_values(trained.trainable_variables)
    trained.compile(keras.optimizers.SGD(0.0), keras.losses.CategoricalCrossentropy())  # moves no weight
    rng = np.random.default_rng([recipe.seed, recipe.epochs])
    order = mixture.order(rng)[: SETTLING_BATCHES * recipe.batch]
    for start in range(0, len(order), recipe.batch):
        chosen = order[start : start + recipe.batch]
        trained.train_on_batch(
            inputs[chosen], keras.utils.to_categorical(mixture.labels[chosen], trained.output.shape[-1])
        )


def _made_ahead(make: Callable[[Plan], Made], plans: Iterable[Plan]) -> Iterator[Made]:
    """Yield in their order what `make` makes of the plans, a few of them before they are asked for."""
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(MAKERS) as threads:
        for plan in plans:
            waiting.append(threads.submit(make, plan))
            if len(waiting) > BATCHES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _evaluate(
    trained: keras.Model, inputs: npt.NDArray[Any], labels: npt.NDArray[np.uint8]
) -> tuple[float, float]:
    """Return the cross-entropy and the accuracy of the part that is trained."""
    predicted = np.concatenate([trained.predict_on_batch(batch) for batch in _batches(inputs)])
    of_truth = predicted[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean()
    return float(loss), float((predicted.argmax(axis=1) == labels).mean())


def _inputs_of(
    model: keras.Model, glyphs: Glyphs, cache: Path, watch: Watch, recipe: Recipe
) -> npt.NDArray[Any]:
    """Return what the trained part sees: the glyphs, or the frozen part's float16 features, from a cache."""
    if not _has_frozen_part(model):
        return glyphs
    if recipe.distortion:
        raise TrainingError(
            f"{recipe.name}: frozen features are computed once, so glyphs cannot be distorted"
        )
    frozen = model.get_layer(FROZEN)
    path = cache / f"{_digest(frozen, glyphs)}.npy"
    if not path.exists():
        with whole_file(path) as unfinished:
            features = np.lib.format.open_memmap(
                unfinished, "w+", np.float16, (len(glyphs), *frozen.output.shape[1:])
            )
            for start, batch in zip(range(0, len(glyphs), PREDICT_BATCH), _batches(glyphs), strict=True):
                features[start : start + len(batch)] = frozen.predict_on_batch(batch)
                watch(f"{recipe.architecture} frozen features", start + len(batch), len(glyphs))
            features.flush()
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]  # numpy: Any for a memory map


def _digest(frozen: keras.Model, glyphs: npt.NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(glyphs.tobytes())
    for weight in frozen.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()[:16]


def _batches(inputs: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    for start in range(0, len(inputs), PREDICT_BATCH):
        yield inputs[start : start + PREDICT_BATCH]
