"""PDF through pdfium: a page that is one scan gives that scan's own pixels, any other is rendered."""

from __future__ import annotations

import math
import re
from contextlib import closing

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from segmentation.page import Page
from worker.errors import ScanError
from worker.scans.limits import ScanLimits

RENDER_DPI = 300
_POINTS_PER_INCH = 72
_EDGE_TOLERANCE = 0.005  # of the page; producers round an image's place on it
_END_SEARCH_BYTES = 65536  # some producers leave rubbish after the end mark
_JUST_BELOW = 1 - 1e-6  # rendering rounds its size up, so a hair too much would cost a pixel
_JPEG_END = b"\xff\xd9"
_JPEG_END_SEARCH_BYTES = 64  # zeros and line ends may follow


def count_pages(content: bytes) -> int:
    with closing(_open(content)) as document:
        return len(document)


def load_page(content: bytes, number: int, limits: ScanLimits) -> Page:
    """Return one page as it is shown, in grey.

    Raises ScanError for encrypted and damaged files, and where the page or an image on it is over the pixel
    limit: pdfium itself would leave a huge image out and return white paper.
    """
    with closing(_open(content)) as document:
        try:
            with closing(document[number - 1]) as page:
                return _grey_page(page, content, limits)
        except (pdfium.PdfiumError, IndexError) as error:
            raise ScanError(
                f"page {number} of the PDF is damaged or missing; print it to a new PDF"
            ) from error


def _grey_page(page: pdfium.PdfPage, content: bytes, limits: ScanLimits) -> Page:
    images = list(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE]))
    for image in images:
        limits.check_pixels(*image.get_px_size())
    scan = images[0] if len(images) == 1 and _fills(page, images[0]) else None
    dots_per_point = RENDER_DPI / _POINTS_PER_INCH
    if scan is not None:
        dots_per_point = max(scan.get_px_size()) / max(page.get_size())
    limits.check_pixels(*(math.ceil(side * dots_per_point) for side in page.get_size()))
    if scan is not None and _shows_only(page, scan, content):
        grey = np.rot90(_own_pixels(scan), -page.get_rotation() // 90)
    else:
        grey = _grey(page.render(scale=dots_per_point * _JUST_BELOW, grayscale=True))
    return Page(np.ascontiguousarray(grey), dots_per_point * _POINTS_PER_INCH)


def _fills(page: pdfium.PdfPage, image: pdfium.PdfImage) -> bool:
    """Whether the image lies edge to edge on what is shown of the page."""
    shown = page.get_bbox()
    tolerance = _EDGE_TOLERANCE * max(page.get_size())
    return all(abs(a - b) <= tolerance for a, b in zip(image.get_bounds(), shown, strict=True))


def _shows_only(page: pdfium.PdfPage, image: pdfium.PdfImage, content: bytes) -> bool:
    """Whether the image's own pixels, unturned and unmasked, are all that the page shows."""
    a, b, c, d, _, _ = image.get_matrix().get()
    upright = a > 0 and d > 0 and abs(b) + abs(c) <= _EDGE_TOLERANCE * (a + d)
    clipped = pdfium_c.FPDFClipPath_CountPaths(pdfium_c.FPDFPageObj_GetClipPath(image)) > 0
    stencil = image.get_metadata().colorspace == pdfium_c.FPDF_COLORSPACE_UNKNOWN
    annotated = pdfium_c.FPDFPage_GetAnnotCount(page) > 0
    alone = all(
        thing.type == pdfium_c.FPDF_PAGEOBJ_IMAGE
        or (
            thing.type == pdfium_c.FPDF_PAGEOBJ_TEXT
            and pdfium_c.FPDFTextObj_GetTextRenderMode(thing) == pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE
        )
        for thing in page.get_objects()
    )
    # pdfium does not tell whether an image has a mask, so any in the file counts; they are never compressed.
    masked = re.search(rb"/S?Mask\b", content) is not None
    return upright and alone and not (clipped or stencil or annotated or masked)


def _own_pixels(image: pdfium.PdfImage) -> npt.NDArray[np.uint8]:
    """Return the image's pixels with its colour space and decode array applied, its place on the page not."""
    if image.get_filters()[-1:] == ["DCTDecode"]:
        jpeg = bytes(image.get_data(decode_simple=True))
        if _JPEG_END not in jpeg[-_JPEG_END_SEARCH_BYTES:]:  # pdfium would fill what is missing with grey
            raise ScanError("the JPEG inside the PDF is truncated; scan it again")
    return _grey(image.get_bitmap())


def _grey(bitmap: pdfium.PdfBitmap) -> npt.NDArray[np.uint8]:
    """Return a copy that outlives the document."""
    pixels = bitmap.to_numpy()
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.array(pixels.reshape(pixels.shape[:2]), np.uint8)
    to_grey = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(pixels, to_grey), np.uint8)


def _open(content: bytes) -> pdfium.PdfDocument:
    if b"%%EOF" not in content[-_END_SEARCH_BYTES:]:  # pdfium mends such a file silently, with pages missing
        raise ScanError("the PDF is truncated: its end mark is missing; copy it again")
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        # For a file without pages, pdfium leaves the code of whatever error came before.
        locked = error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY)
        if locked and b"/Encrypt" in content:
            raise ScanError("the PDF is encrypted; save it without a password") from error
        raise ScanError("the PDF is damaged or has no pages; print it to a new PDF") from error
