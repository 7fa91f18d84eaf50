"""decode_rows: candidates from an anchor-free head with one row per quantity, YOLOv8's and later ones'."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def decode_rows(
    output: NDArray[np.float32],
    threshold: float,
    best: NDArray[np.float32],
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    rows_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append the candidates to the `count` that the outputs hold; returns the new count.

    `output` float32 [4 + classes, anchors]: centre x, centre y, width, height in input pixels, then the
    scores, 0..1. An anchor whose best score is at least `threshold` (as float32) is a candidate of that
    class, of equal ones the first. `best` is scratch, float32 [anchors]. Outputs as in kernels.gfl:
    float32 [cap, 4], float32 [cap], int32 [cap], cap >= 1; once full, the best `cap` by score as a min-heap.
    `rows_out` int32 [cap]: each candidate's anchor. Other dtypes or layouts are an ArgumentError.
    """
    rows, anchors = output.shape
    if rows < 5 or best.shape != (anchors,):
        raise ValueError(f"output {output.shape}, best {best.shape}")
    return load().decode_rows(
        output,
        rows - 4,
        anchors,
        threshold,
        best,
        boxes_xyxy_out,
        scores_out,
        class_ids_out,
        rows_out,
        len(scores_out),
        count,
    )
