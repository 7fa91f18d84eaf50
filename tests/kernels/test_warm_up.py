"""Kernels are compiled once, are said to be, and then run without numba, whatever befalls the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_engine.cache import cache_folder
from edge_engine.kernels.library import load
from edge_engine.kernels.registry import KERNELS

ROOT = Path(__file__).parents[2]
WARM_UP = """
import sys
import numpy as np
from edge_engine import kernels
kernels.warm_up(lambda: print("compiling"))
from edge_engine.kernels.nms import nms
boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 10, 10]], np.float32)
assert nms(boxes, np.array([0.5, 0.6, 0.7], np.float32), np.zeros(3, np.int32), 0.5).tolist() == [2, 1]
print("with numba" if "numba" in sys.modules else "without numba")
"""


def warm_up(cache: Path, **environment: str) -> list[str]:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WARM_UP],
        env=os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_says_so_before_it_compiles_and_the_next_start_loads(tmp_path: Path) -> None:
    assert warm_up(tmp_path) == ["compiling", "without numba"]
    assert warm_up(tmp_path) == ["without numba"]


@pytest.mark.parametrize("left", [0, 1000])
def test_a_library_torn_by_a_power_cut_is_made_anew(left: int, tmp_path: Path) -> None:
    load()
    for library in cache_folder().glob("kernels-*.so"):
        torn = tmp_path / "edge_engine" / library.name
        torn.parent.mkdir(exist_ok=True)
        torn.write_bytes(library.read_bytes()[:left])
    assert warm_up(tmp_path) == ["compiling", "without numba"]
    assert warm_up(tmp_path) == ["without numba"]


def test_without_a_linker_numba_compiles_within_the_process(tmp_path: Path) -> None:
    assert warm_up(tmp_path, PATH=str(tmp_path)) == ["compiling", "with numba"]
    assert list(tmp_path.rglob("*.so")) == []


def test_without_a_place_to_write_numba_compiles_within_the_process() -> None:
    assert warm_up(Path("/dev/null/cache")) == ["compiling", "with numba"]


def test_every_kernel_of_the_registry_is_loaded() -> None:
    for name in KERNELS:
        assert callable(getattr(load(), name))
