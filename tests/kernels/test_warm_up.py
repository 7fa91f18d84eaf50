"""warm_up compiles once, says so before it does, and lives with a cache that is torn, full or missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WARM_UP = """
import sys
import edge_engine.kernels
assert "numba" not in sys.modules, "importing the package must not load numba"
edge_engine.kernels.warm_up(lambda: print("compiling"))
import numpy as np
from edge_engine.kernels.nms import nms
assert nms(np.ones((1, 4), np.float32), np.ones(1, np.float32), np.ones(1, np.int32), 0.5).tolist() == [0]
"""
SMALL_KERNEL = """
from edge_engine.kernels.jit import jit, watch_compilation

with watch_compilation(lambda: print("compiling")):
    @jit("int64(int64)")
    def twice(x):
        return 2 * x

assert twice(21) == 42
"""
NO_PLACE_TO_CACHE = """
import tempfile
def refuse(*args, **kwargs):
    raise OSError(30, "Read-only file system")
tempfile.TemporaryFile = refuse
"""
FULL_DISK = """
import os
def refuse(*args, **kwargs):
    raise OSError(28, "No space left on device")
os.replace = refuse
"""


def run(code: str, folder: Path) -> str:
    """Runs the code as a script of its own, with its kernel cache in `folder`; returns what it printed."""
    script = folder / "script.py"
    script.write_text(code)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cache_files(folder: Path) -> list[Path]:
    return list((folder / "cache").rglob("*.nb?"))


def test_says_so_before_it_compiles_and_the_next_start_loads(tmp_path: Path) -> None:
    assert run(WARM_UP, tmp_path) == "compiling\n"
    assert run(WARM_UP, tmp_path) == ""


def test_a_cache_torn_by_a_power_cut_is_made_anew(tmp_path: Path) -> None:
    assert run(SMALL_KERNEL, tmp_path) == "compiling\n"
    for name in ("*.nbi", "*.nbc"):
        torn = list((tmp_path / "cache").rglob(name))
        assert torn
        for file in torn:
            file.write_bytes(b"")
        assert run(SMALL_KERNEL, tmp_path) == "compiling\n"
        assert run(SMALL_KERNEL, tmp_path) == ""


def test_works_without_any_place_to_cache(tmp_path: Path) -> None:
    assert run(NO_PLACE_TO_CACHE + SMALL_KERNEL, tmp_path) == "compiling\n"
    assert not cache_files(tmp_path)


def test_works_on_a_full_disk(tmp_path: Path) -> None:
    assert run(FULL_DISK + SMALL_KERNEL, tmp_path) == "compiling\n"
    assert not cache_files(tmp_path)
