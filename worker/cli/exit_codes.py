"""What `digitmill` tells the shell, and the one place where errors become exit codes."""

from __future__ import annotations

import errno
from enum import IntEnum

import click

from worker.errors import (
    BadSettings,
    DigitmillError,
    NoUsableInput,
    PathUnreadable,
    QueryRefused,
    ScanError,
    ServiceUnreachable,
)

OPENCV_PACKAGES = "libgl1 libglib2.0-0"


class ExitCode(IntEnum):
    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    PAGES_FAILED = 3  # finished, but some pages failed
    REVIEW_WAITING = 4  # only with --fail-on-review
    PATH_UNREADABLE = 5  # a path or file cannot be read or written
    UNREACHABLE = 7  # broker or database
    NO_INPUT = 8  # no usable input
    BAD_SETTINGS = 9  # settings, template or model; a system library that is missing
    GATE_MISSED = 10  # an accuracy gate is not met
    INTERRUPTED = 130


_CODES: dict[type[DigitmillError], ExitCode] = {
    PathUnreadable: ExitCode.PATH_UNREADABLE,
    ServiceUnreachable: ExitCode.UNREACHABLE,
    NoUsableInput: ExitCode.NO_INPUT,
    QueryRefused: ExitCode.USAGE,
    BadSettings: ExitCode.BAD_SETTINGS,
    ScanError: ExitCode.PAGES_FAILED,
}


def as_digitmill_error(error: Exception) -> DigitmillError | None:
    """Return what a person can mend as an error with their sentence, None where it is a defect of ours."""
    if isinstance(error, DigitmillError):
        return error
    if isinstance(error, ImportError) and "cannot open shared object file" in str(error):
        library = str(error).partition(":")[0]
        return BadSettings(
            f"The system library {library} is missing. On Debian and Ubuntu:  "
            f"sudo apt-get install {OPENCV_PACKAGES}"
        )
    if isinstance(error, OSError) and error.filename is not None:
        return PathUnreadable(f"{error.filename}: {error.strerror}")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return PathUnreadable(f"Cannot write: {error.strerror}")
    if isinstance(error, click.FileError):
        return PathUnreadable(error.format_message())
    return None


def exit_code_of(error: DigitmillError) -> ExitCode:
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), ExitCode.UNEXPECTED)
