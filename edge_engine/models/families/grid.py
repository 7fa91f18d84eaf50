"""grid: the cells that detection heads predict from, one grid per stride, each row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def count_cells(size: tuple[int, int], strides: Sequence[int]) -> int:
    """Of all strides; `size` is the input's width and height in pixels."""
    return sum(width * height for width, height in _grids(size, strides))


def make_cells(size: tuple[int, int], strides: Sequence[int]) -> NDArray[np.float32]:
    """float32 [cells, 3]: each cell's column, row and stride, the strides in their order."""
    parts = []
    for stride, (width, height) in zip(strides, _grids(size, strides), strict=True):
        rows, columns = np.divmod(np.arange(width * height), width)
        parts.append(np.stack([columns, rows, np.full(len(rows), stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _grids(size: tuple[int, int], strides: Sequence[int]) -> list[tuple[int, int]]:
    """Each stride's columns and rows; a part of a cell counts as one."""
    return [(-(-size[0] // stride), -(-size[1] // stride)) for stride in strides]
