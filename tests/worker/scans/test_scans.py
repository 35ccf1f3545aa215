from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.worker.scans.pictures import (
    Grey,
    draw_bits,
    draw_grey,
    endless_tiff,
    grey_stream,
    pdf_of,
    png_header,
    raw_tiff,
    saved,
    tiff_of,
)
from worker.errors import ScanError
from worker.scans import ScanKind, ScanLimits, count_pages, load_page, sniff_kind

LIMITS = ScanLimits(max_bytes=5_000_000, max_pixels=1_000_000, max_pages=50)
GREY, BITS = draw_grey(), draw_bits()


def read(content: bytes, number: int = 1) -> Grey:
    page = load_page(content, number, LIMITS)
    assert page.grey.dtype == np.uint8
    assert page.grey.flags["C_CONTIGUOUS"]
    return page.grey


def difference(one: Grey, other: Grey) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


def pdf(page: Grey = GREY, **layout: object) -> bytes:
    stream, entries = grey_stream(page)
    return pdf_of(stream, entries + str(layout.pop("entries", "")), **layout)  # type: ignore[arg-type]  # see pdf_of


# EXIF 2.32, tag 274: what has to be done to the stored pixels.
ORIENTED: dict[int, Callable[[Grey], Grey]] = {
    1: lambda page: page,
    2: np.fliplr,
    3: lambda page: np.rot90(page, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda page: np.rot90(page, -1),
    7: lambda page: np.rot90(page, 2).T,
    8: lambda page: np.rot90(page, 1),
}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(GREY, "PNG"), id="PNG grey"),
        pytest.param(saved(GREY, "PNG", mode="RGB"), id="PNG colour"),
        pytest.param(saved(GREY.astype(np.uint16) * 257, "PNG"), id="PNG of 16 bits"),
        pytest.param(saved(Image.fromarray(GREY).convert("P"), "PNG"), id="PNG palette"),
        pytest.param(tiff_of([GREY]), id="TIFF uncompressed"),
        pytest.param(tiff_of([GREY], compression="tiff_lzw"), id="TIFF LZW"),
        pytest.param(tiff_of([GREY], compression="tiff_adobe_deflate"), id="TIFF Deflate"),
        pytest.param(saved(GREY, "TIFF", mode="RGB", compression="tiff_lzw"), id="TIFF colour LZW"),
        pytest.param(raw_tiff(GREY, photometric=1), id="TIFF black is 0"),
        pytest.param(raw_tiff(255 - GREY, photometric=0), id="TIFF white is 0"),
        pytest.param(raw_tiff(GREY.astype(np.uint16) * 257, photometric=1), id="TIFF of 16 bits"),
        pytest.param(raw_tiff((255 - GREY).astype(np.uint16) * 257, 0), id="TIFF of 16 bits, white is 0"),
        pytest.param(raw_tiff(GREY, photometric=1, big=True), id="BigTIFF"),
        pytest.param(pdf(), id="PDF Flate"),
    ],
)
def test_every_lossless_kind_reads_as_the_same_grey_pixels(content: bytes) -> None:
    assert count_pages(content, LIMITS) == 1
    assert difference(read(content), GREY) <= 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(BITS, "PNG", mode="1"), id="PNG"),
        pytest.param(saved(BITS, "TIFF", mode="1"), id="TIFF uncompressed"),
        pytest.param(saved(BITS, "TIFF", mode="1", compression="group4"), id="TIFF G4"),
        pytest.param(saved(BITS, "TIFF", mode="1", compression="group3"), id="TIFF G3"),
        pytest.param(saved(BITS, "PDF", mode="1", resolution=300), id="PDF G4"),
    ],
)
def test_one_bit_pages_read_as_pure_black_and_white(content: bytes) -> None:
    assert np.array_equal(read(content), BITS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(GREY, "JPEG", quality=95), id="JPEG grey"),
        pytest.param(saved(GREY, "JPEG", mode="RGB", quality=95), id="JPEG colour"),
        pytest.param(saved(GREY, "JPEG", mode="CMYK", quality=95), id="JPEG CMYK"),
        pytest.param(saved(GREY, "TIFF", compression="jpeg", quality=95), id="TIFF JPEG inside"),
        pytest.param(saved(GREY, "TIFF", mode="RGB", compression="jpeg", quality=95), id="TIFF colour JPEG"),
        pytest.param(saved(GREY, "TIFF", mode="CMYK", compression="tiff_lzw"), id="TIFF CMYK"),
        pytest.param(saved(GREY, "PDF", resolution=300, quality=95), id="PDF JPEG"),
    ],
)
def test_lossy_kinds_and_inks_read_as_nearly_the_same_pixels(content: bytes) -> None:
    assert np.abs(read(content).astype(int) - GREY).mean() < 4


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("TIFF", {}), ("PNG", {})])
def test_pages_are_turned_as_their_orientation_says(
    kind: str, options: dict[str, int], orientation: int
) -> None:
    exif = Image.Exif()
    exif[274] = orientation

    page = read(saved(GREY, kind, exif=exif, **options))

    assert np.abs(page.astype(int) - ORIENTED[orientation](GREY)).mean() < 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_shows_white_paper(kind: str, mode: str) -> None:
    ink = Image.new(mode, (8, 8), (0, 255) if mode == "LA" else (0, 0, 0, 255))
    ink.putpixel((3, 2), (0, 0) if mode == "LA" else (0, 0, 0, 0))

    page = read(saved(ink, kind))

    assert page[2, 3] == 255
    assert page[0, 0] == 0


def test_a_transparent_palette_colour_shows_white_paper() -> None:
    page = read(saved(Image.fromarray(BITS).convert("P"), "PNG", transparency=0))

    assert page.min() == 255


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "group4"])
def test_pages_of_a_tiff_are_counted_and_read_one_by_one(compression: str | None) -> None:
    pages = [np.roll(BITS, 5 * shift, axis=1) for shift in range(3)]
    first, *rest = [Image.fromarray(page).convert("1") for page in pages]
    content = saved(first, "TIFF", save_all=True, append_images=rest, compression=compression)

    assert count_pages(content, LIMITS) == 3
    for number, page in enumerate(pages, start=1):
        assert np.array_equal(read(content, number), page)


def test_thumbnails_in_a_tiff_are_no_pages() -> None:
    thumbnail = Image.fromarray(draw_grey(12, 8))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    content = saved(GREY, "TIFF", save_all=True, append_images=[thumbnail, Image.fromarray(BITS)])

    assert count_pages(content, LIMITS) == 2
    assert np.array_equal(read(content, 2), BITS)


def test_the_claimed_resolution_comes_along_as_a_hint() -> None:
    for kind in ("JPEG", "PNG", "TIFF"):
        dpi = load_page(saved(GREY, kind, dpi=(200, 200)), 1, LIMITS).dpi
        assert dpi == pytest.approx(200, abs=0.1)
    assert load_page(saved(GREY, "PNG"), 1, LIMITS).dpi is None
    assert load_page(saved(GREY, "PDF", resolution=150), 1, LIMITS).dpi == pytest.approx(150, rel=0.02)


# PDF


def test_a_pdf_page_that_is_one_scan_keeps_the_scans_own_pixels() -> None:
    page = load_page(pdf(media=(23, 15)), 1, LIMITS)

    assert np.array_equal(page.grey, GREY)
    assert page.dpi == pytest.approx(300, rel=0.01)


def test_invisible_text_under_a_scan_does_not_cost_its_pixels() -> None:
    assert np.array_equal(read(pdf(media=(40, 27), after="BT 3 Tr /F 12 Tf (275) Tj ET")), GREY)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_pdf_page_is_turned_as_it_is_shown(turns: int) -> None:
    assert np.array_equal(read(pdf(page_entries=f"/Rotate {90 * turns}")), np.rot90(GREY, -turns))


def test_a_scan_placed_upside_down_or_mirrored_on_its_page_is_read_as_shown() -> None:
    assert difference(read(pdf(place="96 0 0 -64 0 64")), np.flipud(GREY)) <= 1
    assert difference(read(pdf(place="-96 0 0 64 96 0")), np.fliplr(GREY)) <= 1
    assert difference(read(pdf(media=(64, 96), place="0 96 -64 0 64 0")), np.rot90(GREY)) <= 1


def test_an_inverting_decode_array_is_honoured() -> None:
    assert np.array_equal(read(pdf(entries="/Decode[1 0]")), 255 - GREY)


def test_a_scan_stored_as_a_stencil_is_black_where_it_paints() -> None:
    stencil = zlib.compress(np.packbits(BITS > 0, axis=1).tobytes())

    content = pdf_of(stencil, "/ImageMask true/BitsPerComponent 1/Filter/FlateDecode")

    assert np.array_equal(read(content), BITS)


def test_what_is_printed_over_a_scan_is_seen_at_the_scans_own_size() -> None:
    page = read(pdf(after="0 g 48 32 20 20 re f"))

    assert page.shape == GREY.shape
    assert page[20, 58] == 0


def test_a_clipped_or_cropped_scan_shows_only_what_the_page_shows() -> None:
    clipped = read(pdf(place="1 0 0 1 0 0 cm 0 0 40 40 re W n 96 0 0 64 0 0"))
    cropped = read(pdf(page_entries="/CropBox[0 0 48 64]"))

    assert clipped[5, 5] == 255
    assert cropped.shape == (267, 200)


def test_a_pdf_page_without_a_scan_is_rendered_at_300_dpi() -> None:
    page = load_page(pdf(media=(144, 72), place="10 0 0 10 5 5", after="0 g 72 0 72 72 re f"), 1, LIMITS)

    assert page.grey.shape == (300, 600)
    assert page.dpi == 300
    assert page.grey[150, 450] == 0
    assert page.grey[20, 20] == 255


# Broken and hostile files


def refusal(content: bytes, number: int = 1, limits: ScanLimits = LIMITS) -> str:
    with pytest.raises(ScanError) as refused:
        load_page(content, number, limits)
    return str(refused.value)


def test_an_empty_file_and_one_that_is_no_scan_are_named_as_such() -> None:
    assert "empty" in refusal(b"")
    assert "no scan" in refusal(b"Dear Sir or Madam")
    with pytest.raises(ScanError, match="no scan"):
        count_pages(b"PK\3\4 a spreadsheet", LIMITS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(GREY, "PNG"), id="PNG"),
        pytest.param(saved(GREY, "JPEG"), id="JPEG"),
        pytest.param(saved(GREY, "JPEG", progressive=True), id="JPEG progressive"),
        pytest.param(tiff_of([GREY]), id="TIFF"),
        pytest.param(tiff_of([GREY], compression="tiff_lzw"), id="TIFF LZW"),
        pytest.param(tiff_of([GREY], compression="tiff_adobe_deflate"), id="TIFF Deflate"),
        pytest.param(saved(BITS, "TIFF", mode="1", compression="group4"), id="TIFF G4"),
        pytest.param(saved(GREY, "TIFF", compression="jpeg"), id="TIFF JPEG"),
        pytest.param(pdf(), id="PDF"),
    ],
)
def test_a_truncated_file_is_refused_wherever_it_was_cut(content: bytes) -> None:
    for percent in (3, 20, 40, 60, 80, 95):
        refusal(content[: max(20, len(content) * percent // 100)])


def test_what_follows_the_end_of_a_png_does_no_harm() -> None:
    assert np.array_equal(read(saved(GREY, "PNG") + b"left over by a mail gateway"), GREY)


def test_a_truncated_jpeg_inside_a_pdf_is_refused() -> None:
    jpeg = saved(GREY, "JPEG")

    reason = refusal(
        pdf_of(jpeg[: len(jpeg) // 2], "/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode")
    )

    assert "truncated" in reason


def test_a_damaged_png_is_refused_by_its_checksum() -> None:
    content = bytearray(saved(GREY, "PNG"))
    content[len(content) // 2] ^= 1

    assert "damaged" in refusal(bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png_header(30_000, 30_000), id="PNG"),
        pytest.param(raw_tiff(np.zeros((2000, 2000), np.uint8), 1), id="TIFF"),
        pytest.param(saved(Image.new("1", (2000, 2000)), "JPEG", mode="L"), id="JPEG"),
        pytest.param(
            pdf_of(b"", "/ColorSpace/DeviceGray/BitsPerComponent 8", size=(30_000, 30_000)), id="PDF image"
        ),
        pytest.param(pdf(media=(9000, 9000), place="9 0 0 9 0 0"), id="PDF page"),
    ],
)
def test_enormous_pages_are_refused_from_their_headers(content: bytes) -> None:
    began = time.monotonic()

    assert "megapixels" in refusal(content)
    assert time.monotonic() - began < 1


def test_a_png_that_claims_a_chunk_of_four_gigabytes_is_refused_at_once() -> None:
    content = saved(GREY, "PNG").replace(b"IDAT", b"\xff\xff\xff\xf0IDAT")
    start = content.index(b"IDAT")
    content = content[: start - 8] + content[start - 4 :]  # the claim in place of the length
    began = time.monotonic()

    assert "damaged" in refusal(content)
    assert time.monotonic() - began < 1


def test_too_many_bytes_and_too_many_pages_name_the_setting_that_allows_more() -> None:
    assert "DIGITMILL_MAX_FILE_MB" in refusal(saved(GREY, "PNG"), limits=ScanLimits(100, 1_000_000, 50))
    for content in (tiff_of([GREY] * 3), pdf(pages=1_000_000)):
        with pytest.raises(ScanError, match="DIGITMILL_MAX_PAGES"):
            count_pages(content, ScanLimits(5_000_000, 1_000_000, 2))


def test_a_hundred_thousand_directories_are_refused_at_once() -> None:
    content = endless_tiff(100_000)
    began = time.monotonic()

    with pytest.raises(ScanError, match="DIGITMILL_MAX_PAGES"):
        count_pages(content, LIMITS)
    assert time.monotonic() - began < 1


def test_a_tiff_whose_pages_run_in_a_circle_is_refused() -> None:
    content = bytearray(endless_tiff(2))
    content[-4:] = (8).to_bytes(4, "little")

    assert "circle" in refusal(bytes(content))


def test_an_encrypted_pdf_says_so() -> None:
    locked = (
        b"/Encrypt<</Filter/Standard/V 1/R 2/Length 40/P -4"
        b"/O<0000000000000000000000000000000000000000000000000000000000000001>"
        b"/U<0000000000000000000000000000000000000000000000000000000000000001>>>"
        b"/ID[<0000000000000001><0000000000000001>]"
    )
    content = pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R" + locked)

    assert "encrypted" in refusal(content)


def test_a_pdf_without_pages_says_so() -> None:
    content = pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[     ]/Count 0")

    with pytest.raises(ScanError, match="no pages"):
        count_pages(content, LIMITS)


def test_a_page_that_is_not_there_is_an_error_not_another_page() -> None:
    for content in (saved(GREY, "PNG"), tiff_of([GREY]), pdf()):
        refusal(content, number=2)
        refusal(content, number=0)


def test_pixels_no_scanner_writes_are_refused() -> None:
    assert "32-bit" in refusal(saved(Image.new("F", (8, 8)), "TIFF"))


def test_memory_that_runs_out_is_a_scan_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("worker.scans.picture.cv2.imdecode", no_memory)

    assert "memory" in refusal(saved(GREY, "PNG"))


def test_kinds_are_told_by_content() -> None:
    assert sniff_kind(saved(GREY, "PNG")) is ScanKind.PNG
    assert sniff_kind(saved(GREY, "JPEG")) is ScanKind.JPEG
    assert sniff_kind(raw_tiff(GREY, 1, big=True)) is ScanKind.TIFF
    assert sniff_kind(b"\n\n" + pdf()) is ScanKind.PDF
    assert sniff_kind(saved(GREY, "BMP")) is None
    assert sniff_kind(b"") is None
