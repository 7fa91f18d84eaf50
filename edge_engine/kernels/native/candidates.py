"""candidates: the boxes that decoding found; once there is no more room, the best by score, as a min-heap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.native import part


@part
def _sink(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    numbers: tuple[NDArray[np.int32], ...],
    parent: int,
) -> None:
    """Restore the min-heap by score below `parent`."""
    while True:
        child = 2 * parent + 1
        if child >= len(scores):
            return
        if child + 1 < len(scores) and scores[child + 1] < scores[child]:
            child += 1
        if scores[parent] <= scores[child]:
            return
        scores[parent], scores[child] = scores[child], scores[parent]
        for column in numbers:
            column[parent], column[child] = column[child], column[parent]
        for side in range(4):
            box = boxes_xyxy[parent, side]
            boxes_xyxy[parent, side] = boxes_xyxy[child, side]
            boxes_xyxy[child, side] = box
        parent = child


@part
def _put(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    numbers: tuple[NDArray[np.int32], ...],
    count: int,
    box_xyxy: tuple[np.float32, np.float32, np.float32, np.float32],
    score: np.float32,
    its_numbers: tuple[np.int64, ...],
) -> int:
    """One more candidate among `count`, with what goes along: returns how many there are now."""
    cap = len(scores)
    if count == cap and score <= scores[0]:
        return count
    slot = count if count < cap else 0
    for side in range(4):
        boxes_xyxy[slot, side] = box_xyxy[side]
    scores[slot] = score
    for k in range(len(numbers)):
        numbers[k][slot] = its_numbers[k]
    if count == cap:
        _sink(boxes_xyxy, scores, numbers, 0)
        return count
    if count + 1 == cap:
        for parent in range(cap // 2, -1, -1):
            _sink(boxes_xyxy, scores, numbers, parent)
    return count + 1


@part
def add(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    count: int,
    box_xyxy: tuple[np.float32, np.float32, np.float32, np.float32],
    score: np.float32,
    class_id: int,
) -> int:
    """One more candidate among `count`; returns how many there are now. A full heap lets its worst go."""
    return _put(boxes_xyxy, scores, (class_ids,), count, box_xyxy, score, (np.int64(class_id),))


@part
def add_with_row(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    rows: NDArray[np.int32],
    count: int,
    box_xyxy: tuple[np.float32, np.float32, np.float32, np.float32],
    score: np.float32,
    class_id: int,
    row: int,
) -> int:
    """As `add`; keeps which row of the output the candidate came from too."""
    its_numbers = (np.int64(class_id), np.int64(row))
    return _put(boxes_xyxy, scores, (class_ids, rows), count, box_xyxy, score, its_numbers)
