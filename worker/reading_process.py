"""How a process is set up whose only work is to read pages, whoever starts it."""

from __future__ import annotations

import ctypes
import sys

import cv2

# From malloc.h of the GNU C library.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_FROM_HEAP = 32 << 20  # bytes, the most that glibc takes; an A4 page at 300 dpi has 9 million
KEPT_FREE = 128 << 20  # bytes of freed memory that the process keeps for the next page


def set_up_reading() -> None:
    """Read on one thread, since there is a process for every core, and keep the memory of the last page.

    By default glibc gives large blocks back, and the kernel clears new ones for the next page: a fifth of the
    time of a G4 page, a tenth of a PNG's, next to nothing of a JPEG scan's (docs/adr/0008). Does nothing
    about memory where the C library is another one.
    """
    cv2.setNumThreads(1)
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_FROM_HEAP)
        mallopt(M_TRIM_THRESHOLD, KEPT_FREE)
