"""decode_boxes: candidates from boxes that the graph has decoded and scores that lie class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def decode_boxes(
    scores: NDArray[np.float32],
    boxes_xyxy: NDArray[np.float32],
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append the candidates to the `count` that the outputs hold; returns the new count.

    `scores` float32 [classes, anchors], 0..1; `boxes_xyxy` float32 [anchors, 4], input pixels. Every (class,
    anchor) with a score of at least `threshold` (as float32) and a box with an area is a candidate; they come
    class by class. Outputs as in kernels.gfl: float32 [cap, 4], float32 [cap], int32 [cap], cap >= 1; once
    full, the best `cap` by score as a min-heap. Other dtypes or layouts are an ArgumentError.
    """
    classes, anchors = scores.shape
    if boxes_xyxy.shape != (anchors, 4):
        raise ValueError(f"scores {scores.shape}, boxes {boxes_xyxy.shape}")
    outputs = boxes_xyxy_out, scores_out, class_ids_out, len(scores_out), count
    return load().decode_boxes(scores, boxes_xyxy, classes, anchors, threshold, *outputs)
