"""What tests of the database and of batches share: both databases, drawn scans, a mill that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from training.forms.draw import draw_form
from worker.batches.mill import Mill, open_mill
from worker.database.engine import Database, open_database, upgrade
from worker.intake import ScanFile
from worker.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a database, without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/digitmill.db"
    new_database: Callable[[], str] = request.getfixturevalue("postgres_server")
    return new_database()


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    upgrade(empty_database_url)
    return empty_database_url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.read(database_url=database_url)


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    opened = open_mill(settings)
    yield opened
    opened.db.close()


@pytest.fixture
def write_scan(tmp_path: Path) -> Callable[..., ScanFile]:
    """A function that draws a form with these digits, once or on many pages, and returns the scan."""
    folder = tmp_path / "scans"
    folder.mkdir()

    def write(name: str, digits: str = "4071 93", pages: int = 1) -> ScanFile:
        page = draw_form(digits, dpi=120).image
        if pages == 1:
            cv2.imwrite(str(folder / name), page)
        else:
            cv2.imwritemulti(str(folder / name), [page] * pages)
        return ScanFile(folder.as_posix(), name, folder / name)

    return write
