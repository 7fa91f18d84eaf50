"""Processor: what there is to compute with."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def cores() -> int:
    """The processors that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def allowed_cores() -> list[int] | None:
    """Their numbers, of those that the calling thread may use; None where the system doesn't tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def processor_name() -> str:
    """As a board's device tree or /proc/cpuinfo names it."""
    board = _text(Path("/proc/device-tree/model"))
    if board:
        return board.strip("\0 \n")
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def processor_features() -> set[str]:
    """Its instruction sets, as /proc/cpuinfo names them; empty where there is none."""
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return set()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
