"""objectness: candidates from heads with one row per anchor, YOLOv5's and YOLOX's.

A row is centre x, centre y, width, height, objectness, then each class's score and what else the model gives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part
from edge_engine.kernels.native.candidates import add_with_row

# The bits of float32's infinity: those of finite numbers from 0 on are below, in the numbers' order.
_INFINITY = 0x7F800000


@part
def _best_class(scores: NDArray[np.float32], bits: NDArray[np.int32]) -> int:
    """The first of the highest; NaN is never it, unless all are. `bits` are the scores' own."""
    highest = bits[0]
    for i in range(1, len(bits)):  # of whole numbers, so that it becomes SIMD code
        highest = bits[i] if bits[i] > highest else highest
    if 0 <= highest < _INFINITY:
        class_id = 0
        while bits[class_id] != highest:
            class_id += 1
        return class_id
    best = 0
    for class_id in range(1, len(scores)):
        if scores[class_id] > scores[best] or scores[best] != scores[best]:
            best = class_id
    return best


@part
def _is_box(x: float, y: float, width: float, height: float) -> bool:
    """All finite, with an area; NaN fails every comparison."""
    return 0 < width < np.inf and 0 < height < np.inf and abs(x) < np.inf and abs(y) < np.inf


def decode_objectness(
    output_address: Any,  # noqa: ANN401 - numba's pointers
    bits_address: Any,  # noqa: ANN401
    anchors: int,
    columns: int,
    classes: int,
    cells_address: Any,  # noqa: ANN401
    is_raw: int,
    threshold: float,
    boxes_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    rows_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.objectness.decode_objectness; `is_raw`: with `cells`.

    `bits` int32: the output's own memory.
    """
    output, cells = carray(output_address, (anchors, columns)), carray(cells_address, (anchors, 3))
    bits = carray(bits_address, (anchors, columns))
    boxes_xyxy_out = carray(boxes_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    rows_out = carray(rows_address, (cap,))
    limit = np.float32(threshold)
    for anchor in range(anchors):
        score = output[anchor, 4]
        if not limit <= score < np.inf:
            continue
        class_id = 0
        if classes > 0:
            class_id = _best_class(output[anchor, 5 : 5 + classes], bits[anchor, 5 : 5 + classes])
            score *= output[anchor, 5 + class_id]
            if not limit <= score < np.inf:
                continue
        x, y, width, height = output[anchor, 0], output[anchor, 1], output[anchor, 2], output[anchor, 3]
        if is_raw:
            stride = cells[anchor, 2]
            x, y = (x + cells[anchor, 0]) * stride, (y + cells[anchor, 1]) * stride
            width, height = np.float32(math.exp(width)) * stride, np.float32(math.exp(height)) * stride
        if _is_box(x, y, width, height):
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            count = add_with_row(
                boxes_xyxy_out, scores_out, class_ids_out, rows_out, count, box, score, class_id, anchor
            )
    return count
