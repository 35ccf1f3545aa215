"""Scan files as they were submitted: read once, checked by their hash, and the same bytes then decoded."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segmentation.page import Page
from worker.errors import ScanError
from worker.intake import resolve_scan
from worker.scans import ScanLimits, count_pages, load_page
from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class Fingerprint:
    sha256: str  # 64 hex digits
    bytes: int


def fingerprint(file: Path) -> Fingerprint:
    """Hash a file without holding it in memory. Raises ScanError with the reason where it cannot be read."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ScanError("not a file")  # never opened: reading a named pipe would wait for ever
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            return Fingerprint(digest, content.tell())
    except OSError as error:
        raise ScanError(_sentence(error)) from error


class Originals:
    """Reads submitted files, and refuses one that is no longer what was submitted.

    Keeps the last file: the pages of a document come one after the other, and a file of 100 pages would
    otherwise be read and hashed 100 times. Kept bytes are used again only while size, time and inode of the
    file stay.
    """

    def __init__(self, scan_roots: Mapping[str, Path], limits: ScanLimits) -> None:
        self._scan_roots = scan_roots
        self._limits = limits
        self._kept: tuple[object, bytes] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Originals:
        """Return what reads files from the roots and within the limits that the settings name."""
        limits = ScanLimits(
            max_bytes=int(settings.max_file_mb * 1_000_000),
            max_pixels=int(settings.max_megapixels * 1_000_000),
            max_pages=settings.max_pages,
        )
        return cls(settings.scan_roots, limits)

    def count_pages(self, root: str, path: str, sha256: str | None) -> int:
        """Return how many pages a document has. Raises ScanError."""
        return count_pages(self.read(root, path, sha256), self._limits)

    def load_page(self, root: str, path: str, sha256: str | None, number: int) -> Page:
        """Return a document's page `number`, counted from 1. Raises ScanError."""
        return load_page(self.read(root, path, sha256), number, self._limits)

    def read(self, root: str, path: str, sha256: str | None) -> bytes:
        """Return a document's bytes. Raises ScanError where it changed, is gone, too large or unreadable."""
        file = resolve_scan(root, path, self._scan_roots)
        try:
            with file.open("rb") as opened:
                found = os.fstat(opened.fileno())
                identity = (file, sha256, found.st_size, found.st_mtime_ns, found.st_ino)
                if self._kept is not None and self._kept[0] == identity:
                    return self._kept[1]
                self._limits.check_bytes(found.st_size)
                content = opened.read()
        except OSError as error:
            raise ScanError(_sentence(error)) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ScanError("changed since it was submitted")
        self._kept = (identity, content)
        return content


def _sentence(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is gone"
    return f"cannot be read: {error.strerror or error}"
