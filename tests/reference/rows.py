"""decode_rows_reference: YOLOv8's head decoded in plain numpy, all anchors at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode_rows_reference(
    output: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], in the order of the anchors."""
    columns = np.ascontiguousarray(output.T)
    scores = np.where(np.isnan(columns[:, 4:]), -np.inf, columns[:, 4:])
    class_ids = scores.argmax(axis=1)
    best = scores.max(axis=1)
    is_candidate = best >= np.float32(threshold)
    centres, halves = columns[is_candidate, :2], columns[is_candidate, 2:4] / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    return boxes, best[is_candidate], class_ids[is_candidate].astype(np.int32)
