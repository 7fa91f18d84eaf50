"""SSD's anchors and decoding in plain numpy and float64, all anchors at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def anchors_reference(
    grids: Sequence[tuple[int, int]],
    strides: Sequence[float],
    shapes: Sequence[Sequence[tuple[float, float]]],
) -> NDArray[np.float64]:
    """[n, 4], one after the other: centre x, centre y, width, height. `grids`: columns and rows."""
    return np.array(
        [
            [(column + 0.5) * stride, (row + 0.5) * stride, width, height]
            for (columns, rows), stride, of_cell in zip(grids, strides, shapes, strict=True)
            for row in range(rows)
            for column in range(columns)
            for width, height in of_cell
        ]
    )


def activate(values: NDArray[np.float32], activation: str) -> NDArray[np.float32]:
    """Scores [n, columns] of a head's values."""
    if activation == "none":
        return values
    logits = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if activation == "sigmoid":
            return (1 / (1 + np.exp(-logits))).astype(np.float32)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def decode_anchors_reference(
    values: NDArray[np.float32],
    offsets: NDArray[np.float32],
    anchors: NDArray[np.floating],
    variances: Sequence[float],
    activation: str,
    background: int,
    is_yxhw: bool,
    threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], in the order of the anchors."""
    scores = activate(values, activation)
    if background >= 0:
        scores = np.delete(scores, background, axis=1)
    moves = offsets.astype(np.float64) * np.float32(variances)
    if is_yxhw:
        moves = moves[:, [1, 0, 3, 2]]
    sizes = np.asarray(anchors[:, 2:], np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        centres = anchors[:, :2] + moves[:, :2] * sizes
        halves = sizes * np.exp(moves[:, 2:]) / 2
        boxes = np.concatenate([centres - halves, centres + halves], axis=1)
        has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        found, class_ids = np.nonzero((scores >= np.float32(threshold)) & has_area[:, None])
        return boxes[found].astype(np.float32), scores[found, class_ids], class_ids.astype(np.int32)
