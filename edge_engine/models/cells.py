"""Cells: what is left of grids over a model's input, single or laid end to end, when the input is trimmed.

A picture then lies at the top left of both, so that the first rows or columns of each grid stay, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Kept = NDArray[np.int64]

_TOGETHER = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32), (4,), (8,), (16,), (32,), (64,))
"""Those of the grids that models lay end to end."""
STRIDES = (1, 2, 4, 8, 16, 32, 64)
"""Of all grids that a model computes on the way there."""
_ANCHORS = (1, 2, 3)
"""So many may share a cell."""


class Trimming(NamedTuple):
    """The input's (width, height) before and after; one of them is the same."""

    whole: tuple[int, int]
    trimmed: tuple[int, int]

    @property
    def is_lower(self) -> bool:
        """The height is trimmed, not the width."""
        return self.trimmed[1] < self.whole[1]

    def side(self, length: int) -> int | None:
        """What becomes of a grid's side of this length; None when no grid has such a side."""
        before, after = self.whole[self.is_lower], self.trimmed[self.is_lower]
        stride = before // max(length, 1)
        is_grid = stride * length == before and stride in STRIDES and after % stride == 0
        return after // stride if is_grid else None

    def kept(self, before: int, after: int) -> Iterator[Kept]:
        """Of an axis that was so long and is now so long, the places that are left: each way there is."""
        if self.side(before) == after:
            yield np.arange(after)
        for strides in _TOGETHER:
            grids = [(_grid(self.whole, stride), _grid(self.trimmed, stride)) for stride in strides]
            cells = sum(np.prod(whole) for whole, _ in grids), sum(np.prod(left) for _, left in grids)
            for anchors in _ANCHORS:
                if (anchors * cells[0], anchors * cells[1]) == (before, after):
                    yield from (_end_to_end(grids, shape) for shape in _orders(anchors))

    def grid_axes(self, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
        """The axis of a shape that gets shorter; where it is a grid's side, with that grid's other side."""
        other = axis + 1 if self.is_lower else axis - 1
        stride = self.whole[self.is_lower] / shape[axis]
        has_other = 0 <= other < len(shape) and shape[other] * stride == self.whole[not self.is_lower]
        return (axis, other) if has_other and self.side(shape[axis]) is not None else (axis,)


Grid = tuple[int, int]


def _grid(size: tuple[int, int], stride: int) -> Grid:
    """Rows and columns."""
    return size[1] // stride, size[0] // stride


def _orders(anchors: int) -> list[tuple[int, int]]:
    """How many anchors before the rows and after the columns: anchor by anchor, or cell by cell."""
    return [(anchors, 1), (1, anchors)] if anchors > 1 else [(1, 1)]


def _end_to_end(grids: list[tuple[Grid, Grid]], anchors: tuple[int, int]) -> Kept:
    places, start = [], 0
    for whole, left in grids:
        numbers = np.arange(start, start + np.prod(whole) * np.prod(anchors))
        start += len(numbers)
        by_cell = numbers.reshape(anchors[0], *whole, anchors[1])
        places.append(by_cell[:, : left[0], : left[1]].ravel())
    return np.concatenate(places)
