"""gfl: candidates from a generalized focal loss head (Li et al. 2020, arXiv:2006.04388), NanoDet's.

Each cell of a grid has one score per class and, per side of its box, a distribution over the distances
0..reg_max strides from the cell's centre; the side's distance is that distribution's mean (eq. 5, 6).
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
    grid_width: int,
    stride: int,
    threshold: float,
    boxes_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.gfl.decode_gfl; `bins` is reg_max + 1."""
    scores, distances = carray(scores_address, (cells, classes)), carray(distances_address, (cells, 4 * bins))
    boxes_xyxy_out = carray(boxes_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    limit = np.float32(threshold)
    if count == cap:
        limit = max(limit, scores_out[0])
    for cell in range(scores.shape[0]):
        hits = 0
        for class_id in range(scores.shape[1]):  # branchless, so that it becomes SIMD code
            hits += scores[cell, class_id] >= limit
        if hits == 0:
            continue
        x = (cell % grid_width + 0.5) * stride
        y = (cell // grid_width + 0.5) * stride
        x1 = x - _mean_distance(distances, cell, 0, bins) * stride
        y1 = y - _mean_distance(distances, cell, bins, bins) * stride
        x2 = x + _mean_distance(distances, cell, 2 * bins, bins) * stride
        y2 = y + _mean_distance(distances, cell, 3 * bins, bins) * stride
        for class_id in range(scores.shape[1]):
            score = scores[cell, class_id]
            if score >= limit:
                count = add(
                    boxes_xyxy_out, scores_out, class_ids_out, count, (x1, y1, x2, y2), score, class_id
                )
        if count == cap:
            limit = max(limit, scores_out[0])
    return count
