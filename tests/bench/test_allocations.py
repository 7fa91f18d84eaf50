"""Counting large allocations: exactly those, in a real process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_engine.bench import allocations

_PROGRAM = """
import cv2, numpy as np
from edge_engine.bench import allocations

np.empty(300_000, np.uint8)
allocations.count_from(200_000)
seen = [allocations.counted()]
small = [np.empty(150_000, np.uint8) for _ in range(5)]
seen.append(allocations.counted())
fresh = [np.empty(300_000, np.uint8) for _ in range(5)]
seen.append(allocations.counted())
zeroed = np.zeros(300_000, np.uint8)
seen.append(allocations.counted())
target = np.empty((400, 400, 3), np.uint8)
before = allocations.counted()
cv2.resize(np.zeros((10, 10, 3), np.uint8), (400, 400), dst=target)
seen.append(allocations.counted() - before)
cv2.resize(np.zeros((10, 10, 3), np.uint8), (400, 400))
seen.append(allocations.counted() - before)
print(seen)
"""


def test_large_blocks_are_counted_and_small_ones_are_not(tmp_path: Path) -> None:
    library = allocations.build(tmp_path)
    if library is None:
        pytest.skip("needs glibc and ld")
    environment = allocations.environment(library)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[0, 0, 5, 6, 0, 1]"


def test_without_the_library_nothing_is_said() -> None:
    assert allocations.counted() is None
