"""decode_gfl: candidates from a generalized focal loss head (Li et al. 2020, arXiv:2006.04388)."""

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
    cell_offset: float = 0.5,
) -> int:
    """Append one grid's candidates to the `count` that the outputs hold; returns the new count.

    `scores` float32 [cells, classes], 0..1; `distances` float32 [cells, 4 * (reg_max + 1)], logits, sides
    left, top, right, bottom; cells row by row, `grid_width` to a row, `stride` input pixels apart, the first
    one's point at `cell_offset` strides. Every (cell, class) with a score of at least `threshold` (as
    float32) is a candidate, its box in input pixels, unless that has no area. Outputs float32 [cap, 4],
    float32 [cap], int32 [cap], cap >= 1. Once they are full the best `cap` candidates by score stay, as a
    min-heap; until then they lie in the order of the cells. Other dtypes or layouts are an ArgumentError.
    """
    cells, classes = scores.shape
    width = distances.shape[1]
    outputs = boxes_xyxy_out, scores_out, class_ids_out, len(scores_out), count
    grid = grid_width, stride, cell_offset, threshold
    return load().decode_gfl(
        scores, distances, cells, classes, width // 4, classes, width, 0, *grid, *outputs
    )


def decode_joint_gfl(
    output: NDArray[np.float32],
    classes: int,
    grid_width: int,
    stride: int,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    count: int,
    cell_offset: float = 0.5,
) -> int:
    """The same of an array that holds both: `output` float32 [cells, classes + 4 * (reg_max + 1)]."""
    cells, width = output.shape
    outputs = boxes_xyxy_out, scores_out, class_ids_out, len(scores_out), count
    grid = grid_width, stride, cell_offset, threshold
    bins = (width - classes) // 4
    return load().decode_gfl(output, output, cells, classes, bins, width, width, classes, *grid, *outputs)
