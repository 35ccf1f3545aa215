"""PNG and JPEG: one picture, one page. Pillow reads the header, OpenCV decodes."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
from PIL import Image, ImageOps

from segmentation.page import Page
from worker.errors import ScanError
from worker.scans.grey import PILLOW_ERRORS, claimed_dpi, grey_of
from worker.scans.kinds import PNG_START, ScanKind
from worker.scans.limits import ScanLimits

# A broken file becomes a ScanError, told once.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

CHUNK_FRAME_BYTES = 12  # a PNG chunk's length, name and checksum


def load_page(content: bytes, kind: ScanKind, limits: ScanLimits) -> Page:
    """Return the picture as a page, turned as its EXIF orientation says."""
    damaged = ScanError(f"the {kind.upper()} is truncated or damaged; scan or copy it again")
    if kind is ScanKind.PNG and not _chunks_fit(content):
        raise damaged
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as header:
            limits.check_pixels(*header.size)
            dpi = claimed_dpi(header)
            # Unlike Pillow, and unlike OpenCV's own imread, imdecode refuses every truncated JPEG and PNG.
            grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
            if grey is None:
                raise damaged
            if header.has_transparency_data:  # which OpenCV drops, leaving whatever colour lies beneath
                grey = grey_of(ImageOps.exif_transpose(header))
    except (*PILLOW_ERRORS, cv2.error) as error:
        raise damaged from error
    return Page(np.asarray(grey, np.uint8), dpi)


def _chunks_fit(png: bytes) -> bool:
    """Whether no chunk claims to reach beyond the file. OpenCV 5 allocates what is claimed, up to 4 GB."""
    offset = len(PNG_START)
    while offset + CHUNK_FRAME_BYTES <= len(png):
        length, name = struct.unpack_from(">I4s", png, offset)
        offset += CHUNK_FRAME_BYTES + length
        if name == b"IEND":
            break
    return offset <= len(png)
