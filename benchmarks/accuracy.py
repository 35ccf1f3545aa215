"""How well pages are read: drawn pages with floors, hard ones with goals, then real pages where they are.

`python -m benchmarks.accuracy` prints floors and goals; --write puts all figures into docs/accuracy.md;
--failures DIR draws contact sheets of what was missed. Exits 1 where a floor is not met; goals only show.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import chain
from pathlib import Path

import cv2

from benchmarks.accuracy_hard import ROUND, default_rules, hard_goals, pages_again, read_hard
from benchmarks.accuracy_page import accuracy_page
from benchmarks.accuracy_runs import (
    PHOTOS,
    Floor,
    boxed_fields,
    drawn_floors,
    read_drawn,
    read_real,
    real_goals,
    validation_digits,
)
from benchmarks.contact_sheets import write_contact_sheets
from worker.recogniser import Recogniser

REPOSITORY = Path(__file__).resolve().parent.parent
DRAWN_PAGES = 100
BEYOND_DPIS = (100, 600)  # read too, but no floor holds there
BEYOND_SEEDS = range(200, 208)
HARD_PAGES = 2 * ROUND  # every kind under every damage, by two hands
REAL_SETS = ("kawalc1-c1", "omrchecker", "markus-exams", "nist-sd19-hsf")
PHOTO_SETS = ("kawalc1-c1", "idea-c.digital")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR",
                        help="folder of mnist/ and forms/ (default: %(default)s)")  # fmt: skip
    parser.add_argument("--pages", type=int, metavar="N",
                        help=f"drawn and hard pages (default: {DRAWN_PAGES}, {HARD_PAGES})")  # fmt: skip
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="that read hard pages (default: %(default)s)")  # fmt: skip
    parser.add_argument("--model", type=Path, help="ONNX file (default: the one that ships)")
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    parser.add_argument(
        "--failures", type=Path, metavar="DIR", help="draw contact sheets of the misses there"
    )
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    recogniser = Recogniser.load(chosen.model)
    digits = validation_digits(chosen.data)

    hard = read_hard(range(chosen.pages or HARD_PAGES), chosen.data, chosen.model, processes=chosen.processes)
    drawn = list(read_drawn(recogniser, digits, range(chosen.pages or DRAWN_PAGES)))
    beyond = {
        f"{dpi} dpi": list(read_drawn(recogniser, digits, BEYOND_SEEDS, dpis=(dpi,))) for dpi in BEYOND_DPIS
    }
    rules = default_rules(recogniser)
    folders = {name: (chosen.data / "forms" / name, False) for name in REAL_SETS}
    folders |= {name + PHOTOS: (chosen.data / "forms" / name, True) for name in PHOTO_SETS}
    real = {
        name: list(read_real(recogniser, folder, photos=photos, rules=rules))
        for name, (folder, photos) in folders.items()
        if folder.is_dir()
    }
    floors = drawn_floors(drawn)
    if "kawalc1-c1" in real:
        found = boxed_fields(real["kawalc1-c1"]).fields_found
        floors.append(Floor("kawalc1-c1: boxed fields found", 0.80, found))
    for floor in floors:
        print(f"{floor.measure:32} {floor.value:8.4f}  {floor.demand:10} {'met' if floor.met else 'NOT MET'}")
    print("Goals:")
    for goal in (*hard_goals(hard), *real_goals(real)):
        print(f"{goal.measure:40} {goal.value:8.4f}  {goal.demand:14} {'met' if goal.met else 'NOT MET'}")
    if chosen.failures:
        pages = chain(drawn, *real.values(), pages_again(hard, chosen.data))
        for sheet in write_contact_sheets(chosen.failures, pages):
            print(sheet)
    if chosen.write:
        page = REPOSITORY / "docs" / "accuracy.md"
        page.write_text(accuracy_page(recogniser, floors, drawn, beyond, real, hard=hard), encoding="utf-8")
        print(page)
    return 0 if all(floor.met for floor in floors) else 1


if __name__ == "__main__":
    sys.exit(main())
