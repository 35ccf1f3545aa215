"""`digitmill overlay`: the scans with what was read drawn on them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath

import click
from PIL.Image import Image
from rich.console import Console
from rich.progress import track
from rich.text import Text

from worker.cli.exit_codes import ExitCode
from worker.cli.options import database_option, path_type
from worker.database.engine import open_database
from worker.database.queries import StoredPage, page_results, read_pages
from worker.errors import NoUsableInput, ScanError
from worker.originals import Originals
from worker.overlay import draw_overlay
from worker.settings import Settings
from worker.stage_pictures import draw_stages

SUFFIXES = {"jpeg": ".jpg", "png": ".png"}


@click.command()
@click.argument("batch")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=path_type,
    metavar="DIR",
    help="Where the pictures go; made where it is not there.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(SUFFIXES)),
    default="jpeg",
    show_default=True,
    help="Of the pictures.",
)
@click.option(
    "--stages",
    is_flag=True,
    help="Draw a folder of pictures a page instead, one for each stage, numbered: the page as it is decoded, "
    "print and lines, boxes, fields, cells before and after cleaning, the reading.",
)
@database_option
def command(batch: str, folder: Path, form: str, stages: bool, settings: Settings) -> ExitCode:
    """Draw boxes, digits and confidence on the scans of BATCH: one picture a page that was read.

    A scan that is gone or has changed since it was read is named and left out, and the exit code is 3. With
    --stages boxes are looked for anew, as this version finds them; the reading is the stored one.
    """
    console = Console(stderr=True)
    originals = Originals.of(settings)
    drawn = 0
    with closing(open_database(settings.database_url, must_exist=True)) as db:
        pages = read_pages(db, batch)
        if not pages:
            raise NoUsableInput(
                f"No page of batch {batch!r} has been read yet: digitmill status shows how far it is"
            )
        folders = _folders_by_root(pages)
        for page in track(pages, "Drawing", console=console, disable=not console.is_terminal, transient=True):
            try:
                scan = originals.load_page(page.root, page.document, page.sha256, page.number)
            except ScanError as error:
                console.print(
                    Text(f"{page.document} page {page.number}: {error}", style="red"), soft_wrap=True
                )
                continue
            caption = f"{page.document}, page {page.number}" + (f": {page.reason}" if page.reason else "")
            records = page_results(db, page.id)
            # No document's path leads out of its root: reading it would have failed.
            target = folder / folders[page.root] / f"{page.document}.page-{page.number}"
            if stages:
                for number, (stage, picture) in enumerate(draw_stages(scan, records, caption), start=1):
                    _save(picture, target / f"{number}-{stage}{SUFFIXES[form]}")
            else:
                picture = draw_overlay(scan.grey, records, caption)
                _save(picture, target.with_name(target.name + SUFFIXES[form]))
            drawn += 1
    console.print(
        f"{drawn} of {len(pages)} pages drawn into {folder}", markup=False, highlight=False, soft_wrap=True
    )
    return ExitCode.OK if drawn == len(pages) else ExitCode.PAGES_FAILED


def _save(picture: Image, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, quality=85)


def _folders_by_root(pages: Iterable[StoredPage]) -> dict[str, str]:
    """Return the subfolder of each scan root: none for a single root, else one each."""
    roots = list(dict.fromkeys(page.root for page in pages))
    if len(roots) == 1:
        return {roots[0]: ""}
    return {root: f"{number}-{PurePosixPath(root).name}" for number, root in enumerate(roots, start=1)}
