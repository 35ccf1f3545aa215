"""A sheet on a desk before a hand-held phone: perspective, uneven light, shadow, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.forms.damage import Image
from training.forms.draw import MM_PER_INCH
from training.forms.page_damage import (
    Homography,
    PageDamage,
    Taken,
    corners_of,
    jpeg,
    moved,
    noisy,
    shift,
    turn,
    warp,
)

PHOTOS = (
    PageDamage.PHOTO,
    PageDamage.PHOTO_TILTED,
    PageDamage.PHOTO_TURNED,
    PageDamage.PHOTO_SHADOW,
    PageDamage.PHOTO_DIM,
)
DISTANCE_MM = (330.0, 480.0)  # from which a phone's frame holds an A4 sheet
TILTED_DEGREES, USUAL_TILT = (12.0, 20.0), (1.0, 9.0)
HAND_TURN = 3.5  # standard deviation, degrees
FILLED = (0.74, 0.95)  # of the frame's height or width, by the sheet
ASPECT = 4 / 3
COARSENESS = 8  # light and shadow are that much smaller than the picture before they are laid over it

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Look:
    """How light falls on the desk, and how well the phone copes with it."""

    exposure: float
    shadow: float  # how much of the light it takes; 0: none
    blur_px: float
    noise: float
    quality: int


def photograph(sheet: Image, damage: PageDamage, dpi: float, rng: np.random.Generator) -> Taken:
    """Take a picture of a grey sheet drawn at `dpi`; about so many pixels an inch it has there too."""
    look = _look(damage, dpi, rng)
    view, size = _view(sheet, damage, dpi, rng)
    tone = float(rng.uniform(0.84, 0.98))
    inside = warp(np.full_like(sheet, 255), view, size, 0).astype(np.float32) / np.float32(255)
    paper = warp(sheet, view, size, 255).astype(np.float32) * np.float32(tone)
    lit = (_desk(size, inside, rng) * (1 - inside) + paper * inside) * _light(size, look, rng)
    soft = cv2.GaussianBlur(lit, (0, 0), look.blur_px)
    image = noisy(np.asarray(np.clip(soft, 0, 255), np.uint8), look.noise, rng)
    return Taken(jpeg(image, look.quality), (view,))


def _look(damage: PageDamage, dpi: float, rng: np.random.Generator) -> _Look:
    is_dim = damage is PageDamage.PHOTO_DIM
    shadow = 0.0
    if damage is PageDamage.PHOTO_SHADOW:
        shadow = float(rng.uniform(0.3, 0.6))
    elif rng.random() < 0.25:
        shadow = float(rng.uniform(0.1, 0.25))
    return _Look(
        exposure=float(rng.uniform(0.4, 0.65) if is_dim else rng.uniform(0.85, 1.08)),
        shadow=shadow,
        blur_px=float(rng.uniform(0.8, 1.2) if is_dim else rng.uniform(0.4, 0.8)) * dpi / 170,
        noise=float(rng.uniform(6, 11) if is_dim else rng.uniform(1.5, 5)),
        quality=int(rng.integers(60, 75) if is_dim else rng.integers(72, 93)),
    )


def _view(
    sheet: Image, damage: PageDamage, dpi: float, rng: np.random.Generator
) -> tuple[Homography, tuple[int, int]]:
    """Return where the sheet's pixels go, and the width and height of the picture."""
    tilt = np.radians(rng.uniform(*(TILTED_DEGREES if damage is PageDamage.PHOTO_TILTED else USUAL_TILT)))
    towards = rng.uniform(0, 2 * np.pi)
    away = float(rng.uniform(*DISTANCE_MM)) * dpi / MM_PER_INCH
    degrees = float(np.clip(rng.normal(0, HAND_TURN), -10, 10))
    if damage is PageDamage.PHOTO_TURNED:
        degrees += float(rng.choice((-90, 90, 180)))
    height, width = sheet.shape
    view = turn(degrees) @ _tilted(float(tilt), float(towards), away) @ shift(-width / 2, -height / 2)
    ends = moved(view, corners_of(sheet))
    low, extent = ends.min(axis=0), np.ptp(ends, axis=0)
    frame = extent / rng.uniform(*FILLED)
    shape = np.array((1.0, ASPECT) if extent[1] > extent[0] else (ASPECT, 1.0))
    frame = shape * (frame / shape).max()
    at = (frame - extent) * rng.uniform(0.2, 0.8, 2)
    columns, rows = np.ceil(frame).astype(int).tolist()
    return shift(*(at - low)) @ view, (columns, rows)


def _tilted(tilt: float, towards: float, away: float) -> Homography:
    """Return how a plane through the origin looks that is tilted, from so far away (a pinhole camera)."""
    lean = turn(np.degrees(towards))
    squeezed = np.array([[np.cos(tilt), 0, 0], [0, 1, 0], [np.sin(tilt) / away, 0, 1]])
    return np.asarray(lean @ squeezed @ np.linalg.inv(lean), np.float64)


def _desk(size: tuple[int, int], inside: Plane, rng: np.random.Generator) -> Plane:
    """Return wood, cloth or a plain table top, darker where the sheet's edge casts its shadow."""
    width, height = size
    grain = rng.choice(((3, 160), (160, 3), (40, 40), (400, 400)))  # cells across and down
    rough = rng.standard_normal((min(int(grain[1]), height), min(int(grain[0]), width))).astype(np.float32)
    texture = cv2.resize(rough, size, interpolation=cv2.INTER_LINEAR) * np.float32(rng.uniform(1, 14))
    edge = cv2.resize(inside, (width // COARSENESS, height // COARSENESS), interpolation=cv2.INTER_AREA)
    edge = cv2.resize(cv2.GaussianBlur(edge, (0, 0), float(rng.uniform(0.8, 3))), size)
    shaded = 1 - np.float32(rng.uniform(0.1, 0.5)) * edge
    return np.asarray((np.float32(rng.uniform(25, 200)) + texture) * shaded, np.float32)


def _light(size: tuple[int, int], look: _Look, rng: np.random.Generator) -> Plane:
    """Return the share of the light that reaches each pixel: a lamp to one side, and who stands before it."""
    width, height = size[0] // COARSENESS + 1, size[1] // COARSENESS + 1
    slow = cv2.resize(rng.uniform(0.72, 1.0, (3, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    light = slow * look.exposure
    if look.shadow:
        light *= 1 - look.shadow * _cast(width, height, rng)
    return np.asarray(cv2.resize(light.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _cast(width: int, height: int, rng: np.random.Generator) -> Plane:
    """Return the soft shadow of a hand that holds a phone, reaching in from one side: 1 where it is full."""
    shadow = np.zeros((height, width), np.float32)
    from_side = rng.uniform(0, 2 * np.pi)
    inwards = -np.array((np.cos(from_side), np.sin(from_side)))
    middle = np.array((width, height)) * (0.5 + rng.uniform(-0.15, 0.15, 2))
    arm = np.array((middle - inwards * (width + height), middle))
    thickness = max(1, round(width * rng.uniform(0.15, 0.4)))
    ends = [(round(x), round(y)) for x, y in arm.tolist()]
    cv2.line(shadow, ends[0], ends[1], (1.0,), thickness)
    phone = (tuple(middle.tolist()), (0.45 * width, 0.85 * width), float(np.degrees(from_side)) + 90)
    cv2.fillConvexPoly(shadow, np.rint(cv2.boxPoints(phone)).astype(np.int32), (1.0,))
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), float(rng.uniform(1.5, 8))), np.float32)
