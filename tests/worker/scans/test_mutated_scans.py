"""Files damaged at random: each is read or refused with a ScanError, and nothing else happens."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.scans.pictures import draw_bits, draw_grey, grey_stream, pdf_of, raw_tiff, saved, tiff_of
from worker.errors import ScanError
from worker.scans import ScanLimits, count_pages, load_page

LIMITS = ScanLimits(max_bytes=1_000_000, max_pixels=1_000_000, max_pages=20)
GREY, BITS = draw_grey(), draw_bits()
SOUND = [
    saved(GREY, "PNG"),
    saved(GREY, "PNG", mode="LA"),
    saved(BITS, "PNG", mode="1"),
    saved(GREY, "JPEG"),
    saved(GREY, "JPEG", mode="RGB", progressive=True, dpi=(300, 300)),
    tiff_of([GREY, BITS]),
    tiff_of([GREY], compression="tiff_lzw"),
    saved(GREY, "TIFF", mode="RGB", compression="jpeg"),
    saved(BITS, "TIFF", mode="1", compression="group4"),
    raw_tiff(GREY, photometric=0, big=True),
    saved(GREY, "PDF"),
    saved(BITS, "PDF", mode="1"),
    pdf_of(*grey_stream(GREY)),
]


@st.composite
def damaged_scans(draw: st.DrawFn) -> bytes:
    """A sound file with a few bytes changed, often near its start, where the structure is, or cut as well."""
    content = bytearray(draw(st.sampled_from(SOUND)))
    anywhere = st.integers(0, len(content) - 1)
    for position in draw(st.lists(anywhere | st.integers(4, 300), min_size=1, max_size=8)):
        content[position % len(content)] = draw(st.integers(0, 255))
    return bytes(content[: draw(anywhere)] if draw(st.booleans()) else content)


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(damaged_scans())
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_damaged_file_is_read_or_refused_and_nothing_else(content: bytes) -> None:
    with contextlib.suppress(ScanError):
        for number in range(1, count_pages(content, LIMITS) + 1):
            page = load_page(content, number, LIMITS)
            assert 0 < page.grey.size <= LIMITS.max_pixels
