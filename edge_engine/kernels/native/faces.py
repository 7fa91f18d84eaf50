"""faces: candidates from the anchor grids of YuNet and SCRFD, one stride at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from edge_engine.kernels.native import part
from edge_engine.kernels.native.candidates import add_with_row

_FACE = 0


@part
def _yunet_score(class_score: np.float32, objectness: np.float32) -> np.float32:
    """The geometric mean of both, each clipped to 0..1; NaN when one of them is no finite number."""
    if not (np.isfinite(class_score) and np.isfinite(objectness)):
        return np.float32(np.nan)
    one = min(max(class_score, np.float32(0)), np.float32(1))
    other = min(max(objectness, np.float32(0)), np.float32(1))
    return np.float32(math.sqrt(one * other))


def decode_yunet(
    class_scores_address: Any,  # noqa: ANN401 - numba's pointers
    objectness_address: Any,  # noqa: ANN401
    boxes_address: Any,  # noqa: ANN401
    cells: int,
    grid_width: int,
    stride: int,
    first_row: int,
    threshold: float,
    boxes_out_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    rows_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.faces.decode_yunet."""
    class_scores = carray(class_scores_address, (cells,))
    objectness = carray(objectness_address, (cells,))
    boxes = carray(boxes_address, (cells, 4))
    boxes_xyxy_out = carray(boxes_out_address, (cap, 4))
    scores_out = carray(scores_out_address, (cap,))
    class_ids_out, rows_out = carray(class_ids_address, (cap,)), carray(rows_address, (cap,))
    limit = np.float32(threshold)
    for cell in range(cells):
        score = _yunet_score(class_scores[cell], objectness[cell])
        if not score >= limit:
            continue
        x = (cell % grid_width + boxes[cell, 0]) * stride
        y = (cell // grid_width + boxes[cell, 1]) * stride
        half_width = math.exp(np.float64(boxes[cell, 2])) * stride / 2
        half_height = math.exp(np.float64(boxes[cell, 3])) * stride / 2
        box = (
            np.float32(x - half_width),
            np.float32(y - half_height),
            np.float32(x + half_width),
            np.float32(y + half_height),
        )
        count = add_with_row(
            boxes_xyxy_out, scores_out, class_ids_out, rows_out, count, box, score, _FACE, first_row + cell
        )
    return count


def decode_scrfd(
    scores_address: Any,  # noqa: ANN401 - numba's pointers
    distances_address: Any,  # noqa: ANN401
    anchors: int,
    anchors_per_cell: int,
    grid_width: int,
    stride: int,
    first_row: int,
    threshold: float,
    boxes_out_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    rows_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.faces.decode_scrfd."""
    scores = carray(scores_address, (anchors,))
    distances = carray(distances_address, (anchors, 4))
    boxes_xyxy_out = carray(boxes_out_address, (cap, 4))
    scores_out = carray(scores_out_address, (cap,))
    class_ids_out, rows_out = carray(class_ids_address, (cap,)), carray(rows_address, (cap,))
    limit = np.float32(threshold)
    for anchor in range(anchors):
        score = scores[anchor]
        if not (score >= limit and np.isfinite(score)):
            continue
        cell = anchor // anchors_per_cell
        x, y = cell % grid_width * stride, cell // grid_width * stride
        box = (
            np.float32(x - np.float64(distances[anchor, 0]) * stride),
            np.float32(y - np.float64(distances[anchor, 1]) * stride),
            np.float32(x + np.float64(distances[anchor, 2]) * stride),
            np.float32(y + np.float64(distances[anchor, 3]) * stride),
        )
        score = min(score, np.float32(1))
        row = first_row + anchor
        count = add_with_row(
            boxes_xyxy_out, scores_out, class_ids_out, rows_out, count, box, score, _FACE, row
        )
    return count
