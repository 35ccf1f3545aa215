"""From the paths that somebody names to the scans that lie there.

A file found in a folder is a scan by its content. One that is empty, has a scan's suffix or cannot be looked
into might be a damaged scan: it is taken too, and fails later as a document of its own, with its reason.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from worker.errors import BadSettings, NoUsableInput, PathUnreadable, ScanError
from worker.scans import SNIFF_BYTES, sniff_kind

SCAN_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pdf"})
NOT_UTF8 = "the name is not UTF-8, and no database could hold it; please rename it"


@dataclass(frozen=True, slots=True)
class ScanFile:
    """A document's identity within its batch, and where it lies on this machine.

    `root` is the name of a scan root in the settings, else the absolute folder that was submitted. `path` is
    relative to it, with `/`.
    """

    root: str
    path: str
    absolute: Path


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something found in a folder that will not be read."""

    path: str  # printable: bytes that are not UTF-8 stand as \\xff
    reason: str
    may_hold_scans: bool = False  # then skipping it is a loss, which a command must not end with 0


@dataclass(frozen=True, slots=True)
class Intake:
    scans: tuple[ScanFile, ...]  # in the order of the named paths, within a folder sorted by name
    skipped: tuple[Skipped, ...]


def find_scans(paths: Iterable[Path], scan_roots: Mapping[str, Path]) -> Intake:
    """Return the scans among `paths`: files are always taken, folders are searched for them.

    Hidden files and folders are passed over, links to files are followed, links to folders are not. Raises
    PathUnreadable for a named path that is not there, NoUsableInput where nothing is left to read.
    """
    named = [_locate(path) for path in paths]
    roots = {name: root.resolve() for name, root in scan_roots.items()}
    scans: dict[Path, ScanFile] = {}  # a file that is named twice is one document
    skipped: list[Skipped] = []
    for path in named:
        folder = path if path.is_dir() else path.parent
        for found in _search(path) if path.is_dir() else (path,):
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                scans.setdefault(found, _identify(found, folder, roots))
    if not scans:
        raise NoUsableInput(f"No PNG, JPEG, TIFF or PDF in {', '.join(map(printable, named)) or 'nothing'}")
    return Intake(tuple(scans.values()), tuple(skipped))


def name_batch(paths: Sequence[Path]) -> str:
    """Return the name of a batch that was given none: that of the first folder, or of the first file's."""
    first = paths[0].resolve()
    return (first if first.is_dir() else first.parent).name or "root"


def resolve_scan(root: str, path: str, scan_roots: Mapping[str, Path]) -> Path:
    """Return where a document lies on this machine.

    Raises BadSettings where its scan root is not set here, ScanError for a path that leads out of its root.
    """
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise ScanError(f"{path}: leads out of its scan root {root}")
    if root in scan_roots:
        return scan_roots[root] / relative
    if PurePosixPath(root).is_absolute():
        return Path(root) / relative
    raise BadSettings(
        f"The scan root {root!r} is not known on this machine: add it to DIGITMILL_SCAN_ROOTS, "
        'such as {"' + root + '": "/mnt/scans"}'
    )


def printable(path: Path) -> str:
    """Return a path as it can be written and stored: bytes that are not UTF-8 stand as \\xff."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def _locate(path: Path) -> Path:
    """Return a named path with its folder's links resolved, so that one folder has one name."""
    try:
        mode = path.stat().st_mode
        located = path.resolve() if stat.S_ISDIR(mode) else path.parent.resolve() / path.name
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise PathUnreadable(f"{printable(path)}: {reason}") from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise PathUnreadable(f"{printable(path)}: neither a file nor a folder")
    if stat.S_ISDIR(mode) and not os.access(located, os.R_OK | os.X_OK):
        raise PathUnreadable(f"{printable(path)}: the folder cannot be read")
    if not _is_utf8(located):
        raise PathUnreadable(f"{printable(path)}: {NOT_UTF8}")
    return located


def _search(folder: Path) -> Iterator[Path | Skipped]:
    """Yield every scan below a folder and what is skipped there, sorted by name."""
    ahead = [folder]
    while ahead:
        path = ahead.pop()
        if not _is_utf8(path):
            yield Skipped(printable(path), NOT_UTF8, may_hold_scans=True)
        elif path == folder or _is_folder(path):
            try:
                entries = sorted(path.iterdir(), reverse=True)
            except OSError as error:
                yield Skipped(
                    printable(path), f"the folder cannot be read: {error.strerror}", may_hold_scans=True
                )
            else:
                ahead += [entry for entry in entries if not entry.name.startswith(".")]
        elif (reason := _why_no_scan(path)) is not None:
            yield Skipped(printable(path), reason)
        else:
            yield path


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:  # vanished in between, or with a name too long to ask
        return False


def _why_no_scan(path: Path) -> str | None:
    """Return why a file that was found in a folder is no scan; None where it is, was or might be one."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "a link to a folder; name the folder itself to read it"
        if not stat.S_ISREG(mode):
            return "not a file"  # never opened: reading a named pipe would wait for ever
        with path.open("rb") as file:
            head = file.read(SNIFF_BYTES)
    except OSError:
        return None
    if not head or path.suffix.lower() in SCAN_SUFFIXES or sniff_kind(head) is not None:
        return None
    return "not a PNG, JPEG, TIFF or PDF"


def _identify(file: Path, submitted: Path, roots: Mapping[str, Path]) -> ScanFile:
    within = [(name, root) for name, root in roots.items() if file.is_relative_to(root)]
    # Of nested roots the innermost names the file.
    name, root = max(within, key=lambda item: len(item[1].parts), default=(submitted.as_posix(), submitted))
    return ScanFile(name, file.relative_to(root).as_posix(), file)


def _is_utf8(path: Path) -> bool:
    return printable(path) == str(path)
