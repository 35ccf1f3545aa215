"""Fixtures for all tests. Real scans and MNIST lie beside the checkout; what needs them says so where not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# Whatever a shell starts in its background ignores Ctrl-C, and so do its children; tests send it to theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.servers"]

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLES = REPOSITORY / "examples" / "scans"
SHARED_DATA = Path(os.environ.get("DIGITMILL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of MNIST and real forms; the test is skipped, and says so, where it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"needs MNIST and real forms, not found at {SHARED_DATA}; set DIGITMILL_TEST_DATA to their folder"
        )
    return SHARED_DATA
