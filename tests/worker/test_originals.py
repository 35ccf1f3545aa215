from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from worker.errors import BadSettings, ScanError
from worker.originals import Originals, fingerprint
from worker.scans import ScanLimits

LIMITS = ScanLimits(max_bytes=1000, max_pixels=1, max_pages=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a.tif"
    file.write_bytes(b"as submitted")
    return file


def read(file: Path, originals: Originals, submitted: bytes = b"as submitted") -> bytes:
    return originals.read(file.parent.as_posix(), file.name, hashlib.sha256(submitted).hexdigest())


def test_a_fingerprint_is_the_hash_and_the_size(file: Path) -> None:
    found = fingerprint(file)

    assert (found.sha256, found.bytes) == (hashlib.sha256(b"as submitted").hexdigest(), 12)


def test_a_file_that_is_as_submitted_is_read(file: Path) -> None:
    assert read(file, Originals({}, LIMITS)) == b"as submitted"


def test_a_single_changed_bit_is_noticed(file: Path) -> None:
    file.write_bytes(b"as submittee")

    with pytest.raises(ScanError, match="changed since it was submitted"):
        read(file, Originals({}, LIMITS))


def test_a_change_is_noticed_between_two_pages_of_a_document(file: Path) -> None:
    originals = Originals({}, LIMITS)
    read(file, originals)
    stamp = file.stat()
    file.write_bytes(b"as submittee")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))

    with pytest.raises(ScanError, match="changed"):
        read(file, originals)


def test_the_pages_of_one_document_do_not_read_it_again(file: Path) -> None:
    originals = Originals({}, LIMITS)

    assert read(file, originals) is read(file, originals)


def test_one_file_never_stands_for_another(file: Path) -> None:
    originals = Originals({}, LIMITS)
    read(file, originals)
    other = file.with_name("b.tif")
    other.write_bytes(b"another scan")

    assert read(other, originals, b"another scan") == b"another scan"


def test_a_file_that_is_too_large_is_not_read(file: Path) -> None:
    file.write_bytes(bytes(1001))

    with pytest.raises(ScanError, match="DIGITMILL_MAX_FILE_MB"):
        read(file, Originals({}, LIMITS), bytes(1001))


@pytest.mark.parametrize(("what", "reason"), [("gone", "gone"), ("folder", "cannot be read")])
def test_a_file_that_cannot_be_had_says_why(file: Path, what: str, reason: str) -> None:
    file.unlink()
    if what == "folder":
        file.mkdir()

    with pytest.raises(ScanError, match=reason):
        read(file, Originals({}, LIMITS))


def test_a_scan_root_is_this_machines_folder_of_that_name(file: Path) -> None:
    sha256 = fingerprint(file).sha256

    assert Originals({"tallies": file.parent}, LIMITS).read("tallies", "a.tif", sha256) == b"as submitted"
    with pytest.raises(BadSettings, match="DIGITMILL_SCAN_ROOTS"):
        Originals({}, LIMITS).read("tallies", "a.tif", sha256)
