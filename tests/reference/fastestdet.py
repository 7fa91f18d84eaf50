"""decode_fastestdet_reference: FastestDet's output decoded in plain Python, cell by cell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def decode_fastestdet_reference(
    output: NDArray[np.float32], size: tuple[int, int], threshold: float
) -> Decoded:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], in the order of the cells."""
    _, rows, columns = output.shape
    boxes, scores, class_ids = [], [], []
    for row in range(rows):
        for column in range(columns):
            objectness, x, y, width, height, *of_classes = (float(v) for v in output[:, row, column])
            best = max(range(len(of_classes)), key=lambda i: of_classes[i])
            score = objectness**0.6 * of_classes[best] ** 0.4
            if score < threshold:
                continue
            centre_x = (column + math.tanh(x)) / columns * size[0]
            centre_y = (row + math.tanh(y)) / rows * size[1]
            half_width = size[0] / (1 + math.exp(-width)) / 2
            half_height = size[1] / (1 + math.exp(-height)) / 2
            boxes.append(
                [centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height]
            )
            scores.append(score)
            class_ids.append(best)
    shaped = np.array(boxes, np.float32).reshape(-1, 4)
    return shaped, np.array(scores, np.float32), np.array(class_ids, np.int32)
