"""TIFF: many pages in many encodings. The directories are walked here, the pixels decoded by Pillow.

Pillow parses every directory before the one it is asked for, which takes it minutes in a hostile file. So the
walk is our own, and Pillow is given a file whose first directory is the wanted one.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from segmentation.page import Page
from worker.errors import ScanError
from worker.scans.grey import PILLOW_ERRORS, claimed_dpi, grey_of
from worker.scans.limits import ScanLimits

_NEW_SUBFILE_TYPE = 254
_THUMBNAIL, _TRANSPARENCY_MASK = 1, 4  # bits of NewSubfileType
_WHITE_IS_ZERO = 0


@dataclass(frozen=True, slots=True)
class _Form:
    """How this TIFF writes its numbers: byte order, and the wider offsets and counts of BigTIFF."""

    order: str
    big: bool

    @classmethod
    def of(cls, content: bytes) -> _Form:
        return cls("<" if content.startswith(b"II") else ">", b"+" in content[2:4])

    @property
    def first_offset_at(self) -> int:
        return 8 if self.big else 4

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12

    @property
    def long_entry(self) -> struct.Struct:
        """A directory entry whose value is one 32-bit number: its tag and that number."""
        return struct.Struct(self.order + ("H10xI4x" if self.big else "H6xI"))

    @property
    def offset(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def entry_count(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "H"))


def count_pages(content: bytes, limits: ScanLimits) -> int:
    return len(_page_offsets(content, limits))


def load_page(content: bytes, number: int, limits: ScanLimits) -> Page:
    """Return one page, turned as its orientation tag says, whatever its photometric interpretation."""
    offsets = _page_offsets(content, limits)
    if not 1 <= number <= len(offsets):
        raise ScanError(
            f"it has no page {number}, only {len(offsets)}; the file has changed since it was counted"
        )
    try:
        with TiffImageFile(io.BytesIO(_starting_at(offsets[number - 1], content))) as image:
            limits.check_pixels(*image.size)
            grey = grey_of(image)
            # Pillow inverts white-is-zero for all depths but this one.
            if (
                image.mode.startswith("I;16")
                and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
            ):
                grey = 255 - grey
            return Page(grey, claimed_dpi(image))
    except PILLOW_ERRORS as error:
        raise ScanError(
            f"page {number} of the TIFF is truncated, damaged or of an unknown kind ({error}); scan it again"
        ) from error


def _starting_at(directory: int, content: bytes) -> bytes:
    """Return the file with another directory as its first."""
    form = _Form.of(content)
    start, offset = form.first_offset_at, form.offset.pack(directory)
    return content[:start] + offset + content[start + len(offset) :]


def _page_offsets(content: bytes, limits: ScanLimits) -> list[int]:
    try:
        return [offset for offset, is_page in _directories(content, limits) if is_page]
    except (struct.error, OverflowError) as error:
        raise ScanError(
            "the TIFF is truncated or damaged: its pages lie outside the file; copy it again"
        ) from error


def _directories(content: bytes, limits: ScanLimits) -> Iterator[tuple[int, bool]]:
    """Yield the offset of each directory and whether it is a page, rather than a thumbnail or mask of one."""
    form = _Form.of(content)
    seen: set[int] = set()
    (offset,) = form.offset.unpack_from(content, form.first_offset_at)
    while offset:
        if offset in seen:
            raise ScanError("the TIFF is damaged: its list of pages runs in a circle; scan it again")
        seen.add(offset)
        limits.check_pages(len(seen))
        (entries,) = form.entry_count.unpack_from(content, offset)
        first_entry = offset + form.entry_count.size
        # Entries are sorted by tag, and this one is the lowest.
        tag, value = form.long_entry.unpack_from(content, first_entry)
        yield offset, tag != _NEW_SUBFILE_TYPE or not value & (_THUMBNAIL | _TRANSPARENCY_MASK)
        (offset,) = form.offset.unpack_from(content, first_entry + entries * form.entry_bytes)
