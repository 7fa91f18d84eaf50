"""decode_yolofastest_reference: one stride of Yolo-FastestV2 decoded in plain Python, anchor by anchor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def decode_yolofastest_reference(
    grid: NDArray[np.float32], stride: int, anchors: Sequence[tuple[float, float]], threshold: float
) -> Decoded:
    """Of a grid [rows, columns, 15 + classes]: candidates' boxes xyxy [n, 4], scores and class ids [n]."""
    boxes, scores, class_ids = [], [], []
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            values = [float(value) for value in grid[row, column]]
            of_classes = values[15:]
            best = of_classes.index(max(of_classes))
            for i, (anchor_width, anchor_height) in enumerate(anchors):
                x, y, width, height = values[4 * i : 4 * i + 4]
                score = np.float32(values[12 + i]) * np.float32(of_classes[best])
                if score < np.float32(threshold):
                    continue
                x, y = (2 * x - 0.5 + column) * stride, (2 * y - 0.5 + row) * stride
                width, height = (2 * width) ** 2 * anchor_width, (2 * height) ** 2 * anchor_height
                boxes.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
                scores.append(score)
                class_ids.append(best)
    shaped = np.array(boxes, np.float32).reshape(-1, 4)
    return shaped, np.array(scores, np.float32), np.array(class_ids, np.int32)
