"""peaks: candidates from a heat map of objects' centres (CenterNet, arXiv:1904.07850, section 4)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part
from edge_engine.kernels.native.candidates import add


@part
def _is_peak(plane: NDArray[np.float32], y: int, x: int) -> bool:
    """Whether none of the neighbours in a 3 x 3 window is higher; NaN is not."""
    for v in range(max(y - 1, 0), min(y + 2, plane.shape[0])):
        for u in range(max(x - 1, 0), min(x + 2, plane.shape[1])):
            if plane[v, u] > plane[y, x]:
                return False
    return True


def decode_peaks(
    heat_address: Any,  # noqa: ANN401 - numba's pointers
    sizes_address: Any,  # noqa: ANN401
    offsets_address: Any,  # noqa: ANN401
    classes: int,
    rows: int,
    columns: int,
    stride: float,
    is_logits: int,
    least: float,
    threshold: float,
    boxes_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.peaks.decode_peaks; a heat below `least` is none."""
    heat = carray(heat_address, (classes, rows, columns))
    sizes, offsets = carray(sizes_address, (2, rows, columns)), carray(offsets_address, (2, rows, columns))
    boxes_xyxy_out = carray(boxes_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    limit, floor = np.float32(threshold), np.float32(least)
    for class_id in range(classes):
        for y in range(rows):
            row = heat[class_id, y]
            hits = 0
            for x in range(columns):  # branchless and along the row, so that it becomes SIMD code
                hits += row[x] >= floor
            if hits == 0:
                continue
            for x in range(columns):
                if not row[x] >= floor or not _is_peak(heat[class_id], y, x):
                    continue
                score = np.float32(1 / (1 + math.exp(-np.float64(row[x])))) if is_logits else row[x]
                centre_x, centre_y = (x + offsets[0, y, x]) * stride, (y + offsets[1, y, x]) * stride
                half_width, half_height = sizes[0, y, x] * stride / 2, sizes[1, y, x] * stride / 2
                if score >= limit and half_width > 0 and half_height > 0:
                    x1, y1 = np.float32(centre_x - half_width), np.float32(centre_y - half_height)
                    x2, y2 = np.float32(centre_x + half_width), np.float32(centre_y + half_height)
                    box = (x1, y1, x2, y2)
                    count = add(boxes_xyxy_out, scores_out, class_ids_out, count, box, score, class_id)
    return count
