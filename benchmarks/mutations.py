"""Pages that no form looks like: does anything raise, come out misshapen, or take too long?

`python -m benchmarks.mutations --pages 1500` draws pages, spoils each in one to three ways that its
seed picks, reads them, and prints what came of each way and the seeds to look at.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.page import Page
from training.forms import draw_spec, random_hard_form, random_spec
from worker.pipeline import Classify, read_page
from worker.readings import FieldReading, PageReading
from worker.recogniser import Recogniser

Grey = npt.NDArray[np.uint8]
Mutation = Callable[[Grey, np.random.Generator], Grey]

DPIS = (100, 150)  # so that a page takes little time
DRAWN = 12  # pages that mutations start from: drawing takes longer than reading
MOST_CELLS = 4000  # of a page: squared paper has as many
FAR_OFF = 0.2  # of the page's longer side, by which a box may reach beyond it
SLOW = 25  # times an unspoilt page, that a page may take
MOST_WAYS = 3  # in which one page is spoilt


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one page. `trouble` is empty where all is well."""

    seed: int
    ways: tuple[str, ...]
    seconds: float  # of CPU time
    fields: int
    trouble: str


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutations", description=__doc__)
    parser.add_argument("--pages", type=int, default=5000, help="default: %(default)s")
    parser.add_argument("--first", type=int, default=0, help="the first seed; default: %(default)s")
    asked = parser.parse_args()
    classify = Recogniser.load()
    usual = usual_seconds(classify)
    outcomes = list(read_mutated(range(asked.first, asked.first + asked.pages), classify))
    print("\n".join(table(outcomes, usual)))


def usual_seconds(classify: Classify) -> float:
    """Return the CPU time that a page takes which nobody spoilt, the median of the drawn ones."""
    return median(_timed(_drawn(index), classify)[1] for index in range(DRAWN))


def read_mutated(seeds: Iterable[int], classify: Classify) -> Iterator[Outcome]:
    for seed in seeds:
        grey, ways = mutated(seed)
        try:
            reading, seconds = _timed(grey, classify)
        except (ArithmeticError, LookupError, TypeError, ValueError, MemoryError, cv2.error) as error:
            yield Outcome(seed, ways, 0.0, 0, f"{type(error).__name__}: {str(error).splitlines()[0]}")
        else:
            yield Outcome(seed, ways, seconds, len(reading.fields), misshapen(reading, grey.shape))


def mutated(seed: int) -> tuple[Grey, tuple[str, ...]]:
    """Return the page of a seed, and the names of the ways in which it is spoilt, in turn."""
    rng = np.random.default_rng((seed, 9))
    grey = _drawn(seed % DRAWN)
    ways = rng.choice(list(MUTATIONS), size=int(rng.integers(1, MOST_WAYS + 1)), replace=False).tolist()
    for way in ways:
        grey = np.ascontiguousarray(MUTATIONS[way](grey, rng), np.uint8)
    return grey, tuple(ways)


def misshapen(reading: PageReading, shape: tuple[int, ...]) -> str:
    """Return what is wrong with a reading as such, whatever stands on the page; empty if nothing is."""
    names = [field.name for field in reading.fields]
    if len(set(names)) < len(names):
        return "two fields of one name"
    if sum(len(field.readings) for field in reading.fields) > MOST_CELLS:
        return "too many cells"
    if not math.isfinite(reading.skew_degrees) or abs(reading.skew_degrees) > 45:
        return f"skew {reading.skew_degrees}"
    if not reading.fields and not reading.reason:
        return "nothing found and no reason given"
    return next(filter(None, (_misshapen_field(field, shape) for field in reading.fields)), "")


def _misshapen_field(field: FieldReading, shape: tuple[int, ...]) -> str:
    if not field.readings:
        return f"{field.name} has no cells"
    confidences = [field.confidence, *(reading.confidence for reading in field.readings)]
    if not all(0 <= confidence <= 1 + 1e-6 for confidence in confidences):
        return f"{field.name} has a confidence of {min(confidences)} to {max(confidences)}"
    far = FAR_OFF * max(shape)
    for box in (field.box, *(reading.box for reading in field.readings)):
        if box.width <= 0 or box.height <= 0:
            return f"{field.name} has an empty box"
        if box.x < -far or box.y < -far or box.right > shape[1] + far or box.bottom > shape[0] + far:
            return f"{field.name} lies off the page"
    return ""


def table(outcomes: list[Outcome], usual: float) -> Iterator[str]:
    """Yield the lines of a table by way of spoiling, and the seeds to look at."""
    yield f"{len(outcomes)} pages; an unspoilt one takes {1000 * usual:.0f} ms\n"
    yield "| spoilt by | pages | with fields | median time | longest | troubled |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for way in (*MUTATIONS, "all"):
        of_way = [each for each in outcomes if way in (*each.ways, "all")]
        if of_way:
            times = [each.seconds / usual for each in of_way]
            found = sum(each.fields > 0 for each in of_way)
            troubled = sum(bool(each.trouble) for each in of_way)
            cells = (len(of_way), found, f"{median(times):.1f} x", f"{max(times):.1f} x", troubled)
            yield f"| {way} | {' | '.join(map(str, cells))} |"
    for each in sorted(outcomes, key=lambda outcome: -outcome.seconds)[:5]:
        yield f"slow: seed {each.seed}, {each.seconds / usual:.1f} x, {', '.join(each.ways)}"
    for each in outcomes:
        if each.trouble:
            yield f"trouble: seed {each.seed}, {', '.join(each.ways)}: {each.trouble}"


def _timed(grey: Grey, classify: Classify) -> tuple[PageReading, float]:
    before = time.process_time()
    reading = read_page(Page(grey), classify)
    return reading, time.process_time() - before


@cache
def _drawn(index: int) -> Grey:
    """Return a page with plain boxes or, every third, one with harder ones, made small."""
    if index % 3 < 2:
        return draw_spec(random_spec(index, dpis=DPIS)).page.grey
    return _resized(random_hard_form(index).page.grey, 0.6, 0.6)


def _resized(grey: Grey, across: float, down: float) -> Grey:
    size = max(1, round(grey.shape[1] * across)), max(1, round(grey.shape[0] * down))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _part(
    grey: Grey, rng: np.random.Generator, least: float = 0.02, most: float = 0.6
) -> tuple[slice, slice]:
    """Return a random rectangle of a page, that is at least a pixel wide and high."""

    def stretch(size: int) -> slice:
        length = max(1, round(size * rng.uniform(least, most)))
        start = int(rng.integers(size - length + 1))
        return slice(start, start + length)

    return stretch(grey.shape[0]), stretch(grey.shape[1])


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Grey:
    """Return grain of a random size and of two shades or many."""
    grain = int(rng.choice([1, 1, 2, 3, 4, 6, 8]))
    small = rng.integers(0, 256, tuple(-(-size // grain) for size in shape), np.uint8)
    if rng.random() < 0.5:
        small = np.where(small < rng.integers(1, 255), 0, 255).astype(np.uint8)
    return np.kron(small, np.ones((grain, grain), np.uint8))[: shape[0], : shape[1]]


def _crop(grey: Grey, rng: np.random.Generator) -> Grey:
    return grey[_part(grey, rng, 0.05, 0.9)]


def _strip(grey: Grey, rng: np.random.Generator) -> Grey:
    """Leave a strip of one to 40 pixels, level or upright."""
    cut = int(rng.integers(1, 41))
    at = int(rng.integers(min(grey.shape)))
    return grey[at : at + cut] if rng.random() < 0.5 else grey[:, at : at + cut]


def _thumbnail(grey: Grey, rng: np.random.Generator) -> Grey:
    return _resized(grey, *(rng.uniform(0.002, 0.4, 2).tolist()))


def _stretch(grey: Grey, rng: np.random.Generator) -> Grey:
    return _resized(grey, *(rng.uniform(0.3, 1.8, 2).tolist()))


def _paste(grey: Grey, rng: np.random.Generator) -> Grey:
    page = grey.copy()
    for _ in range(int(rng.integers(1, 12))):
        part = grey[_part(grey, rng)]
        y, x = (int(rng.integers(size)) for size in grey.shape)
        room = page[y : y + part.shape[0], x : x + part.shape[1]]
        room[:] = part[: room.shape[0], : room.shape[1]]
    return page


def _band(grey: Grey, rng: np.random.Generator) -> Grey:
    page = grey.copy()
    for _ in range(int(rng.integers(1, 6))):
        where = _part(page, rng)
        page[where] = _noise(page[where].shape, rng)
    return page


def _only_noise(grey: Grey, rng: np.random.Generator) -> Grey:
    return _noise(grey.shape, rng)


def _warp(grey: Grey, rng: np.random.Generator) -> Grey:
    height, width = grey.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + rng.uniform(-0.3, 0.3, (4, 2)).astype(np.float32) * (width, height)
    how = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return np.asarray(cv2.warpPerspective(grey, how, (width, height), borderValue=(255,)), np.uint8)


def _wave(grey: Grey, rng: np.random.Generator) -> Grey:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    length, depth = rng.uniform(20, 400), rng.uniform(1, 15)
    across = (x + depth * np.sin(y / length)).astype(np.float32)
    down = (y + depth * np.sin(x / length)).astype(np.float32)
    return np.asarray(cv2.remap(grey, across, down, cv2.INTER_LINEAR, borderValue=(255,)), np.uint8)


def _turn(grey: Grey, rng: np.random.Generator) -> Grey:
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(0, 360), rng.uniform(0.5, 1.5))
    return np.asarray(cv2.warpAffine(grey, turn, (width, height), borderValue=(255,)), np.uint8)


def _tone(grey: Grey, rng: np.random.Generator) -> Grey:
    """Make it black or white, or nearly so, or of few shades, or inverted."""
    factor, lift = float(rng.choice([-1, 0, 0.02, 0.1, 0.5, 3, 30])), rng.uniform(-255, 255)
    return np.asarray(np.clip((grey - 128.0) * factor + 128 + lift, 0, 255), np.uint8)


def _plain(grey: Grey, rng: np.random.Generator) -> Grey:
    return np.full(grey.shape, rng.choice([0, 1, 127, 254, 255]), np.uint8)


def _tiles(grey: Grey, rng: np.random.Generator) -> Grey:
    tile = grey[_part(grey, rng, 0.01, 0.2)]
    times = [-(-size // own) for size, own in zip(grey.shape, tile.shape, strict=True)]
    return np.asarray(np.tile(tile, times)[: grey.shape[0], : grey.shape[1]], np.uint8)


def _lines(grey: Grey, rng: np.random.Generator) -> Grey:
    page = grey.copy()
    for _ in range(int(rng.integers(1, 300))):
        x1, x2 = rng.integers(0, grey.shape[1], 2).tolist()
        y1, y2 = rng.integers(0, grey.shape[0], 2).tolist()
        level = rng.random()
        end = (x2, y1) if level < 0.4 else (x1, y2) if level < 0.8 else (x2, y2)
        cv2.line(page, (x1, y1), end, (int(rng.integers(0, 150)),), int(rng.integers(1, 6)))
    return page


def _grid(grey: Grey, rng: np.random.Generator) -> Grey:
    page = grey.copy()
    where = _part(page, rng, 0.3, 1.0)
    across, down = rng.integers(3, 60, 2).tolist()
    for line in range(int(rng.integers(1, 3))):
        page[where][line::down] = 60
        page[where][:, line::across] = 60
    return page


MUTATIONS: dict[str, Mutation] = {
    "crop": _crop,
    "strip": _strip,
    "thumbnail": _thumbnail,
    "stretch": _stretch,
    "pasted parts": _paste,
    "bands of noise": _band,
    "only noise": _only_noise,
    "perspective": _warp,
    "waves": _wave,
    "turn": _turn,
    "tone": _tone,
    "one shade": _plain,
    "tiles": _tiles,
    "lines": _lines,
    "grid": _grid,
}

if __name__ == "__main__":
    main()
