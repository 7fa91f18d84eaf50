"""Agreement: how far outputs for a trimmed input say of its cells what those for the whole input say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.cells import Trimming

_OBJECT = 6
"""Numbers of an object whose suppression is in the graph: a box, a score and a class, and perhaps more."""
_SUREST = 50


def agree(one: NDArray[np.generic], other: NDArray[np.generic], trimming: Trimming) -> float:
    """Mean over the channels of the correlation of two outputs, of the whole input and of the trimmed one,
    over the cells that both have; 0 when their shapes don't tell which those are."""
    if one.ndim != other.ndim:
        return 0.0
    if one.shape == other.shape and one.ndim == 3 and one.shape[-1] >= _OBJECT:
        return _found_again(one[0], other[0], trimming)
    changed = [i for i, pair in enumerate(zip(one.shape, other.shape, strict=True)) if pair[0] != pair[1]]
    if len(changed) != 1:
        return 0.0
    (axis,) = changed
    cells = trimming.grid_axes(one.shape, axis)
    ways = trimming.kept(one.shape[axis], other.shape[axis])
    return max((_correlation(np.take(one, kept, axis), other, cells) for kept in ways), default=0.0)


def _correlation(one: NDArray[np.generic], other: NDArray[np.generic], cells: tuple[int, ...]) -> float:
    a, b = (np.asarray(side, np.float64) for side in (one, other))
    a, b = (side - side.mean(cells, keepdims=True) for side in (a, b))
    size = np.sqrt((a * a).sum(cells) * (b * b).sum(cells))
    said = size > 1e-9 * size.max(initial=0)
    return float(((a * b).sum(cells)[said] / size[said]).mean()) if said.any() else 1.0


def _found_again(one: NDArray[np.generic], other: NDArray[np.generic], trimming: Trimming) -> float:
    """Of the surest objects [n, x1 y1 x2 y2 score class …] in the part that is left, the share that is found
    there again: in the same place, of the same class."""
    a, b = (np.asarray(side, np.float64) for side in (one, other))
    middle = (a[:, :2] + a[:, 2:4]) / 2
    a = a[(middle < trimming.trimmed).all(1) & (a[:, 4] > 0)][:_SUREST]
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = [(side[:, 2:4] - side[:, :2]).prod(1) for side in (a, b)]
    overlap = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
    again = (overlap > 0.5) & (a[:, None, 5] == b[None, :, 5])
    return float(again.any(1).mean()) if len(a) else 0.0
