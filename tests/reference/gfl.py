"""decode_gfl_reference: a generalized focal loss head decoded in plain numpy, all cells at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode_gfl_reference(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    grid_width: int,
    stride: int,
    threshold: float,
    cell_offset: float = 0.5,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], in the order of the cells."""
    cells = len(scores)
    logits = distances.reshape(cells, 4, -1).astype(np.float64)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    sides = (weights * np.arange(logits.shape[2])).sum(axis=2) * stride
    rows, columns = np.divmod(np.arange(cells), grid_width)
    centres = (np.stack([columns, rows], axis=1) + cell_offset) * stride
    boxes = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], axis=1).astype(np.float32)
    has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    cell_ids, class_ids = np.nonzero((scores >= np.float32(threshold)) & has_area[:, None])
    return boxes[cell_ids], scores[cell_ids, class_ids], class_ids.astype(np.int32)
