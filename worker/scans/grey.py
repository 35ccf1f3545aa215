"""What a Pillow image of any mode looks like in grey: 0 black to 255 white, as on paper."""

from __future__ import annotations

import math
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image

from worker.errors import ScanError

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked before anything is decoded

# What Pillow's parsers raise for broken files, besides the OSError they promise.
PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    struct.error,
)


def grey_of(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return (height, width) uint8. What is transparent shows white paper; of 16 bits the upper 8 are kept.

    Raises ScanError for samples that no scanner writes (32 bits, floating point).
    """
    if image.mode.startswith("I;16"):
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode in ("I", "F"):
        raise ScanError("its pixels are 32-bit numbers, which is no picture of a page; save it in 8-bit grey")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        image = Image.new("L", picture.size, "white")
        image.paste(picture.convert("L"), mask=picture.getchannel("A"))
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return np.asarray(image.convert("L"))


def claimed_dpi(image: Image.Image) -> float | None:
    """Return the horizontal resolution that the file claims, None where it claims none that makes sense."""
    try:
        dpi = float(image.info["dpi"][0])
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return dpi if math.isfinite(dpi) and dpi > 1 else None
