"""Pages whose fields are known with their places: drawn ones, and the real scans where they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy_runs import SCAN_LIMITS
from segmentation.geometry import Point, Quad, enclosing_box
from segmentation.page import Page
from training.forms import DigitSource, draw_spec, random_spec
from training.trials import REAL_PLACES
from worker.measures import Truth
from worker.scans import load_page

REAL_SETS = ("kawalc1-c1", "omrchecker", "markus-exams", "nist-sd19-hsf")
DPIS = (150, 200, 300)
MARKED = REAL_PLACES
"""Places of fields that the truth has no places for: [x, y, width, height].

Most are those that Digitmill finds, looked over by eye; what it misses was marked by hand. A field that lies
upside down has a negative size: its first corner is the one at the top left for who reads it.
"""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedPage:
    """A page, what stands in its fields, and where these lie: quads, their corners as one reads."""

    name: str
    page: Page
    truths: tuple[Truth, ...]
    places: tuple[Quad, ...]


def drawn_pages(seeds: Iterable[int], digits: DigitSource | None) -> Iterator[PlacedPage]:
    """Draw a page for each seed; odd seeds are written with `digits`, if there are any."""
    for seed in seeds:
        form = draw_spec(random_spec(seed, dpis=DPIS), digits if seed % 2 else None)
        truths = tuple(Truth(field.name, field.value, field.box) for field in form.fields)
        yield PlacedPage(
            f"seed {seed}", form.page, truths, tuple(_along(field.cells) for field in form.fields)
        )


def real_pages(folder: Path) -> Iterator[PlacedPage]:
    """Take the scans (not the photos) of a folder with a truth.jsonl; fields that hold letters are left out.

    Raises KeyError for a field whose place neither the truth nor MARKED knows.
    """
    marked = json.loads(MARKED.read_text(encoding="utf-8"))
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        record: dict[str, Any] = json.loads(line)
        fields = [field for field in record["fields"] if not field.get("letters")]
        if record["capture"] != "scan" or not fields:
            continue
        page = load_page((folder / record["file"]).read_bytes(), record.get("page") or 1, SCAN_LIMITS)
        here = marked.get(f"{folder.name}/{record['file']}", {})
        places = tuple(_place(field, here) for field in fields)
        truths = tuple(
            Truth(field["name"], field["value"], enclosing_box([place]))
            for field, place in zip(fields, places, strict=True)
        )
        yield PlacedPage(record["file"], page, truths, places)


def _place(field: dict[str, Any], marked: dict[str, list[float]]) -> Quad:
    if field.get("quad"):
        return Quad(*(Point(x, y) for x, y in field["quad"]))
    x, y, width, height = field.get("box") or marked[field["name"]]
    return Quad(Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height))


def _along(cells: tuple[Quad, ...]) -> Quad:
    """Return the quad round the boxes of a field, from the first to the last."""
    first, last = cells[0], cells[-1]
    return Quad(first.top_left, last.top_right, last.bottom_right, first.bottom_left)
