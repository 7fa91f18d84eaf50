"""decode_boxes_reference: decoded boxes with scores class by class, in plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode_boxes_reference(
    scores: NDArray[np.float32], boxes_xyxy: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], class by class."""
    has_area = (boxes_xyxy[:, 2] > boxes_xyxy[:, 0]) & (boxes_xyxy[:, 3] > boxes_xyxy[:, 1])
    class_ids, anchors = np.nonzero((scores >= np.float32(threshold)) & has_area)
    return boxes_xyxy[anchors], scores[class_ids, anchors], class_ids.astype(np.int32)
