"""nms_reference: greedy class-aware suppression in plain numpy, one box at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def iou_of(box: NDArray[np.float32], boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    """IoU float64 [n] of one box with boxes [n, 4]; 0 where there is no union."""
    one, others = box.astype(np.float64), boxes_xyxy.astype(np.float64)
    overlap = np.clip(np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2]), 0, None).prod(
        1
    )
    union = (one[2:] - one[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - overlap
    return np.divide(overlap, union, out=np.zeros_like(union), where=union > 0)


def nms_reference(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int32],
    iou_threshold: float,
) -> NDArray[np.int64]:
    """The same contract as `edge_engine.kernels.nms.nms`."""
    is_valid = np.isfinite(boxes_xyxy).all(axis=1) & np.isfinite(scores)
    is_valid &= (boxes_xyxy[:, 2] >= boxes_xyxy[:, 0]) & (boxes_xyxy[:, 3] >= boxes_xyxy[:, 1])
    waiting = np.flatnonzero(is_valid)
    waiting = waiting[np.argsort(-scores[waiting], kind="stable")]
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        is_same_class = class_ids[waiting] == class_ids[best]
        is_overlapping = iou_of(boxes_xyxy[best], boxes_xyxy[waiting]) > iou_threshold
        waiting = waiting[~(is_same_class & is_overlapping)]
    return np.array(kept, np.int64)
