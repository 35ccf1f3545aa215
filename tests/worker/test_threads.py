from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import worker.pipeline
import numpy as np
np.linalg.lstsq(np.random.rand(3000, 200), np.random.rand(3000), rcond=None)
import os
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists a process's threads there")
def test_arithmetic_starts_no_threads_beside_the_one_that_reads_pages() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}

    said = subprocess.run(
        [sys.executable, "-c", COUNT], capture_output=True, text=True, check=True, env=environment
    )

    assert said.stdout.strip() == "1"
