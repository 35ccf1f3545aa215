"""How well pages are read: drawn pages with floors, then real scans where they are.

`python -m benchmarks.accuracy` prints the floors; --write puts all figures into docs/accuracy.md;
--failures DIR draws contact sheets of what was missed. Exits 1 where a floor is not met.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2

from benchmarks.accuracy_page import accuracy_page
from benchmarks.accuracy_runs import (
    Floor,
    boxed_fields,
    drawn_floors,
    read_drawn,
    read_real,
    validation_digits,
)
from benchmarks.contact_sheets import write_contact_sheets
from worker.recogniser import Recogniser

REPOSITORY = Path(__file__).resolve().parent.parent
BEYOND_DPIS = (100, 600)  # read too, but no floor holds there
BEYOND_SEEDS = range(200, 208)
REAL_SETS = ("kawalc1-c1", "omrchecker", "markus-exams", "nist-sd19-hsf")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR",
                        help="folder of mnist/ and forms/ (default: %(default)s)")  # fmt: skip
    parser.add_argument("--pages", type=int, default=100, help="drawn pages (default: %(default)s)")
    parser.add_argument("--model", type=Path, help="ONNX file (default: the one that ships)")
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    parser.add_argument(
        "--failures", type=Path, metavar="DIR", help="draw contact sheets of the misses there"
    )
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    recogniser = Recogniser.load(chosen.model)
    digits = validation_digits(chosen.data)

    drawn = list(read_drawn(recogniser, digits, range(chosen.pages)))
    beyond = {
        f"{dpi} dpi": list(read_drawn(recogniser, digits, BEYOND_SEEDS, dpis=(dpi,))) for dpi in BEYOND_DPIS
    }
    folders = [chosen.data / "forms" / name for name in REAL_SETS]
    real = {folder.name: list(read_real(recogniser, folder)) for folder in folders if folder.is_dir()}
    floors = drawn_floors(drawn)
    if "kawalc1-c1" in real:
        found = boxed_fields(real["kawalc1-c1"]).fields_found
        floors.append(Floor("kawalc1-c1: boxed fields found", 0.80, found))
    for floor in floors:
        print(f"{floor.measure:32} {floor.value:8.4f}  {floor.demand:10} {'met' if floor.met else 'NOT MET'}")
    if chosen.failures:
        pages = [*drawn, *(page for pages in real.values() for page in pages)]
        for sheet in write_contact_sheets(chosen.failures, pages):
            print(sheet)
    if chosen.write:
        page = REPOSITORY / "docs" / "accuracy.md"
        page.write_text(accuracy_page(recogniser, floors, drawn, beyond, real), encoding="utf-8")
        print(page)
    return 0 if all(floor.met for floor in floors) else 1


if __name__ == "__main__":
    sys.exit(main())
