"""What a page costs in `digitmill run`, beside a bare decode of the same bytes; what a second process brings.

`python -m benchmarks.speed` prints the table; --write puts it into benchmarks/README.md. The command is
measured from outside, on a small and on a large batch: the difference is what pages cost, the rest start-up.
Costs are CPU time, the command's and its children's: that is per core, and what else the machine does matters
least to it. Only the gain of a second process is wall time.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from sqlalchemy import select

from training.forms import FieldKind, draw_form
from training.provenance import commit, machine
from worker.database.engine import open_database
from worker.database.tables import PageRow

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"

DISTINCT_PAGES = 6  # two of each kind of field; the batch repeats them
FEW = 6  # pages of the batch that tells what start-up costs
MOST_RATIO = {"JPEG": 2.2, "PNG": 1.4}  # of `digitmill run` to a bare decode
LEAST_GAIN = 1.8  # of two processes over one
GRAIN = 4.0  # grey levels, the standard deviation of a good scanner's noise; clean paper would decode faster
STAGES = ("decode", "find", "cut", "read", "store")


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    suffix: str
    encode: Callable[[Image.Image], bytes]
    decode: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call of the command took: wall and CPU seconds, and each page's milliseconds by stage."""

    wall_s: float
    cpu_s: float
    stages_ms: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One repeat of one format, in milliseconds a page; start-up in seconds."""

    decode_ms: float
    run_ms: float
    start_up_s: float
    stages_ms: Mapping[str, float]

    @property
    def ratio(self) -> float:
        return self.run_ms / self.decode_ms


def save(kind: str, **options: object) -> Callable[[Image.Image], bytes]:
    def encode(image: Image.Image) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, format=kind, dpi=(300, 300), **options)
        return buffer.getvalue()

    return encode


def save_black_and_white(image: Image.Image) -> bytes:
    return save("TIFF", compression="group4")(image.point(lambda grey: 255 * (grey > 160), mode="1"))


def decode_by_opencv(content: bytes) -> object:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def decode_by_pillow(content: bytes) -> object:
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


FORMATS = (
    Format("JPEG", ".jpg", save("JPEG", quality=85), decode_by_opencv),
    Format("PNG", ".png", save("PNG"), decode_by_opencv),
    # By Pillow: OpenCV takes half as long again.
    Format("TIFF G4", ".tif", save_black_and_white, decode_by_pillow),
)


def draw_pages(count: int) -> list[Image.Image]:
    """Draw A4 pages at 300 dpi, grainy, with about 100 filled boxes each: combs, separate boxes, tables."""
    rng = np.random.default_rng(0)
    pages = []
    for number in range(count):
        kind = list(FieldKind)[number % len(FieldKind)]
        fields, boxes = (16, 6) if kind is FieldKind.TABLE else (17, 6)
        values = " ".join("".join(map(str, rng.integers(0, 10, boxes))) for _ in range(fields))
        grey = draw_form(values, kind=kind, dpi=300, seed=number).page.grey
        grainy = np.clip(grey + rng.normal(0, GRAIN, grey.shape), 0, 255).astype(np.uint8)
        pages.append(Image.fromarray(grainy))
    return pages


def bare_decode_ms(form: Format, contents: Sequence[bytes]) -> float:
    """Return the CPU milliseconds a page that decoding to grey takes, and nothing else."""
    form.decode(contents[0])
    times = []
    for content in contents:
        began = time.process_time()
        form.decode(content)
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)


def run_digitmill(form: Format, contents: Sequence[bytes], pages: int, processes: int) -> Cost:
    """Run the command on a new batch of that many files, into a new SQLite database."""
    with tempfile.TemporaryDirectory(prefix="digitmill-speed-") as folder:
        scans = Path(folder) / "scans"
        scans.mkdir()
        for number in range(pages):
            (scans / f"{number:05d}{form.suffix}").write_bytes(contents[number % len(contents)])
        url = f"sqlite:///{folder}/speed.db"
        command = [
            sys.executable,
            "-m",
            "worker.cli",
            "run",
            str(scans),
            "--db",
            url,
            "--jobs",
            str(processes),
        ]
        began, used = time.monotonic(), children_cpu_s()
        subprocess.run(command, check=True, capture_output=True)
        cost = time.monotonic() - began, children_cpu_s() - used
        return Cost(*cost, _stages(url))


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stages(url: str) -> dict[str, list[float]]:
    stages = defaultdict(list)
    with closing(open_database(url)) as db, db.read() as connection:
        for stage_ms in connection.scalars(select(PageRow.stage_ms)):
            for stage, milliseconds in (stage_ms or {}).items():
                stages[stage].append(milliseconds)
    return stages


def measure(form: Format, contents: Sequence[bytes], pages: int) -> Measured:
    """Measure one format once: a bare decode and the whole command, in one process, one after the other."""
    decode_ms = bare_decode_ms(form, contents)
    few = run_digitmill(form, contents, FEW, processes=1)
    many = run_digitmill(form, contents, FEW + pages, processes=1)
    page_s = (many.cpu_s - few.cpu_s) / pages
    stages = {stage: statistics.median(times) for stage, times in many.stages_ms.items()}
    return Measured(decode_ms, 1000 * page_s, few.cpu_s - FEW * page_s, stages)


def gain_of_two(form: Format, contents: Sequence[bytes], pages: int) -> float:
    """Return how much faster two processes read a large batch than one does, start-up apart."""
    page_s = []
    for processes in (1, 2):
        few = run_digitmill(form, contents, FEW, processes)
        many = run_digitmill(form, contents, FEW + pages, processes)
        page_s.append((many.wall_s - few.wall_s) / pages)
    return page_s[0] / page_s[1]


def speed_section(
    measured: Mapping[str, Sequence[Measured]],
    sizes: Mapping[str, float],
    gains: Sequence[float],
    pages: int,
) -> str:
    """Return what stands between the marks in the README. `sizes` are megabytes a page."""
    names = list(measured)
    rows = [["", *names], ["---"] * (len(names) + 1)]
    rows.append(["file, MB", *(f"{sizes[name]:.2f}" for name in names)])

    def add(title: str, value: Callable[[Measured], float], digits: int = 0) -> None:
        rows.append([title, *(spread(map(value, measured[name]), digits) for name in names)])

    add("bare decode, ms", lambda one: one.decode_ms)
    add("`digitmill run`, ms a page", lambda one: one.run_ms)
    add("**ratio**", lambda one: one.ratio, 2)
    for stage in STAGES:
        add(f"of it {stage}, ms", partial(_stage_ms, stage))
    add("pages a second and core", lambda one: 1000 / one.run_ms, 1)
    add("start-up, s", lambda one: one.start_up_s, 1)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)

    ratios = {name: statistics.median(one.ratio for one in measured[name]) for name in MOST_RATIO}
    verdicts = "\n".join(
        f"- {name}: {ratios[name]:.2f} times a bare decode, {_verdict(ratios[name] <= most)} the goal of at "
        f"most {most:g}."
        for name, most in MOST_RATIO.items()
    )
    gain = statistics.median(gains)
    return f"""{table}

{verdicts}
- Two processes: {spread(gains, 2)} times as fast as one, {_verdict(gain >= LEAST_GAIN)} the goal of at \
least {LEAST_GAIN:g}.

Median (lowest to highest) of {len(gains)} repeats with {pages} pages each after the {FEW} that warm up. \
{_circumstances()}"""


def _stage_ms(stage: str, one: Measured) -> float:
    return one.stages_ms[stage]


def _verdict(met: bool) -> str:
    return "within" if met else "outside"


def spread(values: Iterable[float], digits: int) -> str:
    ordered = sorted(values)
    median = statistics.median(ordered)
    return f"{median:.{digits}f} ({ordered[0]:.{digits}f} to {ordered[-1]:.{digits}f})"


def _circumstances() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("opencv-python", "onnxruntime", "pillow"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, {machine()}, "
        f"load {os.getloadavg()[0]:.1f} at the end; "
        f"Python {platform.python_version()}, {versions}."
    )


def with_section(readme: str, section: str) -> str:
    """Return the README with a new section between its marks. Raises ValueError where it has none."""
    before, found_begin, rest = readme.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise ValueError(f"no {BEGIN} and {END} in the README")
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    arguments.add_argument("--pages", type=int, default=120, help="of a batch (default: %(default)s)")
    arguments.add_argument("--repeats", type=int, default=5, help="(default: %(default)s)")
    arguments.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)

    drawn = draw_pages(DISTINCT_PAGES)
    contents = {form.name: [form.encode(page) for page in drawn] for form in FORMATS}
    measured: dict[str, list[Measured]] = defaultdict(list)
    gains = []
    for repeat in range(chosen.repeats):
        for form in FORMATS:
            measured[form.name].append(measure(form, contents[form.name], chosen.pages))
        gains.append(gain_of_two(FORMATS[0], contents[FORMATS[0].name], chosen.pages))
        print(f"repeat {repeat + 1} of {chosen.repeats} done", file=sys.stderr)
    sizes = {name: statistics.mean(map(len, files)) / 1e6 for name, files in contents.items()}
    section = speed_section(measured, sizes, gains, chosen.pages)
    print(section)
    if chosen.write:
        README.write_text(with_section(README.read_text(encoding="utf-8"), section), encoding="utf-8")


if __name__ == "__main__":
    main()
