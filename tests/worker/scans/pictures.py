"""Scan files made on the fly, by Pillow or byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]
Grey16 = npt.NDArray[np.uint16]


def draw_grey(width: int = 96, height: int = 64) -> Grey:
    """A page without symmetry, so that every turn and flip differs; smooth, so that JPEG keeps it."""
    ramp = np.linspace(30, 220, width)[None, :] * np.linspace(1, 0.4, height)[:, None]
    page = np.clip(ramp, 0, 255).astype(np.uint8)
    page[4:12, 4:40] = 0
    page[20:36, 4:12] = 255
    return page


def draw_bits(width: int = 96, height: int = 64) -> Grey:
    """The same in black and white."""
    return np.where(draw_grey(width, height) > 110, 255, 0).astype(np.uint8)


def saved(image: Image.Image | Grey | Grey16, kind: str, **options: Any) -> bytes:
    """Return the file that Pillow writes for an image, of 1 bit where mode="1" is among the options."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    mode = options.pop("mode", picture.mode)
    buffer = io.BytesIO()
    picture.convert(mode).save(buffer, format=kind, **options)
    return buffer.getvalue()


def tiff_of(pages: Sequence[Grey], **options: Any) -> bytes:
    first, *rest = [Image.fromarray(page) for page in pages]
    return saved(first, "TIFF", save_all=True, append_images=rest, **options)


def endless_tiff(directories: int) -> bytes:
    """A TIFF of that many directories, all of one entry."""
    content = bytearray(b"II*\0" + struct.pack("<I", 8))
    for number in range(1, directories + 1):
        following = 8 + number * 18 if number < directories else 0
        content += struct.pack("<HHHIII", 1, 256, 3, 1, 1, following)
    return bytes(content)


def raw_tiff(pixels: Grey | Grey16, photometric: int, *, big: bool = False) -> bytes:
    """An uncompressed grey TIFF, as BigTIFF where `big`. Pillow writes neither that nor white as 0."""
    height, width = pixels.shape
    bits = pixels.itemsize * 8
    body = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    start = 16 if big else 8
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, start)]
    tags += [(277, 1), (278, height), (279, len(body))]
    if big:
        head = b"II+\0" + struct.pack("<HHQ", 8, 0, start + len(body))
        entries = b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in tags)
        return head + body + struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", 0)
    head = b"II*\0" + struct.pack("<I", start + len(body))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return head + body + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims this size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def pdf_of(
    image: bytes,
    entries: str,
    *,
    size: tuple[int, int] = (96, 64),
    media: tuple[int, int] | None = None,
    place: str | None = None,
    page_entries: str = "",
    after: str = "",
    pages: int = 1,
) -> bytes:
    """A PDF whose pages show one image stream, `media` points large and placed by the matrix `place`."""
    width, height = size
    across, down = media or size
    content = f"q {place or f'{across} 0 0 {down} 0 0'} cm /I Do Q {after}".encode()
    kids = " ".join(["3 0 R"] * min(pages, 2))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode(),
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {across} {down}]/Contents 4 0 R"
        f"/Resources<</XObject<</I 5 0 R>>/Font<</F 6 0 R>>>>{page_entries}>>".encode(),
        f"<</Length {len(content)}>>stream\n".encode() + content + b"\nendstream",
        f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}{entries}"
        f"/Length {len(image)}>>stream\n".encode()
        + image
        + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    file, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    entries_in_table = len(objects) + 1
    end = f"xref\n0 {entries_in_table}\n0000000000 65535 f \n{table}"
    end += f"trailer<</Size {entries_in_table}/Root 1 0 R>>\nstartxref\n{len(file)}\n%%EOF\n"
    return bytes(file) + end.encode()


def grey_stream(page: Grey) -> tuple[bytes, str]:
    """A page as the stream of a PDF image, and the entries that say how it is written."""
    return zlib.compress(page.tobytes()), "/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"


def as_drawn_by_opencv(jpeg: bytes) -> Grey:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
