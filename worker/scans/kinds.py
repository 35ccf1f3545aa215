"""What a file is, told by its first bytes."""

from __future__ import annotations

from enum import StrEnum

SNIFF_BYTES = 1024  # readers of PDF look for its header in the first kilobyte

PNG_START = b"\x89PNG\r\n\x1a\n"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF


class ScanKind(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    PDF = "pdf"


def sniff_kind(head: bytes) -> ScanKind | None:
    """Return the kind of scan that starts with these bytes (SNIFF_BYTES are enough), or None."""
    if head.startswith(PNG_START):
        return ScanKind.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return ScanKind.JPEG
    if head.startswith(_TIFF_STARTS):
        return ScanKind.TIFF
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return ScanKind.PDF
    return None
