from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from training.forms import draw_form
from worker.batches.mill import open_mill
from worker.batches.submission import submit
from worker.batches.work import work_on_document, work_on_page
from worker.cli import main
from worker.cli.exit_codes import ExitCode
from worker.intake import find_scans
from worker.settings import Settings


@pytest.fixture(scope="module")
def read_scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of batch "forms" and the two scans it holds, one of them in a subfolder."""
    folder = tmp_path_factory.mktemp("read")
    scans = folder / "scans"
    (scans / "north").mkdir(parents=True)
    for name, values in (("a.png", "275 1041"), ("north/a.jpg", "88 93")):
        cv2.imwrite(str(scans / name), draw_form(values).image)
    settings = Settings.read(database_url=f"sqlite:///{folder}/read.db")
    mill = open_mill(settings)
    with closing(mill.db):
        submission = submit(mill.db, "forms", find_scans([scans], {}).scans)
        for document_id in submission.new_documents:
            for page_id in work_on_document(mill, document_id):
                work_on_page(mill, page_id)
    return folder


@pytest.fixture
def scans(read_scans: Path) -> Iterator[Path]:
    """The scans, put back as they were after the test."""
    kept = read_scans / "kept"
    shutil.copytree(read_scans / "scans", kept)
    yield read_scans / "scans"
    shutil.rmtree(read_scans / "scans")
    kept.rename(read_scans / "scans")


def digitmill(read_scans: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--db", f"sqlite:///{read_scans}/read.db"])


def files_below(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def test_overlay_draws_one_picture_a_page_named_after_its_document(read_scans: Path, tmp_path: Path) -> None:
    ran = digitmill(read_scans, "overlay", "forms", "-o", str(tmp_path / "new" / "folder"))

    assert ran.exit_code == ExitCode.OK
    assert files_below(tmp_path) == ["new/folder/a.png.page-1.jpg", "new/folder/north/a.jpg.page-1.jpg"]
    picture = cv2.imread(str(tmp_path / "new/folder/a.png.page-1.jpg"))
    assert picture is not None
    assert picture.shape[1] == draw_form("275 1041").page.grey.shape[1]


def test_stages_are_drawn_in_the_order_a_page_goes_through_them(read_scans: Path, tmp_path: Path) -> None:
    ran = digitmill(read_scans, "overlay", "forms", "-o", str(tmp_path), "--stages", "--format", "png")

    assert ran.exit_code == ExitCode.OK
    stages = ["1-decoded", "2-lines", "3-boxes", "4-fields", "5-cells", "6-reading"]
    assert files_below(tmp_path / "north" / "a.jpg.page-1") == [f"{stage}.png" for stage in stages]


def test_a_scan_that_is_gone_or_changed_is_named_and_the_others_are_drawn(
    read_scans: Path, scans: Path, tmp_path: Path
) -> None:
    (scans / "a.png").unlink()
    gone = digitmill(read_scans, "overlay", "forms", "-o", str(tmp_path / "gone"), "--format", "png")
    (scans / "a.png").write_bytes((scans / "north/a.jpg").read_bytes())
    changed = digitmill(read_scans, "overlay", "forms", "-o", str(tmp_path / "changed"))

    assert gone.exit_code == changed.exit_code == ExitCode.PAGES_FAILED
    assert "a.png page 1: the file is gone" in gone.stderr
    assert "a.png page 1: changed since" in changed.stderr
    assert files_below(tmp_path) == ["changed/north/a.jpg.page-1.jpg", "gone/north/a.jpg.page-1.png"]


@pytest.mark.parametrize("folder", ["taken", "taken/pictures"])
def test_a_folder_that_cannot_be_written_is_named(read_scans: Path, tmp_path: Path, folder: str) -> None:
    (tmp_path / "taken").write_text("a file")

    ran = digitmill(read_scans, "overlay", "forms", "-o", str(tmp_path / folder))

    assert ran.exit_code == ExitCode.PATH_UNREADABLE
    assert "taken" in ran.stderr


@pytest.mark.parametrize("command", ["overlay", "report"])
def test_a_batch_nobody_knows_is_an_error_that_names_it(
    read_scans: Path, tmp_path: Path, command: str
) -> None:
    ran = digitmill(read_scans, command, "form", "-o", str(tmp_path / "out"))

    assert ran.exit_code == ExitCode.NO_INPUT
    assert "'form'" in ran.stderr
    assert files_below(tmp_path) == []


def test_report_makes_one_page_with_every_value_that_was_read(read_scans: Path, tmp_path: Path) -> None:
    ran = digitmill(read_scans, "report", "forms", "-o", str(tmp_path / "report.html"))

    page = (tmp_path / "report.html").read_text()
    records = digitmill(read_scans, "results", "forms", "--format", "csv").stdout.splitlines()
    assert ran.exit_code == ExitCode.OK
    assert page.count('<td class="value">') == len(records) - 1 >= 4
    assert "north/a.jpg" in page


def test_report_says_which_scans_of_waiting_fields_are_gone(
    read_scans: Path, scans: Path, tmp_path: Path
) -> None:
    strict = ["--db", f"sqlite:///{tmp_path}/strict.db"]
    CliRunner().invoke(main, ["run", str(scans), *strict], env={"DIGITMILL_ACCEPT_CONFIDENCE": "1"})
    with_crops = CliRunner().invoke(main, ["report", "scans", "-o", str(tmp_path / "crops.html"), *strict])
    shutil.rmtree(scans / "north")
    without = CliRunner().invoke(main, ["report", "scans", "-o", str(tmp_path / "gone.html"), *strict])

    assert with_crops.exit_code == without.exit_code == ExitCode.OK
    assert "data:image/jpeg" in (tmp_path / "crops.html").read_text()
    assert "the file is gone" in (tmp_path / "gone.html").read_text()
