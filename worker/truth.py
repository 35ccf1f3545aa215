"""What truly stands on scans, from a file that somebody wrote: a page a JSON line or a field a CSV row.

    {"file": "a/1.png", "page": 1, "fields": [{"name": "votes", "value": "_275", "box": [388, 232, 72, 28]}]}

    file,page,field,value,box
    a/1.png,1,votes,_275,388 232 72 28

`value` has one character a printed box: 0-9, "_" blank, "X" struck out, "?" not readable. The page is 1 where
it is left out. Where the box is, readings are matched by value. In CSV a row without a field means a page
without fields. The CSV of `digitmill results`, corrected, will do as well.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.errors import NoUsableInput, PathUnreadable
from worker.measures import BLANK, CROSS, UNREADABLE, Truth

CHARACTERS = frozenset("0123456789" + BLANK + CROSS + UNREADABLE)
COLUMNS = ("field", "value")  # that a CSV needs beside the file


class TruthUnreadable(NoUsableInput):
    """A line of the file with the truth cannot be understood."""


@dataclass(frozen=True, slots=True)
class TruePage:
    """The true fields of a page, none where nothing may be read. Fields with letters in them are left out."""

    file: str  # relative to the folder of scans, with /
    page: int
    fields: tuple[Truth, ...]
    is_photo: bool = False
    note: str = ""


def read_truth(path: Path) -> tuple[TruePage, ...]:
    """Return the pages of a file in its order.

    Raises PathUnreadable, and TruthUnreadable, which names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TruthUnreadable(f"{path} is not UTF-8 text; export it as UTF-8") from error
    except OSError as error:
        raise PathUnreadable(f"{path}: {error.strerror}") from error
    pages = tuple(_from_csv(path, text) if path.suffix.lower() == ".csv" else _from_json_lines(path, text))
    seen = set[tuple[str, int]]()
    for page in pages:
        if (page.file, page.page) in seen:
            raise TruthUnreadable(f"{path}: {page.file} page {page.page} is there twice; keep one of them")
        seen.add((page.file, page.page))
    if not pages:
        raise TruthUnreadable(f"{path} is empty; it needs a line for each page")
    return pages


def _from_json_lines(path: Path, text: str) -> Iterator[TruePage]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            fields = tuple(_field(each) for each in record["fields"] if not each.get("letters"))
            is_photo, note = record.get("capture") == "photo", record.get("note") or ""
            yield TruePage(str(record["file"]), int(record.get("page") or 1), fields, is_photo, note)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TruthUnreadable(f"{path} line {number}: {_said(error)}") from error


def _from_csv(path: Path, text: str) -> Iterator[TruePage]:
    rows = csv.DictReader(text.splitlines())
    columns = rows.fieldnames or ()
    file_column = "document" if "document" in columns else "file"
    missing = [column for column in (file_column, *COLUMNS) if column not in columns]
    if missing:
        raise TruthUnreadable(f"{path} line 1: no column {', '.join(missing)} among {', '.join(columns)}")
    pages: dict[tuple[str, int], list[Truth]] = {}
    for row in rows:
        try:
            fields = pages.setdefault((row[file_column], int(row.get("page") or 1)), [])
            if row["field"]:
                edges = (row.get("box") or "").replace("|", " ").split()
                fields.append(_field({"name": row["field"], "value": row["value"], "box": edges}))
        except (ValueError, TypeError) as error:
            raise TruthUnreadable(f"{path} line {rows.line_num}: {_said(error)}") from error
    for (file, page), fields in pages.items():
        yield TruePage(file, page, tuple(fields))


def _field(record: Mapping[str, Any]) -> Truth:
    name, value, edges = str(record["name"]), record["value"], record.get("box")
    if not isinstance(value, str) or not set(value) <= CHARACTERS:
        raise ValueError(f"the value of {name} is {value!r}; write 0-9, _ blank, X struck out, ? unreadable")
    if edges and len(edges) != 4:
        raise ValueError(f"the box of {name} is {edges}; write x, y, width and height")
    return Truth.from_record({"name": name, "value": value, "box": [float(edge) for edge in edges or ()]})


def _said(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
