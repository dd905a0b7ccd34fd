"""The machine that a table was measured on."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu() -> str:
    """Return the model of the processor, as the system calls it."""
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
