"""A small disk, which can be filled or made read-only: tmpfs, for which one must be root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mounted at the folder, which is made. Skips the test where that isn't allowed."""
    folder.mkdir()
    done = _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", str(folder))
    if done.returncode:
        pytest.skip(f"needs to mount a disk, as root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        _run("umount", "-l", str(folder))


def remount(folder: Path, options: str) -> None:
    """`ro`, which waits for no writer on tmpfs, `rw`, or `size=…`."""
    done = _run("mount", "-o", f"remount,{options}", str(folder))
    assert done.returncode == 0, done.stderr


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
