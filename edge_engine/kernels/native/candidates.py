"""candidates: the boxes that decoding found; once there is no more room, the best by score, as a min-heap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.native import part


@part
def _sink(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
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
        class_ids[parent], class_ids[child] = class_ids[child], class_ids[parent]
        for side in range(4):
            box = boxes_xyxy[parent, side]
            boxes_xyxy[parent, side] = boxes_xyxy[child, side]
            boxes_xyxy[child, side] = box
        parent = child


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
    cap = len(scores)
    if count == cap and score <= scores[0]:
        return count
    slot = count if count < cap else 0
    for side in range(4):
        boxes_xyxy[slot, side] = box_xyxy[side]
    scores[slot] = score
    class_ids[slot] = class_id
    if count == cap:
        _sink(boxes_xyxy, scores, class_ids, 0)
        return count
    if count + 1 == cap:
        for parent in range(cap // 2, -1, -1):
            _sink(boxes_xyxy, scores, class_ids, parent)
    return count + 1
