"""Pictures of what was missed, for those who mend it. Of real forms too: keep them out of the repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.accuracy_runs import ReadPage
from segmentation.geometry import Box
from worker.measures import FieldScore, Read

TILE_WIDTH, TILE_HEIGHT, CAPTION = 420, 130, 20
COLUMNS, ROWS = 3, 9
RED, BLUE, BLACK = (0, 0, 230), (230, 100, 0), (0, 0, 0)

Picture = npt.NDArray[np.uint8]


def write_contact_sheets(folder: Path, pages: Iterable[ReadPage]) -> list[Path]:
    """Draw each missed field (true box red, read box blue) and the spurious readings, by cause."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles: dict[str, list[Picture]] = {}
    for cause, tile in _tiles(pages):
        tiles.setdefault(cause, []).append(tile)
    sheets = []
    for cause, pictures in sorted(tiles.items()):
        for number, start in enumerate(range(0, len(pictures), COLUMNS * ROWS), start=1):
            path = folder / f"{cause.replace(' ', '-')}-{number}.png"
            cv2.imwrite(str(path), _sheet(pictures[start : start + COLUMNS * ROWS]))
            sheets.append(path)
    return sheets


def _tiles(pages: Iterable[ReadPage]) -> Iterator[tuple[str, Picture]]:
    for page in pages:
        for score in page.score.fields:
            if score.miss:
                read = "-" if score.read is None else " ".join(cell or "_" for cell in score.read.cells)
                caption = f"{page.name} {score.truth.name}: {score.truth.value} read {read}"
                yield score.miss.value, _tile(page, _places(score), caption)
        for read_field in page.score.spurious:
            caption = (
                f"{page.name} {read_field.name}: read {' '.join(cell or '_' for cell in read_field.cells)}"
            )
            yield "spurious", _tile(page, [(read_field.box, BLUE)], caption)


def _places(score: FieldScore) -> list[tuple[Box, tuple[int, int, int]]]:
    read: Read | None = score.read
    return ([(score.truth.box, RED)] if score.truth.box else []) + ([(read.box, BLUE)] if read else [])


def _tile(page: ReadPage, places: Sequence[tuple[Box, tuple[int, int, int]]], caption: str) -> Picture:
    """Return the neighbourhood of the first place, or the whole page where there is none."""
    grey = page.page.grey
    picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    for box, colour in places:
        cv2.rectangle(picture, (box.x, box.y), (box.right, box.bottom), colour, max(1, grey.shape[1] // 1200))
    if places:
        box = places[0][0]
        margin = box.height // 2
        top, left = max(box.y - margin, 0), max(box.x - margin, 0)
        picture = picture[top : box.bottom + margin, left : box.right + margin]
    factor = min(TILE_WIDTH / picture.shape[1], (TILE_HEIGHT - CAPTION) / picture.shape[0])
    picture = np.asarray(
        cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )
    tile = np.full((TILE_HEIGHT, TILE_WIDTH, 3), 255, np.uint8)
    height, width = picture.shape[0], picture.shape[1]
    tile[CAPTION : CAPTION + height, :width] = picture[: TILE_HEIGHT - CAPTION, :TILE_WIDTH]
    cv2.putText(tile, caption, (4, 14), cv2.FONT_HERSHEY_PLAIN, 0.9, BLACK, 1, cv2.LINE_AA)
    return tile


def _sheet(tiles: Sequence[Picture]) -> Picture:
    empty = np.full((TILE_HEIGHT, TILE_WIDTH, 3), 255, np.uint8)
    filled = [*tiles, *[empty] * (-len(tiles) % COLUMNS)]
    rows = [np.hstack(filled[start : start + COLUMNS]) for start in range(0, len(filled), COLUMNS)]
    return np.vstack(rows)
