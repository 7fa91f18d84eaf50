"""Face detectors' heads decoded in plain numpy, cell by cell, and the faces that remain."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.reference.nms import nms_reference

Array = NDArray[np.float32]


class Faces(NamedTuple):
    """`boxes_xyxy` [n, 4], `scores` [n] and `points` [n, k, 2]; `rows` says which anchor each came from."""

    boxes_xyxy: Array
    scores: Array
    points: Array
    rows: NDArray[np.int32]

    @classmethod
    def of(cls, found: list[tuple[list[float], float, list[float], int]], k: int) -> Faces:
        boxes, scores, points, rows = zip(*found, strict=True) if found else ((), (), (), ())
        return cls(
            np.array(boxes, np.float64).astype(np.float32).reshape(-1, 4),
            np.array(scores, np.float32),
            np.array(points, np.float64).astype(np.float32).reshape(-1, k, 2)
            if k
            else np.empty((len(scores), 0, 2), np.float32),
            np.array(rows, np.int32),
        )

    def suppressed(self, iou_threshold: float) -> Faces:
        same = np.zeros(len(self.scores), np.int32)
        kept = nms_reference(self.boxes_xyxy, self.scores, same, iou_threshold)
        return Faces(*(array[kept] for array in self))


def yunet_reference(
    class_scores: Array,
    objectness: Array,
    boxes: Array,
    points: Array,
    grid_width: int,
    stride: int,
    first_row: int,
    threshold: float,
) -> Faces:
    """One stride: scores [cells], boxes [cells, 4], points [cells, 10]."""
    found = []
    for cell in range(len(boxes)):
        if not np.isfinite([class_scores[cell], objectness[cell]]).all():
            continue
        clipped = np.clip(np.array([class_scores[cell], objectness[cell]]), np.float32(0), np.float32(1))
        score = np.sqrt(np.prod(clipped))
        if score < np.float32(threshold) or np.isnan(threshold):
            continue
        row, column = divmod(cell, grid_width)
        dx, dy, log_width, log_height = (float(number) for number in boxes[cell])
        x, y = (column + dx) * stride, (row + dy) * stride
        width, height = (float(np.exp(np.float64(side))) * stride for side in (log_width, log_height))
        box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        where = [float(n) + (column if k % 2 == 0 else row) for k, n in enumerate(points[cell])]
        found.append((box, float(score), [n * stride for n in where], first_row + cell))
    return Faces.of(found, points.shape[1] // 2)


def scrfd_reference(
    scores: Array,
    distances: Array,
    points: Array,
    per_cell: int,
    grid_width: int,
    stride: int,
    first_row: int,
    threshold: float,
) -> Faces:
    """One stride: scores [anchors], distances [anchors, 4], points [anchors, 2 * k]."""
    found = []
    for anchor in range(len(scores)):
        score = float(scores[anchor])
        if not math.isfinite(score) or not score >= np.float32(threshold):
            continue
        row, column = divmod(anchor // per_cell, grid_width)
        x, y = column * stride, row * stride
        left, top, right, bottom = (float(distance) * stride for distance in distances[anchor])
        box = [x - left, y - top, x + right, y + bottom]
        where = [float(n) * stride + (x if k % 2 == 0 else y) for k, n in enumerate(points[anchor])]
        found.append((box, min(score, 1.0), where, first_row + anchor))
    return Faces.of(found, points.shape[1] // 2)


def blazeface_anchors(size: int, strides: list[int], per_layer: int) -> list[tuple[float, float]]:
    """Centres in pixels: layers of one stride give their anchors cell by cell, together."""
    anchors: list[tuple[float, float]] = []
    for stride in dict.fromkeys(strides):
        side = math.ceil(size / stride)
        for row in range(side):
            for column in range(side):
                centre = ((column + 0.5) / side * size, (row + 0.5) / side * size)
                anchors += [centre] * (strides.count(stride) * per_layer)
    return anchors


def blazeface_reference(
    logits: Array, numbers: Array, anchors: list[tuple[float, float]], threshold: float
) -> Faces:
    """Logits [anchors], numbers [anchors, 16]: centre, size and six points, all in pixels."""
    found = []
    for i, (x, y) in enumerate(anchors):
        logit = float(logits[i])
        if not math.isfinite(logit):
            continue
        score = 1 / (1 + math.exp(-max(-80.0, min(80.0, logit))))
        if score < threshold:
            continue
        dx, dy, width, height, *rest = (float(number) for number in numbers[i])
        box = [x + dx - width / 2, y + dy - height / 2, x + dx + width / 2, y + dy + height / 2]
        points = [n + (x if k % 2 == 0 else y) for k, n in enumerate(rest)]
        found.append((box, score, points, i))
    return Faces.of(found, 6)


def ultralight_reference(scores: Array, boxes: Array, size: tuple[int, int], threshold: float) -> Faces:
    """Scores [anchors, 2], background first; boxes [anchors, 4], corners as shares of the size."""
    found = []
    for i in range(len(scores)):
        score = float(scores[i, 1])
        if math.isfinite(score) and score >= np.float32(threshold):
            box = [float(side) * size[k % 2] for k, side in enumerate(boxes[i])]
            found.append((box, min(score, 1.0), [], i))
    return Faces.of(found, 0)
