"""decode_peaks: candidates from a heat map of objects' centres (CenterNet, arXiv:1904.07850, section 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load
from edge_engine.kernels.logits import least_logit


def decode_peaks(
    heat: NDArray[np.float32],
    sizes: NDArray[np.float32],
    offsets: NDArray[np.float32],
    stride: float,
    is_logits: bool,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append the candidates to the `count` that the outputs hold; returns the new count.

    `heat` float32 [classes, rows, columns], 0..1, or logits; `sizes` and `offsets` float32 [2, rows,
    columns], width and height, x and y, in cells, `stride` input pixels each. A cell whose heat none of its
    eight neighbours exceeds is a candidate of that class, if its score is at least `threshold` (as float32)
    and its size positive. Outputs as in kernels.gfl: float32 [cap, 4], float32 [cap], int32 [cap], cap >= 1;
    once full, the best `cap` by score as a min-heap. Other dtypes or layouts are an ArgumentError.
    """
    grid = heat.shape[1:]
    if sizes.shape != (2, *grid) or offsets.shape != (2, *grid):
        raise ValueError(f"heat {heat.shape}, sizes {sizes.shape}, offsets {offsets.shape}")
    least = least_logit(threshold) if is_logits else threshold
    outputs = boxes_xyxy_out, scores_out, class_ids_out, len(scores_out), count
    return load().decode_peaks(
        heat, sizes, offsets, *heat.shape, stride, int(is_logits), least, threshold, *outputs
    )
