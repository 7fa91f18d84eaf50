"""The program itself, as a user starts it: another process, real arguments, real exit codes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_engine import kernels
from edge_engine.cache import cache_folder

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "edge_engine"]


def run_program(
    *arguments: str, timeout_s: float = 90, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
    )


def own_cache(folder: Path) -> dict[str, str]:
    """The environment for a cache in this folder, in which the kernels lie: to compile them takes seconds."""
    kernels.warm_up()
    own = folder / "edge_engine"
    own.mkdir(exist_ok=True)
    for library in cache_folder().glob("kernels-*.so"):
        shutil.copy2(library, own)
    return {"XDG_CACHE_HOME": str(folder)}


def start_program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@contextmanager
def on_one_core() -> Iterator[None]:
    """What is started meanwhile keeps to one core; where the system can't do that, to all."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def assert_one_clear_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """One line on stderr that says what is wrong, the documented exit code, and no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("edge-engine: ")
    for word in words:
        assert word in lines[0]
