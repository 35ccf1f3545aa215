"""The first minute: read the sample scans with the real commands, and compare what was read with the truth.

`make demo` runs it. Everything it makes lies in out/demo, which it empties first.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.measures import FieldScore, PageScore, Read, Truth, score_page, tally

REPOSITORY = Path(__file__).resolve().parent.parent
SCANS = Path("examples/scans")
TRUTH = REPOSITORY / "examples" / "truth.jsonl"
OUT = Path("out/demo")
BATCH = "demo"
DATABASE = f"sqlite:///{OUT}/digitmill.db"
DIGITMILL = Path(sys.executable).with_name("digitmill")

Record = dict[str, Any]


def main() -> None:
    console = Console()
    console.print(f"Starting afresh in {OUT}.")
    shutil.rmtree(REPOSITORY / OUT, ignore_errors=True)
    (REPOSITORY / OUT).mkdir(parents=True)

    digitmill("run", str(SCANS), "--batch", BATCH)
    records = [json.loads(line) for line in digitmill("results", BATCH, "--format", "jsonl").splitlines()]
    digitmill("overlay", BATCH, "-o", str(OUT / "overlay"))
    digitmill("report", BATCH, "-o", str(OUT / "report.html"))

    scores = compare(records)
    console.print(page_table(scores))
    for (document, number), page in scores.items():
        for score in page.fields:
            if not score.exact:
                console.print(describe_miss(document, number, score))
    total = tally(scores.values())
    console.print(
        f"\n{total.exact} of {total.fields} fields are read exactly; of {total.digits} digits "
        f"{total.digit_errors} are wrong. The forms are drawn by this project: this shows that "
        "everything works here, not how well your own will be read (docs/accuracy.md has numbers)."
    )
    console.print(f"\nThe scans with boxes and digits drawn on: {OUT / 'overlay'}")
    console.print(f"The batch as a page for the browser:      {OUT / 'report.html'}")
    console.print(f"The database:                             {OUT / 'digitmill.db'}")
    console.print(f"Now your own scans:                       {DIGITMILL.relative_to(REPOSITORY)} run FOLDER")


def digitmill(*arguments: str) -> str:
    """Run a command as it would be typed, and return its stdout; its talk goes to the terminal."""
    command = (str(DIGITMILL), *arguments, "--db", DATABASE)
    print(f"$ digitmill {shlex.join(command[1:])}", file=sys.stderr)
    ended = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        sys.exit(ended.returncode)
    return ended.stdout


def compare(records: list[Record]) -> dict[tuple[str, int], PageScore]:
    """Return how well each page of the truth was read, in the order of the truth."""
    read: dict[tuple[str, int], list[Read]] = defaultdict(list)
    for record in records:
        read[record["document"], record["page"]].append(Read.from_record(record))
    pages = [json.loads(line) for line in TRUTH.read_text("utf-8").splitlines()]
    return {
        (page["file"], page["page"]): score_page(
            [Truth.from_record(field) for field in page["fields"]], read[page["file"], page["page"]]
        )
        for page in pages
    }


def page_table(scores: dict[tuple[str, int], PageScore]) -> Table:
    table = Table("document", "page", "what was read", "fields right")
    for (document, number), page in scores.items():
        values = Text(" ").join(show(score) for score in page.fields)
        right = sum(score.exact for score in page.fields)
        table.add_row(document, str(number), values, f"{right} of {len(page.fields)}")
    return table


def show(score: FieldScore) -> Text:
    """A field as it was read: "-" where nobody wrote anything, red where it is wrong."""
    digits = score.read.digits if score.read else "?"
    return Text(digits or "-", style="" if score.exact else "bold red")


def describe_miss(document: str, number: int, score: FieldScore) -> Text:
    read = f"read {score.read.digits or 'nothing'}" if score.read else "not found"
    return Text(
        f"{document} page {number}, {score.truth.name}: {read}, truth {score.truth.digits}", style="red"
    )


if __name__ == "__main__":
    main()
