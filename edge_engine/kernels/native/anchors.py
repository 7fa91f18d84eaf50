"""anchors: candidates from a head that corrects anchors, SSD's (arXiv:1512.02325) and its heirs'.

A box's centre is its anchor's, moved by an offset times the anchor's size; its sides are the anchor's times
the exponential of an offset. Offsets count in `variances`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part
from edge_engine.kernels.native.candidates import add

# As in edge_engine.kernels.anchors.Activation.
_SIGMOID, _SOFTMAX = 1, 2


@part
def _box_xyxy(
    offsets: NDArray[np.float32], anchor: NDArray[np.float32], variances: NDArray[np.float32], is_yxhw: int
) -> tuple[float, float, float, float]:
    """One box; all [4], the anchor as centre x, centre y, width, height."""
    x, y, width, height = (1, 0, 3, 2) if is_yxhw else (0, 1, 2, 3)
    centre_x = anchor[0] + offsets[x] * variances[x] * anchor[2]
    centre_y = anchor[1] + offsets[y] * variances[y] * anchor[3]
    half_width = anchor[2] * math.exp(offsets[width] * variances[width]) / 2
    half_height = anchor[3] * math.exp(offsets[height] * variances[height]) / 2
    return centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height


@part
def _exponentials(row: NDArray[np.float32]) -> tuple[float, float]:
    """The largest of a row's values, and the sum of the exponentials of what they are below it."""
    largest = row[0]
    for i in range(1, len(row)):
        largest = max(largest, row[i])
    total = 0.0
    for i in range(len(row)):
        total += math.exp(row[i] - largest)
    return np.float64(largest), total


@part
def _score(value: np.float32, activation: int, largest: float, total: float) -> np.float32:
    """Of one of a row's values; `largest` and `total` are the row's, for a softmax."""
    if activation == _SIGMOID:
        return np.float32(1 / (1 + math.exp(-np.float64(value))))
    if activation == _SOFTMAX:
        return np.float32(math.exp(value - largest) / total)
    return value


def decode_anchors(
    scores_address: Any,  # noqa: ANN401 - numba's pointers
    offsets_address: Any,  # noqa: ANN401
    anchors_address: Any,  # noqa: ANN401
    variances_address: Any,  # noqa: ANN401
    anchors_number: int,
    columns: int,
    activation: int,
    background: int,
    is_yxhw: int,
    least: float,
    threshold: float,
    boxes_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.anchors.decode_anchors.

    `least`: what a raw value must reach to be looked at, compared with the background's in a softmax: a
    class's share is at most that which it has against the background alone.
    """
    scores, offsets = (
        carray(scores_address, (anchors_number, columns)),
        carray(offsets_address, (anchors_number, 4)),
    )
    anchors, variances = carray(anchors_address, (anchors_number, 4)), carray(variances_address, (4,))
    boxes_xyxy_out = carray(boxes_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    limit = np.float32(threshold)
    for anchor in range(anchors_number):
        row = scores[anchor]
        floor = np.float32(least)
        if activation == _SOFTMAX and background >= 0:
            floor += row[background]
        hits = 0
        for column in range(columns):  # branchless, so that it becomes SIMD code
            hits += row[column] >= floor
        if background >= 0:
            hits -= row[background] >= floor
        if hits == 0:
            continue
        largest, total = _exponentials(row) if activation == _SOFTMAX else (0.0, 1.0)
        x1, y1, x2, y2 = _box_xyxy(offsets[anchor], anchors[anchor], variances, is_yxhw)
        if not (x2 > x1 and y2 > y1):
            continue
        for column in range(columns):
            if column == background or not row[column] >= floor:
                continue
            score = _score(row[column], activation, largest, total)
            if score >= limit:
                class_id = column - 1 if background == 0 else column
                box = (np.float32(x1), np.float32(y1), np.float32(x2), np.float32(y2))
                count = add(boxes_xyxy_out, scores_out, class_ids_out, count, box, score, class_id)
    return count
