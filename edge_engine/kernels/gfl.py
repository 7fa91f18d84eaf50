"""decode_gfl: candidates from a generalized focal loss head (Li et al. 2020, arXiv:2006.04388), NanoDet's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def decode_gfl(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    grid_width: int,
    stride: int,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append one grid's candidates to the `count` that the outputs hold; returns the new count.

    `scores` float32 [cells, classes], 0..1; `distances` float32 [cells, 4 * (reg_max + 1)], logits, sides
    left, top, right, bottom; cells row by row, `grid_width` to a row, `stride` input pixels apart. Every
    (cell, class) with a score of at least `threshold` (as float32) is a candidate, its box in input pixels.
    Outputs float32 [cap, 4], float32 [cap], int32 [cap], cap >= 1. Once they are full the best `cap`
    candidates by score stay, as a min-heap; until then they lie in the order of the cells.
    Other dtypes or layouts are an ArgumentError.
    """
    cells, classes = scores.shape
    return load().decode_gfl(
        scores,
        distances,
        cells,
        classes,
        distances.shape[1] // 4,
        grid_width,
        stride,
        threshold,
        boxes_xyxy_out,
        scores_out,
        class_ids_out,
        len(scores_out),
        count,
    )
