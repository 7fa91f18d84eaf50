"""nms: greedy non-maximum suppression, class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.jit import jit, jit_part


@jit_part
def _valid_by_score(boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Indices int64 [m] of the candidates that count, by descending score, ties by lower index."""
    valid = np.empty(len(scores), np.int64)
    m = 0
    for i in range(len(scores)):
        is_valid = np.isfinite(scores[i])
        for side in range(4):
            is_valid &= np.isfinite(boxes_xyxy[i, side])
        if is_valid and boxes_xyxy[i, 2] >= boxes_xyxy[i, 0] and boxes_xyxy[i, 3] >= boxes_xyxy[i, 1]:
            valid[m] = i
            m += 1
    valid = valid[:m]
    return valid[np.argsort(-scores[valid], kind="mergesort")]


@jit_part
def _suppress(
    x1: NDArray[np.float64],
    y1: NDArray[np.float64],
    x2: NDArray[np.float64],
    y2: NDArray[np.float64],
    areas: NDArray[np.float64],
    suppressed: NDArray[np.bool_],
    iou_threshold: float,
) -> None:
    """Mark, among the boxes of one class, best first, those that overlap a better one that stays."""
    for i in range(len(areas)):
        if suppressed[i]:
            continue
        # Slices from 0 and no branch within: this loop becomes SIMD code, six times as fast.
        lefts, tops, rights, bottoms = x1[i + 1 :], y1[i + 1 :], x2[i + 1 :], y2[i + 1 :]
        others, marks = areas[i + 1 :], suppressed[i + 1 :]
        for j in range(len(others)):
            width = (x2[i] if x2[i] < rights[j] else rights[j]) - (x1[i] if x1[i] > lefts[j] else lefts[j])
            height = (y2[i] if y2[i] < bottoms[j] else bottoms[j]) - (y1[i] if y1[i] > tops[j] else tops[j])
            overlap = (width if width > 0.0 else 0.0) * (height if height > 0.0 else 0.0)
            marks[j] |= overlap / (areas[i] + others[j] - overlap) > iou_threshold  # 0/0 is NaN: not above


@jit_part
def _gather(boxes_xyxy: NDArray[np.float32], order: NDArray[np.int64], side: int) -> NDArray[np.float64]:
    """One coordinate of all boxes, in the given order."""
    column = np.empty(len(order), np.float64)
    for i in range(len(order)):
        column[i] = boxes_xyxy[order[i], side]
    return column


@jit("int64[::1](float32[:,::1], float32[::1], int32[::1], float64)")
def nms(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    iou_threshold: float,
) -> NDArray[np.int64]:
    """Indices int64 [k] of the boxes kept, by descending score, ties by lower index.

    `boxes_xyxy` float32 [n, 4], `scores` float32 [n], `class_ids` int32 [n], any values; all C-contiguous.
    A box goes when its IoU with a kept box of the same class is above `iou_threshold`. Candidates with a
    non-finite coordinate or score, or with x2 < x1 or y2 < y1, are never kept and suppress nothing.
    Two boxes without any area have no union: their IoU is 0. IoU is computed in float64.
    """
    ranked = _valid_by_score(boxes_xyxy, scores)
    n = len(ranked)
    by_class = np.argsort(class_ids[ranked], kind="mergesort")  # stable: within a class, best first
    order = ranked[by_class]
    x1, y1 = _gather(boxes_xyxy, order, 0), _gather(boxes_xyxy, order, 1)
    x2, y2 = _gather(boxes_xyxy, order, 2), _gather(boxes_xyxy, order, 3)
    areas = (x2 - x1) * (y2 - y1)
    suppressed = np.zeros(n, np.bool_)
    first = 0
    for end in range(1, n + 1):
        if end == n or class_ids[order[end]] != class_ids[order[first]]:
            one = slice(first, end)
            _suppress(x1[one], y1[one], x2[one], y2[one], areas[one], suppressed[one], iou_threshold)
            first = end
    is_kept = np.empty(n, np.bool_)
    is_kept[by_class] = ~suppressed
    return ranked[is_kept]
