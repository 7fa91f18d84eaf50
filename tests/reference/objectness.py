"""decode_objectness_reference: YOLOv5's and YOLOX's rows decoded in plain numpy, all anchors at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode_objectness_reference(
    output: NDArray[np.float32], classes: int, cells: NDArray[np.float32] | None, threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], in the order of the anchors."""
    rows = output[output[:, 4] >= np.float32(threshold)]
    if cells is not None:
        cells = cells[output[:, 4] >= np.float32(threshold)]
    scores, class_ids = rows[:, 4], np.zeros(len(rows), np.int64)
    if classes:
        of_classes = rows[:, 5 : 5 + classes]
        class_ids = np.where(np.isnan(of_classes), -np.inf, of_classes).argmax(axis=1)
        scores = scores * of_classes[np.arange(len(rows)), class_ids]
    centres, sizes = rows[:, :2], rows[:, 2:4]
    if cells is not None:
        centres = (centres + cells[:, :2]) * cells[:, 2:]
        sizes = np.exp(sizes.astype(np.float64)).astype(np.float32) * cells[:, 2:]
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    is_good = np.isfinite(scores) & (scores >= np.float32(threshold))
    is_good &= np.isfinite(centres).all(1) & np.isfinite(sizes).all(1) & (sizes > 0).all(1)
    return boxes[is_good], scores[is_good], class_ids[is_good].astype(np.int32)
