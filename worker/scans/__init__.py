"""The bytes of a scan file become grey pages, one at a time, within stated limits.

Kinds are told by content, never by name. Nothing here opens a file, so it can run in a process of its own.
Each ScanError says what is wrong and what would mend it, and leaves naming the file to its caller.
"""

from __future__ import annotations

from segmentation.page import Page
from worker.errors import ScanError
from worker.scans import pdf, picture, tiff
from worker.scans.kinds import SNIFF_BYTES, ScanKind, sniff_kind
from worker.scans.limits import ScanLimits

__all__ = ["SNIFF_BYTES", "ScanKind", "ScanLimits", "count_pages", "load_page", "sniff_kind"]

_OUT_OF_MEMORY = "it needs more memory than this machine gives; scan it at a lower resolution"


def count_pages(content: bytes, limits: ScanLimits) -> int:
    """Return how many pages a scan file holds, at least 1, without decoding any of them.

    Raises ScanError where the file is empty, no scan, damaged, encrypted, without pages or beyond the limits.
    """
    kind = _admit(content, limits)
    try:
        match kind:
            case ScanKind.PNG | ScanKind.JPEG:
                count = 1
            case ScanKind.TIFF:
                count = tiff.count_pages(content, limits)
            case ScanKind.PDF:
                count = pdf.count_pages(content)
    except MemoryError as error:
        raise ScanError(_OUT_OF_MEMORY) from error
    if count < 1:
        raise ScanError("it has no pages; scan it again")
    limits.check_pages(count)
    return count


def load_page(content: bytes, number: int, limits: ScanLimits) -> Page:
    """Return page `number`, counted from 1, upright as the file says and 0 black to 255 white.

    Sizes are checked before anything is decoded. Raises ScanError where the page cannot be had.
    """
    kind = _admit(content, limits)
    try:
        match kind:
            case ScanKind.PNG | ScanKind.JPEG if number != 1:
                raise ScanError(f"it has no page {number}: a {kind.upper()} is one page")
            case ScanKind.PNG | ScanKind.JPEG:
                return picture.load_page(content, kind, limits)
            case ScanKind.TIFF:
                return tiff.load_page(content, number, limits)
            case ScanKind.PDF:
                return pdf.load_page(content, number, limits)
    except MemoryError as error:
        raise ScanError(_OUT_OF_MEMORY) from error


def _admit(content: bytes, limits: ScanLimits) -> ScanKind:
    if not content:
        raise ScanError("the file is empty; scan it again")
    limits.check_bytes(len(content))
    kind = sniff_kind(content[:SNIFF_BYTES])
    if kind is None:
        raise ScanError("it is no scan: its content is neither PNG, JPEG, TIFF nor PDF")
    return kind
