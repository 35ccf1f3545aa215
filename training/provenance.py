"""Where a number comes from: the commit of the code, and the machine that it ran on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

NVIDIA = Path("/proc/driver/nvidia/gpus")
CPUINFO = Path("/proc/cpuinfo")  # Linux; elsewhere the platform's name for the processor must do


def commit() -> str:
    """Return the checkout's commit, with "-dirty" where files are changed; "unknown" outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()


def machine() -> str:
    """Return the processor's name, how many cores there are, and the GPUs that Linux knows of."""
    processor = f"{_of_the_processor('model name') or platform.processor()}, {os.cpu_count()} cores"
    return ", ".join([processor, *_gpus()])


def _gpus() -> list[str]:
    files = sorted(NVIDIA.glob("*/information"))
    return [_entry("Model", file.read_text(encoding="utf-8")) for file in files]


def processor_flags() -> frozenset[str]:
    """Return the instruction sets of the processor as Linux names them; none where it cannot be asked."""
    return frozenset(_of_the_processor("flags").split())


def _of_the_processor(entry: str) -> str:
    return _entry(entry, CPUINFO.read_text(encoding="utf-8")) if CPUINFO.exists() else ""


def _entry(name: str, text: str) -> str:
    found = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name))
    return next(found, "")
