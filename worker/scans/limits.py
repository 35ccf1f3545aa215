"""How large a scan may be. Checked against headers, before memory is spent on what they promise."""

from __future__ import annotations

from dataclasses import dataclass

from worker.errors import ScanError


@dataclass(frozen=True, slots=True)
class ScanLimits:
    max_bytes: int  # of a file
    max_pixels: int  # of a page
    max_pages: int  # of a file

    def check_bytes(self, size: int) -> None:
        if size > self.max_bytes:
            raise ScanError(
                f"the file has {size / 1e6:.0f} MB, more than the {self.max_bytes / 1e6:.0f} MB allowed; "
                "split it, or raise DIGITMILL_MAX_FILE_MB"
            )

    def check_pixels(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise ScanError(f"a page of {width} x {height} pixels holds nothing; scan it again")
        if width * height > self.max_pixels:
            raise ScanError(
                f"a page of {width} x {height} pixels is more than the {self.max_pixels / 1e6:g} megapixels "
                "allowed; scan it at a lower resolution, or raise DIGITMILL_MAX_MEGAPIXELS"
            )

    def check_pages(self, count: int) -> None:
        if count > self.max_pages:
            raise ScanError(
                f"the file has more than the {self.max_pages} pages allowed; "
                "split it, or raise DIGITMILL_MAX_PAGES"
            )
