from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from worker.errors import BadSettings, NoUsableInput, PathUnreadable, ScanError
from worker.intake import Intake, find_scans, name_batch, resolve_scan

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scans = tmp_path / "scans"
    scans.mkdir()
    return scans


def lay(folder: Path, *names: str, content: bytes = PNG) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def paths(intake: Intake) -> list[str]:
    return [scan.path for scan in intake.scans]


def test_folders_are_searched_below_and_in_order(folder: Path) -> None:
    lay(folder, "b.png", "north/2.png", "north/1.png", "a.png")

    assert paths(find_scans([folder], {})) == ["a.png", "b.png", "north/1.png", "north/2.png"]


def test_a_scan_is_known_by_its_content_whatever_its_name(folder: Path) -> None:
    lay(folder, "scan.dat", "page")

    assert paths(find_scans([folder], {})) == ["page", "scan.dat"]


def test_what_is_no_scan_is_skipped_and_named(folder: Path) -> None:
    lay(folder, "a.png")
    lay(folder, "notes.txt", content=b"call Ann")

    intake = find_scans([folder], {})

    assert paths(intake) == ["a.png"]
    assert [(skipped.path, skipped.may_hold_scans) for skipped in intake.skipped] == [
        (str(folder / "notes.txt"), False)
    ]


@pytest.mark.parametrize(("name", "content"), [("empty", b""), ("broken.TIF", b"not a tiff")])
def test_what_might_be_a_damaged_scan_is_a_document_of_its_own(
    folder: Path, name: str, content: bytes
) -> None:
    lay(folder, name, content=content)

    assert paths(find_scans([folder], {})) == [name]


def test_a_link_to_nowhere_is_a_document_that_will_fail(folder: Path) -> None:
    (folder / "gone.png").symlink_to(folder / "nowhere")

    assert paths(find_scans([folder], {})) == ["gone.png"]


def test_a_file_that_is_named_is_always_a_document(folder: Path) -> None:
    lay(folder, "notes.txt", content=b"call Ann")

    assert paths(find_scans([folder / "notes.txt"], {})) == ["notes.txt"]


def test_hidden_files_and_folders_are_passed_over_in_silence(folder: Path) -> None:
    lay(folder, "a.png", ".b.png", ".cache/c.png")

    intake = find_scans([folder], {})

    assert paths(intake) == ["a.png"]
    assert intake.skipped == ()


def test_links_that_lead_in_a_circle_do_not_lead_round_and_round(folder: Path) -> None:
    lay(folder, "a.png")
    (folder / "again").symlink_to(folder)
    (folder / "self.png").symlink_to(folder / "self.png")

    intake = find_scans([folder], {})

    assert paths(intake) == ["a.png", "self.png"]  # the second cannot be read, and will say so
    assert [Path(skipped.path).name for skipped in intake.skipped] == ["again"]


def test_a_named_pipe_is_never_opened(folder: Path) -> None:
    lay(folder, "a.png")
    os.mkfifo(folder / "pipe.png")

    intake = find_scans([folder], {})

    assert paths(intake) == ["a.png"]
    with pytest.raises(PathUnreadable, match="neither a file nor a folder"):
        find_scans([folder / "pipe.png"], {})


def test_names_with_spaces_line_breaks_and_other_scripts_are_taken_as_they_are(folder: Path) -> None:
    names = ["a b.png", "line\nbreak.png", "Überſicht 票.png"]
    lay(folder, *names)

    assert paths(find_scans([folder], {})) == sorted(names)


def test_a_name_that_no_database_could_hold_is_skipped_as_a_loss(folder: Path) -> None:
    lay(folder, "a.png")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(PNG)

    (skipped,) = find_scans([folder], {}).skipped

    assert skipped.may_hold_scans
    assert skipped.path.endswith("\\xff.png")
    assert "UTF-8" in skipped.reason


def test_a_folder_that_may_not_be_read_is_skipped_as_a_loss() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others than root
        folder = Path(name).resolve()
        lay(folder, "a.png", "closed/b.png")
        folder.chmod(0o755)
        (folder / "closed").chmod(0o700 if os.geteuid() == 0 else 0)
        with without_privileges():
            intake = find_scans([folder], {})
        (folder / "closed").chmod(0o700)

    assert paths(intake) == ["a.png"]
    assert [(skipped.path, skipped.may_hold_scans) for skipped in intake.skipped] == [
        (str(folder / "closed"), True)
    ]


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read every folder: be nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_path_too_long_to_be_asked_for_is_a_document_that_will_fail(folder: Path) -> None:
    lay(folder, "a.png")
    opened = os.open(folder, os.O_DIRECTORY)
    for _ in range(17):  # times 250 is more than a path may have
        os.mkdir("d" * 250, dir_fd=opened)
        inner = os.open("d" * 250, os.O_DIRECTORY, dir_fd=opened)
        os.close(opened)
        opened = inner
    os.close(opened)

    first, second = find_scans([folder], {}).scans

    assert first.path == "a.png"
    assert len(second.path) > 4000


def test_a_file_that_is_named_twice_is_one_document(folder: Path) -> None:
    lay(folder, "a.png")

    assert paths(find_scans([folder, folder / "a.png", folder / "." / "a.png"], {})) == ["a.png"]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathUnreadable, match="nowhere: No such file"):
        find_scans([tmp_path / "nowhere"], {})


def test_a_folder_without_scans_is_no_usable_input(folder: Path) -> None:
    lay(folder, "notes.txt", content=b"call Ann")

    with pytest.raises(NoUsableInput, match=str(folder)):
        find_scans([folder], {})


def test_a_scan_below_a_named_root_is_known_by_the_innermost_one(folder: Path) -> None:
    lay(folder, "north/a.png")

    (scan,) = find_scans([folder], {"all": folder, "north": folder / "north"}).scans

    assert (scan.root, scan.path) == ("north", "a.png")


def test_the_same_file_has_one_identity_whichever_way_it_is_named(folder: Path) -> None:
    lay(folder, "a.png")
    elsewhere = folder.parent / "link"
    elsewhere.symlink_to(folder)

    (by_folder,) = find_scans([folder], {}).scans
    (by_file,) = find_scans([folder / "a.png"], {}).scans
    (by_link,) = find_scans([elsewhere], {}).scans

    assert by_folder == by_file == by_link


@pytest.mark.parametrize("roots", [{}, {"tallies": "scans"}])
def test_a_scan_is_found_again_by_its_identity(folder: Path, roots: dict[str, str]) -> None:
    lay(folder, "north/a.png")
    scan_roots = {name: folder.parent / root for name, root in roots.items()}

    (scan,) = find_scans([folder], scan_roots).scans

    assert resolve_scan(scan.root, scan.path, scan_roots) == folder / "north/a.png"


def test_a_root_that_is_not_known_here_is_a_matter_of_settings() -> None:
    with pytest.raises(BadSettings, match="DIGITMILL_SCAN_ROOTS"):
        resolve_scan("tallies", "a.png", {})


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd"])
def test_no_path_leads_out_of_its_root(path: str) -> None:
    with pytest.raises(ScanError, match="leads out"):
        resolve_scan("tallies", path, {"tallies": Path("/scans")})


def test_a_batch_is_named_after_the_first_folder(folder: Path) -> None:
    lay(folder, "a.png")

    assert name_batch([folder, folder.parent]) == name_batch([folder / "a.png"]) == "scans"
