"""What befalls a whole page on its way into the computer, on a scanner's glass or before a phone.

Pages are moved by homographies (3 x 3) whose coordinates are edges of pixels, as those of boxes are: the
middle of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from training.forms.damage import Damage, Image, inflict
from training.forms.draw import MM_PER_INCH

Homography = npt.NDArray[np.float64]

SKEWED_DEGREES = (5.0, 15.0)
EVERYDAY_DEGREES = 1.2  # standard deviation of how straight people lay a sheet on the glass
JPEG_QUALITY = 40
LOW_DIGIT_PX = (13.0, 16.0)  # height of a usual digit at low resolution; small hands write 9 px then
WHITE, LID = 255, (12, 70)  # tones of a scanner's lid, light and dark


class PageDamage(StrEnum):
    NONE = "none"
    UPSIDE_DOWN = "upside down"
    QUARTER_TURN = "quarter turn"
    SKEW = "skew of 5° to 15°"
    UNEVEN = "uneven paper"
    FAINT = "faint print and ink"
    SPECKLE = "speckle"
    WATERMARK = "watermark"
    BLEED_THROUGH = "bleed-through"
    LOW_RESOLUTION = "low resolution"
    JPEG = "JPEG quality 40"
    ONE_BIT = "1-bit, broken strokes"
    DARK_BORDER = "dark borders"
    SPREAD = "two-page spread"
    PHOTO = "photo"
    PHOTO_TILTED = "photo, tilted 12° to 20°"
    PHOTO_TURNED = "photo, turned"
    PHOTO_SHADOW = "photo, shadow"
    PHOTO_DIM = "photo, dim light"


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A page as the computer has it, and where each sheet on it lies: from its pixels to the page's."""

    image: Image
    views: tuple[Homography, ...]


def scan(
    sheets: Sequence[Image],
    damage: PageDamage,
    dpi: float,
    rng: np.random.Generator,
    *,
    verso: Image | None = None,
    digit_px: float = 0.0,
) -> Taken:
    """Lay one sheet, or the two of a spread, on the glass.

    Sheets are grey and drawn at `dpi`. `verso` is what stands on the back of a sheet that shows through;
    `digit_px` the height of a digit on it, which low resolution goes by.
    """
    sheets = [_on_paper(sheet, damage, rng, verso) for sheet in sheets]
    taken = _spread(sheets, dpi, rng) if damage is PageDamage.SPREAD else _laid(sheets[0], damage, dpi, rng)
    if damage is PageDamage.LOW_RESOLUTION:
        taken = _reduced(taken, float(rng.uniform(*LOW_DIGIT_PX)) / digit_px)
    return Taken(_sensed(taken.image, damage, dpi, rng), taken.views)


def moved(view: Homography, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return where points (n, 2) come to lie."""
    there = np.column_stack([points, np.ones(len(points))]) @ view.T
    return np.asarray(there[:, :2] / there[:, 2:], np.float64)


def warp(image: Image, view: Homography, size: tuple[int, int], border: int) -> Image:
    """Return the image moved, on a page of that width and height."""
    centred = (
        shift(-0.5, -0.5) @ view @ shift(0.5, 0.5)
    )  # OpenCV's pixels have their middles at whole numbers
    there = cv2.warpPerspective(image, centred, size, flags=cv2.INTER_LINEAR, borderValue=(border,))
    return np.asarray(there, np.uint8)


def shift(x: float, y: float) -> Homography:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def turn(degrees: float) -> Homography:
    """Return a turn about the origin; clockwise is positive."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def corners_of(image: Image) -> npt.NDArray[np.float64]:
    height, width = image.shape[:2]
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def _on_paper(image: Image, damage: PageDamage, rng: np.random.Generator, verso: Image | None) -> Image:
    if damage is PageDamage.WATERMARK:
        return _watermarked(image, rng)
    if damage is PageDamage.BLEED_THROUGH and verso is not None:
        share = float(rng.uniform(0.12, 0.25))
        behind = cv2.GaussianBlur(cv2.flip(verso, 1), (0, 0), float(rng.uniform(0.8, 2.0)))
        behind = cv2.resize(behind, (image.shape[1], image.shape[0]))
        return np.asarray(np.clip(image - (255.0 - behind) * share, 0, 255), np.uint8)
    return image


def _watermarked(image: Image, rng: np.random.Generator) -> Image:
    """Return the page over a pale word, once and large across it or many times and small."""
    height, width = image.shape
    word, font = str(rng.choice(("OFFICIAL", "COPY", "SPECIMEN", "2024"))), cv2.FONT_HERSHEY_DUPLEX
    tone = (int(rng.integers(200, 232)),)
    pale = np.full((width, width), 255, np.uint8)
    if rng.random() < 0.5:
        size = 0.8 * width / cv2.getTextSize(word, font, 1.0, 1)[0][0]
        cv2.putText(pale, word, (width // 10, width // 2), font, size, tone, max(2, width // 60), cv2.LINE_AA)
    else:
        size = width / 700
        step = round(cv2.getTextSize(word, font, size, 2)[0][0] * 1.25)
        for row, y in enumerate(range(0, width, round(34 * size))):
            for x in range(-(row % 2) * step // 2, width, step):
                cv2.putText(pale, word, (x, y), font, size, tone, max(1, width // 600), cv2.LINE_AA)
    across = turn(float(rng.uniform(-50, 50))) @ shift(-width / 2, -width / 2)
    pale = warp(pale, shift(width / 2, height / 2) @ across, (width, height), 255)
    return np.asarray(np.minimum(image, pale), np.uint8)


def _laid(image: Image, damage: PageDamage, dpi: float, rng: np.random.Generator) -> Taken:
    degrees = float(np.clip(rng.normal(0, EVERYDAY_DEGREES), -3, 3)) if rng.random() < 0.7 else 0.0
    if damage is PageDamage.SKEW:
        degrees = float(rng.uniform(*SKEWED_DEGREES) * rng.choice((-1, 1)))
    elif damage is PageDamage.UPSIDE_DOWN:
        degrees += 180
    elif damage is PageDamage.QUARTER_TURN:
        degrees += float(rng.choice((-90, 90)))
    if damage is not PageDamage.DARK_BORDER:
        return _placed([image], [turn(degrees)], (0, 0, 0, 0), WHITE)
    margins = rng.uniform(1, 12, 4) * (rng.random(4) < 0.75) * dpi / MM_PER_INCH
    return _placed([image], [turn(degrees)], tuple(margins.tolist()), int(rng.integers(*LID)))


def _spread(sheets: Sequence[Image], dpi: float, rng: np.random.Generator) -> Taken:
    """Two pages of an open book or folder, each a little askew, with the shade of the fold between them."""
    left, right = (turn(float(rng.normal(0, 0.6))) for _ in sheets)
    dark = rng.random() < 0.6
    right = shift(sheets[0].shape[1] + float(rng.uniform(0, 3)) * dpi / MM_PER_INCH, 0) @ right
    margins = (rng.uniform(1, 8, 4) * dpi / MM_PER_INCH).tolist() if dark else [0.0] * 4
    lid = int(rng.integers(*LID)) if dark else WHITE
    taken = _placed(sheets, [left, right], tuple(margins), lid)
    fold = moved(taken.views[1], corners_of(sheets[1])[:1])[0, 0]
    away = np.abs(np.arange(taken.image.shape[1]) - fold) * MM_PER_INCH / dpi  # mm
    shade = 1 - float(rng.uniform(0.2, 0.6)) * np.exp(-((away / float(rng.uniform(3, 8))) ** 2))
    return Taken(np.asarray(taken.image * shade[None, :], np.uint8), taken.views)


def _placed(
    sheets: Sequence[Image], turns: Sequence[Homography], margins: Sequence[float], lid: int
) -> Taken:
    """Lay sheets on a page that holds all of them and `margins` to the left, above, right and below."""
    ends = np.concatenate([moved(view, corners_of(sheet)) for view, sheet in zip(turns, sheets, strict=True)])
    low, high = ends.min(axis=0) - margins[:2], ends.max(axis=0) + margins[2:]
    width, height = np.ceil(high - low - 1e-6).astype(int).tolist()
    views = tuple(shift(-low[0], -low[1]) @ view for view in turns)
    page = np.full((height, width), lid, np.uint8)
    for sheet, view in zip(sheets, views, strict=True):
        paper = warp(np.full_like(sheet, 255), view, (width, height), 0)
        page = np.where(paper > 127, warp(sheet, view, (width, height), lid), page)
    return Taken(page, views)


def _reduced(taken: Taken, factor: float) -> Taken:
    height, width = taken.image.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = np.asarray(cv2.resize(taken.image, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.diag([size[0] / width, size[1] / height, 1.0])
    return Taken(small, tuple(scale @ view for view in taken.views))


def _sensed(image: Image, damage: PageDamage, dpi: float, rng: np.random.Generator) -> Image:
    """What optics, sensor and file make of it: a little of everything every day, and one thing in excess."""
    if rng.random() < 0.7 and damage is not PageDamage.LOW_RESOLUTION:
        softness = float(rng.uniform(0.3, 0.8)) * dpi / 200
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), softness), np.uint8)
    if damage in _OLD:
        image = inflict(image, _OLD[damage], dpi, rng)
    if rng.random() < 0.6:
        image = noisy(image, float(rng.uniform(1, 5)), rng)
    if damage is PageDamage.ONE_BIT:
        return _bits(image, dpi, rng)
    if damage is PageDamage.JPEG:
        return jpeg(image, JPEG_QUALITY)
    return jpeg(image, int(rng.integers(75, 93))) if rng.random() < 0.5 else image


def _bits(image: Image, dpi: float, rng: np.random.Generator) -> Image:
    """Black and white by one threshold, where toner was so thin here and there that strokes break."""
    height, width = image.shape
    grain = MM_PER_INCH / dpi / float(rng.uniform(0.4, 0.9))  # one over pixels of a thin place
    coarse = rng.uniform(0, 1, (round(height * grain) + 2, round(width * grain) + 2)).astype(np.float32)
    toner = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip(1.12 - 0.5 * np.clip(toner - 0.62, 0, 1) / 0.3, 0.3, 1.0)
    threshold = float(rng.uniform(170, 195))
    return np.where(255 - (255.0 - image) * share > threshold, 255, 0).astype(np.uint8)


def noisy(image: Image, deviation: float, rng: np.random.Generator) -> Image:
    """Return the image with a sensor's noise."""
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(deviation)
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)


def jpeg(image: Image, quality: int) -> Image:
    """Return the image as it comes out of a JPEG file."""
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), np.uint8)


_OLD = {
    PageDamage.UNEVEN: Damage.UNEVEN,
    PageDamage.FAINT: Damage.FAINT,
    PageDamage.SPECKLE: Damage.SPECKLE,
}
