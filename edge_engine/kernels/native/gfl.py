"""gfl: candidates from a generalized focal loss head (Li et al. 2020, arXiv:2006.04388).

Each cell of a grid has one score per class and, per side of its box, a distribution over the distances
0..reg_max strides from the cell's point; the side's distance is that distribution's mean (eq. 5, 6).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part
from edge_engine.kernels.native.candidates import add


@part
def _mean_distance(distances: NDArray[np.float32], cell: int, first: int, bins: int) -> np.float32:
    """Softmax-weighted mean of 0..bins-1 over `distances[cell, first : first + bins]`, in strides."""
    largest = distances[cell, first]
    for i in range(1, bins):
        largest = max(largest, distances[cell, first + i])
    weights = np.float32(0)
    total = np.float32(0)
    for i in range(bins):
        weight = np.float32(math.exp(distances[cell, first + i] - largest))
        weights += weight
        total += weight * np.float32(i)
    return np.float32(total / weights)


def decode_gfl(
    scores_address: Any,  # noqa: ANN401 - numba's pointers
    distances_address: Any,  # noqa: ANN401
    cells: int,
    classes: int,
    bins: int,
    scores_width: int,
    distances_width: int,
    distances_first: int,
    grid_width: int,
    stride: int,
    cell_offset: float,
    threshold: float,
    boxes_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.gfl.decode_gfl; `bins` is reg_max + 1.

    A row of scores begins with the classes, a row of distances has them from `distances_first` on; both may
    be the same rows.
    """
    scores = carray(scores_address, (cells, scores_width))
    distances = carray(distances_address, (cells, distances_width))
    boxes_xyxy_out = carray(boxes_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    limit = np.float32(threshold)
    if count == cap:
        limit = max(limit, scores_out[0])
    for cell in range(scores.shape[0]):
        hits = 0
        for class_id in range(classes):  # branchless, so that it becomes SIMD code
            hits += scores[cell, class_id] >= limit
        if hits == 0:
            continue
        x = (cell % grid_width + cell_offset) * stride
        y = (cell // grid_width + cell_offset) * stride
        first = distances_first
        x1 = np.float32(x - _mean_distance(distances, cell, first, bins) * stride)
        y1 = np.float32(y - _mean_distance(distances, cell, first + bins, bins) * stride)
        x2 = np.float32(x + _mean_distance(distances, cell, first + 2 * bins, bins) * stride)
        y2 = np.float32(y + _mean_distance(distances, cell, first + 3 * bins, bins) * stride)
        if not (x2 > x1 and y2 > y1):
            continue
        for class_id in range(classes):
            score = scores[cell, class_id]
            if score >= limit:
                count = add(
                    boxes_xyxy_out, scores_out, class_ids_out, count, (x1, y1, x2, y2), score, class_id
                )
        if count == cap:
            limit = max(limit, scores_out[0])
    return count
