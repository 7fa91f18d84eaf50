"""nms: greedy non-maximum suppression, class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def nms(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    iou_threshold: float,
) -> NDArray[np.int64]:
    """Indices int64 [k] of the boxes kept, by descending score, ties by lower index.

    `boxes_xyxy` float32 [n, 4], `scores` float32 [n], `class_ids` int32 [n], any values; all C-contiguous,
    another dtype or layout is an ArgumentError. A box goes when its IoU with a kept box of the same class is
    above `iou_threshold`. Candidates with a non-finite coordinate or score, or with x2 < x1 or y2 < y1, are
    never kept and suppress nothing. Two boxes without any area have no union: their IoU is 0. IoU is
    computed in float64.
    """
    n = len(scores)
    if boxes_xyxy.shape != (n, 4) or class_ids.shape != (n,):
        raise ValueError(f"boxes {boxes_xyxy.shape}, scores {scores.shape}, classes {class_ids.shape}")
    if n == 0:
        return np.empty(0, np.int64)
    columns, orders = np.empty((5, n)), np.empty((2, n), np.int64)
    suppressed = np.empty(n, np.uint8)
    kept = load().nms(boxes_xyxy, scores, class_ids, n, iou_threshold, columns, orders, suppressed)
    return orders[0, :kept]
