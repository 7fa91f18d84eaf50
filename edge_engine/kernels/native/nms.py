"""nms: greedy non-maximum suppression, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part


@part
def _comes_first(
    a: int, b: int, scores: NDArray[np.float32], class_ids: NDArray[np.int32], by_class: bool
) -> bool:
    """Whether candidate a ranks before b: by class if asked, then higher score, then lower index."""
    if by_class and class_ids[a] != class_ids[b]:
        return bool(class_ids[a] < class_ids[b])
    if scores[a] != scores[b]:
        return bool(scores[a] > scores[b])
    return a < b


@part
def _merge(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    first: int,
    middle: int,
    end: int,
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    by_class: bool,
) -> None:
    left, right = first, middle
    for k in range(first, end):
        if right >= end or (
            left < middle and _comes_first(source[left], source[right], scores, class_ids, by_class)
        ):
            target[k] = source[left]
            left += 1
        else:
            target[k] = source[right]
            right += 1


@part
def _sort(
    order: NDArray[np.int64],
    spare: NDArray[np.int64],
    n: int,
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    by_class: bool,
) -> None:
    """Bottom-up merge sort of order[:n]; `spare` is as long."""
    width = 1
    while width < n:
        for first in range(0, n, 2 * width):
            middle, end = min(first + width, n), min(first + 2 * width, n)
            _merge(order, spare, first, middle, end, scores, class_ids, by_class)
        for k in range(n):
            order[k] = spare[k]
        width *= 2


@part
def _find_valid(
    boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32], order: NDArray[np.int64]
) -> int:
    """Writes the indices of the candidates that count to `order`; returns how many they are."""
    m = 0
    for i in range(len(scores)):
        is_valid = np.isfinite(scores[i])
        for side in range(4):
            is_valid &= np.isfinite(boxes_xyxy[i, side])
        if is_valid and boxes_xyxy[i, 2] >= boxes_xyxy[i, 0] and boxes_xyxy[i, 3] >= boxes_xyxy[i, 1]:
            order[m] = i
            m += 1
    return m


@part
def _suppress(
    x1: NDArray[np.float64],
    y1: NDArray[np.float64],
    x2: NDArray[np.float64],
    y2: NDArray[np.float64],
    areas: NDArray[np.float64],
    suppressed: NDArray[np.uint8],
    iou_threshold: float,
) -> None:
    """Mark, among the boxes of one class, best first, those that overlap a better one that stays."""
    for i in range(len(suppressed)):
        if suppressed[i]:
            continue
        # Slices from 0 and no branch within: this loop becomes SIMD code, six times as fast.
        lefts, tops, rights, bottoms = x1[i + 1 :], y1[i + 1 :], x2[i + 1 :], y2[i + 1 :]
        others, marks = areas[i + 1 :], suppressed[i + 1 :]
        for j in range(len(others)):
            width = (x2[i] if x2[i] < rights[j] else rights[j]) - (x1[i] if x1[i] > lefts[j] else lefts[j])
            height = (y2[i] if y2[i] < bottoms[j] else bottoms[j]) - (y1[i] if y1[i] > tops[j] else tops[j])
            overlap = (width if width > 0.0 else 0.0) * (height if height > 0.0 else 0.0)
            is_above = overlap / (areas[i] + others[j] - overlap) > iou_threshold  # 0/0 is NaN: not above
            marks[j] |= np.uint8(is_above)


def nms(
    boxes_address: Any,  # noqa: ANN401 - numba's pointers
    scores_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    n: int,
    iou_threshold: float,
    columns_address: Any,  # noqa: ANN401
    orders_address: Any,  # noqa: ANN401
    suppressed_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.nms.nms. Scratch: columns float64 [5, n], orders
    int64 [2, n] with the kept indices in its first row at the end, suppressed uint8 [n]."""
    boxes_xyxy = carray(boxes_address, (n, 4))
    scores, class_ids = carray(scores_address, (n,)), carray(class_ids_address, (n,))
    columns, suppressed = carray(columns_address, (5, n)), carray(suppressed_address, (n,))
    orders = carray(orders_address, (2, n))
    order, spare = orders[0], orders[1]
    x1, y1, x2, y2, areas = columns[0], columns[1], columns[2], columns[3], columns[4]
    m = _find_valid(boxes_xyxy, scores, order)
    _sort(order, spare, m, scores, class_ids, True)
    for i in range(m):
        for side in range(4):
            columns[side, i] = boxes_xyxy[order[i], side]
        areas[i] = (x2[i] - x1[i]) * (y2[i] - y1[i])
        suppressed[i] = 0
    first = 0
    for end in range(1, m + 1):
        if end == m or class_ids[order[end]] != class_ids[order[first]]:
            a, b = first, end
            _suppress(x1[a:b], y1[a:b], x2[a:b], y2[a:b], areas[a:b], suppressed[a:b], iou_threshold)
            first = end
    kept = 0
    for i in range(m):
        if not suppressed[i]:
            order[kept] = order[i]
            kept += 1
    _sort(order, spare, kept, scores, class_ids, False)
    return kept
