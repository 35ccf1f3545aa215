from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["worker.recogniser", "training.score"])
def test_onnxruntime_does_not_report_to_its_maker(module: str, tmp_path: Path) -> None:
    # Without CI's variables, under which it keeps quiet anyway.
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}

    subprocess.run(
        [sys.executable, "-c", f"import {module}, onnxruntime; onnxruntime.get_available_providers()"],
        env=environment,
        check=True,
    )

    # As soon as it is loaded with reporting on, it leaves the session's file for its uploader there.
    assert list(tmp_path.rglob("*")) == []
