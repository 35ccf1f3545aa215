"""THE PIXEL CONTRACT: ink becomes a glyph here, for training and inference alike, so they cannot drift.

Whoever changes what `normalise` returns gives GLYPH_RECIPE another name, retrains, and ships both in one
commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

GLYPH_RECIPE = "mnist-mass-1"
"""Longest side 20 px, centre of mass on pixel (14, 14), strokes of 2 px at least, brightest pixel 255."""

GLYPH_SIDE = 28
INK_SIDE = 20  # px of the digit's longer side within a glyph, as in MNIST
MASS_CENTRE = 14.0  # measured on MNIST: the mean centre of mass is pixel 14.00, by whole-pixel shifts
THINNEST_STROKE = (
    2.0  # px within a glyph; MNIST's median is 2.5, and thinner pens fade when they are made small
)

Glyph = npt.NDArray[np.uint8]
"""(28, 28) uint8, light ink on black."""

Glyphs = npt.NDArray[np.uint8]
"""(n, 28, 28) uint8."""

Ink = npt.NDArray[np.uint8]
"""(height, width) uint8 of any size, light ink on black, one digit and nothing else."""

_PLACES = np.arange(INK_SIDE, dtype=np.float32)
_MOMENTS = np.stack(
    [np.ones(INK_SIDE**2, np.float32), np.repeat(_PLACES, INK_SIDE), np.tile(_PLACES, INK_SIDE)], axis=1
)
"""Of each pixel of a scaled digit: one, its row and its column, whose sums tell where its mass is."""


class BlankCell(ValueError):
    """There is no ink to make a glyph of."""


def normalise(ink: Ink) -> Glyph:
    """Return the digit's ink, scaled to 20 px and centred by mass on 28 x 28 (LeCun 1998).

    Expects light ink on black, uint8, any size. Raises BlankCell where there is none. An MNIST image comes
    back as it is.
    """
    (glyph,) = normalise_all([ink])
    return np.asarray(glyph)


def normalise_all(inks: Sequence[Ink]) -> Glyphs:
    """Return what `normalise` does of each of these, (n, 28, 28) uint8; of many at once it is quicker."""
    digits = [_crop(ink) for ink in inks]
    for thin, lacking in _thin(digits):
        for index, thick in zip(thin, _thickened([digits[index] for index in thin], lacking), strict=True):
            digits[index] = thick
    small = np.zeros((len(digits), INK_SIDE, INK_SIDE), np.uint8)
    shapes = np.array([digit.shape for digit in digits]).reshape(-1, 2)
    scales = INK_SIDE / shapes.max(axis=1)
    sizes = np.maximum(1, np.rint(shapes * scales[:, None])).astype(int)
    resized = zip(digits, small, sizes.tolist(), (scales < 1).tolist(), strict=True)
    for digit, each, (rows, columns), is_smaller in resized:
        how = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
        cv2.resize(digit, (columns, rows), each[:rows, :columns], interpolation=how)
    return _centred_by_mass(small, sizes)


def _crop(ink: Ink) -> Ink:
    x, y, width, height = cv2.boundingRect(ink)
    if width == 0 or height == 0:
        raise BlankCell("no ink in this cell")
    return ink[y : y + height, x : x + width]


def _thin(digits: Sequence[Ink]) -> Iterator[tuple[list[int], int]]:
    """Yield which digits' strokes are so many px thinner than they shall be, for each such number."""
    thinnest = np.array([THINNEST_STROKE / INK_SIDE * max(digit.shape) for digit in digits])
    lacking = np.rint(thinnest - stroke_widths(digits)).astype(int)
    for each in np.unique(lacking[lacking > 0]).tolist():
        yield np.flatnonzero(lacking == each).tolist(), each


def _thickened(digits: Sequence[Ink], lacking: int) -> list[Ink]:
    """Return the digits with strokes that are so many px thicker."""
    spread, places = _side_by_side(digits, 2 * lacking)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (lacking + 1, lacking + 1))
    thick = np.asarray(cv2.dilate(spread, brush), np.uint8)
    return [
        _crop(thick[:, left - lacking : left + digit.shape[1] + lacking])
        for digit, left in zip(digits, places, strict=True)
    ]


def _side_by_side(digits: Sequence[Ink], gap: int) -> tuple[Ink, list[int]]:
    """Return one image of all digits, with a gap between and around them, and the first column of each."""
    ends = np.cumsum([gap, *(digit.shape[1] + gap for digit in digits)])
    places = ends[:-1].tolist()
    image = np.zeros((max(len(digit) for digit in digits) + 2 * gap, ends[-1]), np.uint8)
    for digit, left in zip(digits, places, strict=True):
        height, width = digit.shape
        image[gap : gap + height, left : left + width] = digit
    return image, places


def stroke_widths(digits: Sequence[Ink]) -> npt.NDArray[np.float64]:
    """Return the mean width of each one's strokes in px: twice their area over the length of their outline.

    Counting pixel edges overstates that length, by 4 / pi over all directions.
    """
    if not digits:
        return np.empty(0)
    spread, places = _side_by_side(digits, 1)
    solid = np.right_shift(spread, 7)
    upright, level = cv2.absdiff(solid[:, 1:], solid[:, :-1]), cv2.absdiff(solid[1:], solid[:-1])
    area, edges = _sums(solid), _sums(level)
    edges[:-1] += _sums(upright)
    starts = [place - 1 for place in places]
    area, edges = (np.add.reduceat(each, starts) for each in (area, edges))
    return np.asarray(np.where(edges, 8.0 / np.pi * area / np.maximum(1, edges), 0.0))


def _sums(columns: cv2.typing.MatLike) -> npt.NDArray[np.int_]:
    return np.asarray(cv2.reduce(columns, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.int_).ravel()


def _centred_by_mass(small: Glyphs, sizes: npt.NDArray[np.int_]) -> Glyphs:
    """Return the digits, each at the top left of its image and so many rows and columns large, in glyphs."""
    count = len(small)
    flat = small.reshape(count, INK_SIDE**2).astype(np.float32)
    mass, *moments = (flat @ _MOMENTS).T
    middle = np.stack(moments, axis=1) / mass[:, None]
    first = np.rint(MASS_CENTRE - middle).astype(int).clip(0, GLYPH_SIDE - sizes)
    bright = np.rint(flat * (255 / flat.max(axis=1))[:, None]).astype(np.uint8)
    glyphs = np.zeros((count, GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    digits = zip(glyphs, bright.reshape(small.shape), first.tolist(), sizes.tolist(), strict=True)
    for glyph, digit, (top, left), (height, width) in digits:
        glyph[top : top + height, left : left + width] = digit[:height, :width]
    return glyphs
