"""Who else reads digits: what somebody would try before Digitmill, each behind the same call.

The recipe of many a tutorial, Tesseract and RapidOCR. The last two are used as they read lines of text: they
find no boxes and are handed each field's true place.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.cells import cut_cells
from segmentation.fields import find_fields
from segmentation.geometry import Quad, enclosing_box
from segmentation.page import Page
from training.model_card import DIGITS, GLYPH_SIDE
from worker.measures import Read
from worker.pipeline import Classify

Reader = Callable[[Page, Sequence[Quad]], list[Read]]
"""Reads a page; the true places of its fields are for those who cannot find them."""

Grey = npt.NDArray[np.uint8]

INSET = 0.1  # of a field's height, cut off on each side: tried from -0.2 to 0.1, it serves both programs best
PAGE_END = "\f"  # Tesseract ends each image's text with it
TESSERACT_OPTIONS = ("--psm", "7", "--dpi", "300", "-c", f"tessedit_char_whitelist={''.join(DIGITS)}")
RAPIDOCR_OPTIONS = {
    "Global.log_level": "error",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class RivalMissing(Exception):
    """A program or package to compare with is not installed."""


def naive(classify: Classify, *, thresholded: bool = False) -> Reader:
    """Return a reader that inverts each box, dirt and all, and squeezes it into 28 x 28 pixels.

    `thresholded` makes it black and white before (Otsu 1979). It takes the boxes that Digitmill finds, and is
    told which of them are blank: it knows no blanks.
    """

    def read(page: Page, _places: Sequence[Quad]) -> list[Read]:
        fields = find_fields(page).fields
        written = [[cell.glyph is not None for cell in row] for row in cut_cells(page, fields)]
        boxes = [quad for field in fields for quad in field.cells]
        inked = [quad for quad, ink in zip(boxes, chain(*written), strict=True) if ink]
        glyphs = [_squeeze(straighten(page.grey, quad), thresholded) for quad in inked]
        digits = iter(classify(np.stack(glyphs))[:, : len(DIGITS)].argmax(axis=1) if glyphs else ())
        return [
            Read(field.name, tuple(DIGITS[next(digits)] if ink else "" for ink in row), field.box)
            for field, row in zip(fields, written, strict=True)
        ]

    return read


def tesseract() -> Reader:
    """Return Tesseract as a reader of lines of digits. Raises RivalMissing where it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        raise RivalMissing("Tesseract is not installed: apt-get install tesseract-ocr")

    def read(page: Page, places: Sequence[Quad]) -> list[Read]:
        with tempfile.TemporaryDirectory() as folder:
            images = [Path(folder) / f"{number}.png" for number in range(len(places))]
            for image, place in zip(images, places, strict=True):
                cv2.imwrite(str(image), cut_field(page.grey, place))
            listed = Path(folder) / "images.txt"  # one start of the program a page
            listed.write_text("\n".join(map(str, images)), encoding="utf-8")
            ended = subprocess.run(
                [program, str(listed), "stdout", *TESSERACT_OPTIONS],
                capture_output=True,
                text=True,
                check=True,
                env=os.environ | {"OMP_THREAD_LIMIT": "1"},
            )
        return _read_of_lines(places, ended.stdout.split(PAGE_END)[: len(places)])

    return read


def tesseract_version() -> str:
    ended = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()[0]


def rapidocr(*, digits_only: bool = False) -> Reader:
    """Return RapidOCR's recognition on one thread, with the models that its package brings along.

    With `digits_only` its network may answer with nothing but digits, which it has no setting for. Raises
    RivalMissing where it is not installed.
    """
    try:
        from rapidocr import RapidOCR
    except ModuleNotFoundError as error:
        raise RivalMissing(f"{error.name} is not installed: make rivals") from error
    engine = RapidOCR(params=RAPIDOCR_OPTIONS)
    engine.recognize_txt([np.full((48, 96, 3), 255, np.uint8)])  # loads the network
    if digits_only:
        engine.text_rec.postprocess_op = only_digits(engine.text_rec.postprocess_op)

    def read(page: Page, places: Sequence[Quad]) -> list[Read]:
        images = [cv2.cvtColor(cut_field(page.grey, place), cv2.COLOR_GRAY2BGR) for place in places]
        return _read_of_lines(places, engine.recognize_txt(images).txts if images else ())

    return read


def rapidocr_version() -> str:
    return f"rapidocr {version('rapidocr')}"


def only_digits(decode: Any) -> Callable[..., Any]:
    """Return RapidOCR's decoding of probabilities (lines, steps, characters), all but digits left out.

    Nothing (the first character) and the space stay: they part a digit from an equal one that follows.
    """
    left_out = [place for place, character in enumerate(decode.character)
                if place > 0 and character not in (*DIGITS, " ")]  # fmt: skip

    def decode_digits(probabilities: npt.NDArray[np.float32], *rest: Any, **more: Any) -> Any:
        of_digits = probabilities.copy()
        of_digits[:, :, left_out] = 0
        return decode(of_digits, *rest, **more)

    return decode_digits


def cut_field(page: Grey, place: Quad) -> Grey:
    """Return a field upright and as fine as the page, without most of its outer lines."""
    return straighten(page, place, INSET * place.height)


def straighten(page: Grey, place: Quad, inset: float = 0.0) -> Grey:
    """Return what stands in a quad, less `inset` px on each side, as an upright rectangle of its size."""
    width, height = place.width, place.height
    before = np.array([(corner.x, corner.y) for corner in place.corners], np.float32)
    after = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - np.float32(inset)
    size = (max(1, round(width - 2 * inset)), max(1, round(height - 2 * inset)))
    upright = cv2.warpPerspective(
        page, cv2.getPerspectiveTransform(before, after), size, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(upright, np.uint8)


def _squeeze(box: Grey, thresholded: bool) -> Grey:
    if thresholded:
        ink = cv2.threshold(box, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]
    else:
        ink = cv2.bitwise_not(box)
    return np.asarray(cv2.resize(ink, (GLYPH_SIDE, GLYPH_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _read_of_lines(places: Sequence[Quad], lines: Sequence[str]) -> list[Read]:
    """Return what was read of each field: of a line of text the digits, wherever in the field they stand."""
    return [
        Read(f"field {number}", tuple(re.sub("[^0-9]", "", line)), enclosing_box([place]))
        for number, (place, line) in enumerate(zip(places, lines, strict=True), start=1)
    ]
