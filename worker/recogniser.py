"""The model at work: glyphs in, calibrated probabilities out. Refuses a file that it must not read with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from segmentation.glyph import GLYPH_RECIPE
from training.model_card import (
    CLASSES,
    DIGITS,
    GLYPH_SIDE,
    INPUT_NAME,
    OTHER,
    OUTPUT_NAME,
    STRUCK,
    CardUnreadable,
    ModelCard,
)
from worker.calibration import calibrated
from worker.errors import ModelRefused, PathUnreadable

SHIPPED_MODEL = "models/digits.onnx"
BATCH = 64  # the quickest per digit on one thread; larger batches leave the cache


@dataclass(frozen=True, slots=True, eq=False)
class Recogniser:
    """A loaded model. Holds an onnxruntime session: make it after a fork, one for each process."""

    session: ort.InferenceSession
    card: ModelCard
    sha256: str  # "sha256:" and 64 hexadecimal digits, of the file
    size: int  # bytes

    @classmethod
    def load(cls, path: Path | None = None) -> Recogniser:
        """Load a model file, by default the one that ships with Digitmill.

        Raises PathUnreadable where there is no such file, and ModelRefused with a sentence that says why the
        worker must not read with it.
        """
        path = path or Path(str(files("worker").joinpath(SHIPPED_MODEL)))
        try:
            content = path.read_bytes()
        except OSError as error:
            raise PathUnreadable(f"model {path}: {error.strerror}") from error
        try:
            session = _open_session(content)
            card = ModelCard.from_metadata(session.get_modelmeta().custom_metadata_map)
            _check_contract(session, card)
        except (CardUnreadable, _Unfit) as refusal:
            raise ModelRefused(f"model {path} is refused: {refusal}") from refusal
        return cls(session, card, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))

    def __call__(self, glyphs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the calibrated probabilities (n, classes) float32 of glyphs (n, 28, 28) uint8.

        Whatever the order of the card, the columns are those of CLASSES that the model knows, in this order.
        """
        if not len(glyphs):
            return np.empty((0, len(self.card.classes)), np.float32)
        parts = [
            self.session.run([OUTPUT_NAME], {INPUT_NAME: glyphs[start : start + BATCH]})[0]
            for start in range(0, len(glyphs), BATCH)
        ]
        probabilities: npt.NDArray[np.float32] = np.concatenate(parts)
        if self.card.calibration is not None:
            probabilities = calibrated(probabilities, self.card.calibration)
        return probabilities[:, _columns(self.card.classes)]


def _columns(classes: tuple[str, ...]) -> list[int]:
    """Return where the known ones of CLASSES stand among a card's."""
    return [classes.index(label) for label in CLASSES if label in classes]


class _Unfit(Exception):
    """Why a file is no model for this worker; the end of a sentence that starts with its name."""


def _open_session(content: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # workers scale by processes
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # a file that is refused is told of once, by us
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _Unfit(f"it is not an ONNX model that onnxruntime {ort.__version__} can open") from error


def _check_contract(session: ort.InferenceSession, card: ModelCard) -> None:
    """Raise _Unfit unless graph and card say what this worker's glyphs and readings need."""
    if card.glyph_recipe != GLYPH_RECIPE:
        raise _Unfit(
            f"it was trained on glyphs of the recipe {card.glyph_recipe}, and this version makes "
            f"{GLYPH_RECIPE}; train it again or use the model that ships with this version"
        )
    if sorted(card.classes) not in (sorted(DIGITS), sorted(CLASSES)):
        raise _Unfit(
            f"its classes are {', '.join(card.classes)}; wanted are the ten digits, "
            f"with {STRUCK} and {OTHER} or without"
        )
    if card.calibration and {len(card.calibration.scale), len(card.calibration.bias)} != {len(card.classes)}:
        raise _Unfit("its calibration has another number of classes than the model; calibrate it again")
    wanted = [
        ("input", session.get_inputs(), INPUT_NAME, "tensor(uint8)", [GLYPH_SIDE, GLYPH_SIDE]),
        ("output", session.get_outputs(), OUTPUT_NAME, "tensor(float)", [len(card.classes)]),
    ]
    for end, values, name, dtype, shape in wanted:
        found = [(value.name, value.type, value.shape[1:]) for value in values]
        if found != [(name, dtype, shape)]:
            raise _Unfit(f"its {end} is {_said(found)}; wanted is {_said([(name, dtype, shape)])}")
        if isinstance(values[0].shape[0], int):
            raise _Unfit(f"its {end} takes {values[0].shape[0]} glyphs at a time; wanted is any number")


def _said(values: list[tuple[str, str, list[int]]]) -> str:
    return " and ".join(
        f"{name} {dtype} (batch, {', '.join(map(str, shape))})" for name, dtype, shape in values
    )
