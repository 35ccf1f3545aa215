"""Digitmill beside what somebody would try instead, on the same drawn and real pages.

`python -m benchmarks.rivals` prints what was measured; --write puts it into benchmarks/rivals.md. A
model for the naive recipe: `digitmill-train fit --architecture deep --data mnist.npz --out runs/naive`.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2

from benchmarks.accuracy_runs import read_fields, validation_digits
from benchmarks.placed_pages import REAL_SETS, PlacedPage, drawn_pages, real_pages
from benchmarks.rival_readers import Reader, RivalMissing, naive, rapidocr, tesseract
from benchmarks.rivals_page import (
    DIGITMILL,
    NAIVE,
    NAIVE_THRESHOLDED,
    PAGE,
    RAPIDOCR,
    RAPIDOCR_DIGITS,
    TESSERACT,
    Standing,
    Standings,
    rivals_page,
)
from worker.measures import score_page
from worker.recogniser import Recogniser

REPOSITORY = Path(__file__).resolve().parent.parent
FIRST_SEED = 7_000  # of drawn pages that nobody looked at, and on which nothing was trained or chosen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals", description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR",
                        help="folder of mnist/ and forms/ (default: %(default)s)")  # fmt: skip
    parser.add_argument("--pages", type=int, default=100, help="drawn pages (default: %(default)s)")
    parser.add_argument("--model", type=Path, help="Digitmill's ONNX file (default: the one that ships)")
    parser.add_argument("--naive-model", type=Path, help="what the naive recipe reads with, an ONNX file "
                        "trained on plain MNIST (default: Digitmill's own)")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write benchmarks/rivals.md")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    recogniser = Recogniser.load(chosen.model)
    plain = Recogniser.load(chosen.naive_model) if chosen.naive_model else recogniser
    try:
        readers: dict[str, Reader] = {
            NAIVE: naive(plain),
            NAIVE_THRESHOLDED: naive(plain, thresholded=True),
            TESSERACT: tesseract(),
            RAPIDOCR: rapidocr(),
            RAPIDOCR_DIGITS: rapidocr(digits_only=True),
            DIGITMILL: lambda page, _places: read_fields(page, recogniser),
        }
    except RivalMissing as missing:
        print(missing, file=sys.stderr)
        return 2

    seeds = range(FIRST_SEED, FIRST_SEED + chosen.pages)
    sets = {"drawn": compare(readers, drawn_pages(seeds, validation_digits(chosen.data)))}
    folders = [chosen.data / "forms" / name for name in REAL_SETS]
    sets |= {folder.name: compare(readers, real_pages(folder)) for folder in folders if folder.is_dir()}
    page = rivals_page(sets, recogniser, plain)
    print(page)
    if chosen.write:
        PAGE.write_text(page, encoding="utf-8")
    return 0


def compare(readers: Mapping[str, Reader], pages: Iterable[PlacedPage]) -> Standings:
    """Let each reader read all pages; count what it got right, and the processor's time that it took."""
    standings = dict.fromkeys(readers, Standing())
    for page in pages:
        for name, read in readers.items():
            started = _cpu_seconds()
            reads = read(page.page, page.places)
            spent = _cpu_seconds() - started
            standings[name] += Standing((score_page(page.truths, reads),), spent)
    return standings


def _cpu_seconds() -> float:
    """Return the processor's time of this process and of those it waited for, on all cores."""
    spent = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


if __name__ == "__main__":
    sys.exit(main())
