"""DETR's forms of output decoded in plain Python, query by query."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Found = tuple[float, int, tuple[float, float, float, float]]


def sigmoid_reference(
    logits: NDArray[np.float32],
    boxes: NDArray[np.float32],
    size: tuple[int, int],
    classes: int,
    threshold: float,
) -> list[Found]:
    """Each class of each query that reaches the threshold: score, class, box xyxy in pixels of `size`."""
    found = []
    for query, box in zip(logits, boxes, strict=True):
        for class_id in range(classes):
            logit = float(query[class_id])
            if math.isfinite(logit):
                score = 1 / (1 + math.exp(-min(max(logit, -700), 700)))
                found.append((score, class_id, _pixels(box, size)))
    return _best(found, threshold)


def softmax_reference(
    logits: NDArray[np.float32], boxes: NDArray[np.float32], size: tuple[int, int], threshold: float
) -> list[Found]:
    """Each query's best class but the last, which is that of no object."""
    found = []
    for query, box in zip(logits, boxes, strict=True):
        if any(math.isnan(logit) or logit == math.inf for logit in query):
            continue
        powers = [math.exp(float(logit) - float(max(query))) for logit in query]
        class_id = max(range(len(powers) - 1), key=lambda i: powers[i])
        found.append((powers[class_id] / sum(powers), class_id, _pixels(box, size)))
    return _best(found, threshold)


def rows_reference(rows: NDArray[np.float32], size: tuple[int, int], threshold: float) -> list[Found]:
    """Each row's box and best score, of scores that are finite in all."""
    found = []
    for row in rows:
        scores = [float(score) for score in row[4:]]
        if not any(math.isnan(score) for score in scores):
            class_id = max(range(len(scores)), key=lambda i: scores[i])
            found.append((scores[class_id], class_id, _pixels(row[:4], size)))
    return _best(found, threshold)


def _pixels(box: Sequence[float] | NDArray[np.float32], size: tuple[int, int]) -> tuple[float, ...]:
    x, y, width, height = (float(value) for value in box)
    left, right = (x - width / 2) * size[0], (x + width / 2) * size[0]
    top, bottom = (y - height / 2) * size[1], (y + height / 2) * size[1]
    return left, top, right, bottom


def _best(found: list[tuple[float, int, tuple[float, ...]]], threshold: float) -> list[Found]:
    """At most 300, highest score first, with real boxes."""
    kept = [
        (score, class_id, (box[0], box[1], box[2], box[3]))
        for score, class_id, box in found
        if threshold <= score <= 1
        and all(math.isfinite(side) for side in box)
        and box[0] < box[2]
        and box[1] < box[3]
    ]
    return sorted(kept, key=lambda each: -each[0])[:300]
