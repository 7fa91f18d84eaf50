"""rows: candidates from an anchor-free head with one row per quantity, YOLOv8's and later ones'.

The output is [4 + classes, anchors]: centre x, centre y, width, height, then each class's scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part
from edge_engine.kernels.native.candidates import add_with_row

# So many anchors at a time that their best scores stay in the first-level cache.
_BLOCK = 1024


@part
def _best_scores(scores: NDArray[np.float32], first: int, best: NDArray[np.float32]) -> None:
    """The highest of each anchor's scores, of those from `first` on; NaN is never it."""
    for i in range(len(best)):
        best[i] = -np.inf
    for class_id in range(scores.shape[0]):
        row = scores[class_id, first : first + len(best)]
        for i in range(len(best)):  # branchless and along the row, so that it becomes SIMD code
            best[i] = row[i] if row[i] > best[i] else best[i]


def decode_rows(
    output_address: Any,  # noqa: ANN401 - numba's pointers
    classes: int,
    anchors: int,
    threshold: float,
    best_address: Any,  # noqa: ANN401
    boxes_address: Any,  # noqa: ANN401
    scores_out_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
    rows_address: Any,  # noqa: ANN401
    cap: int,
    count: int,
) -> int:
    """The contract is that of edge_engine.kernels.rows.decode_rows. Scratch: best float32 [anchors]."""
    output = carray(output_address, (4 + classes, anchors))
    best_of_all = carray(best_address, (anchors,))
    boxes_xyxy_out = carray(boxes_address, (cap, 4))
    scores_out, class_ids_out = carray(scores_out_address, (cap,)), carray(class_ids_address, (cap,))
    rows_out = carray(rows_address, (cap,))
    scores = output[4:]
    limit = np.float32(threshold)
    for first in range(0, anchors, _BLOCK):
        best = best_of_all[first : min(first + _BLOCK, anchors)]
        _best_scores(scores, first, best)
        for i in range(len(best)):
            if not best[i] >= limit:
                continue
            anchor = first + i
            class_id = 0
            while class_id < classes - 1 and scores[class_id, anchor] != best[i]:
                class_id += 1
            x, y = output[0, anchor], output[1, anchor]
            half_width, half_height = output[2, anchor] / 2, output[3, anchor] / 2
            box = (x - half_width, y - half_height, x + half_width, y + half_height)
            count = add_with_row(
                boxes_xyxy_out, scores_out, class_ids_out, rows_out, count, box, best[i], class_id, anchor
            )
    return count
