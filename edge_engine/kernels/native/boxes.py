"""boxes: candidates from boxes that the graph has decoded and scores that lie class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from edge_engine.kernels.native.candidates import add

# So many anchors at a time that they are still in the first-level cache when they are looked at again.
_BLOCK = 1024


def decode_boxes(
    scores_address: Any,  # noqa: ANN401 - numba's pointers
    boxes_address: Any,  # noqa: ANN401
    classes: int,
    anchors: int,
    threshold: float,
    boxes_out_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.boxes.decode_boxes."""
    scores, boxes_xyxy = carray(scores_address, (classes, anchors)), carray(boxes_address, (anchors, 4))
    boxes_xyxy_out = carray(boxes_out_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    limit = np.float32(threshold)
    for class_id in range(classes):
        if count == cap:
            limit = max(limit, scores_out[0])
        for first in range(0, anchors, _BLOCK):
            row = scores[class_id, first : min(first + _BLOCK, anchors)]
            hits = 0
            for i in range(len(row)):  # branchless and along the row, so that it becomes SIMD code
                hits += row[i] >= limit
            if hits == 0:
                continue
            for i in range(len(row)):
                if row[i] >= limit:
                    x1, y1 = boxes_xyxy[first + i, 0], boxes_xyxy[first + i, 1]
                    x2, y2 = boxes_xyxy[first + i, 2], boxes_xyxy[first + i, 3]
                    if x2 > x1 and y2 > y1:
                        box = (x1, y1, x2, y2)
                        count = add(boxes_xyxy_out, scores_out, class_ids_out, count, box, row[i], class_id)
    return count
