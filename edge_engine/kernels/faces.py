"""decode_yunet, decode_scrfd: candidates from the anchor grids of face detectors, one stride at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def decode_yunet(
    class_scores: NDArray[np.float32],
    objectness: NDArray[np.float32],
    boxes: NDArray[np.float32],
    grid_width: int,
    stride: int,
    first_row: int,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    rows_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append one grid's candidates to the `count` that the outputs hold; returns the new count.

    `class_scores` and `objectness` float32 [cells, 1]: a cell's score is the root of their product, each
    clipped to 0..1 (OpenCV's FaceDetectorYN). `boxes` float32 [cells, 4]: the centre's offset from the
    cell's corner, then the logarithms of width and height, all in strides. Cells row by row, `grid_width`
    to a row, `stride` input pixels apart. A cell with a score of at least `threshold` (as float32) is a
    candidate of class 0, unless one of both scores isn't a finite number; its row is `first_row` and its
    place among the cells. Outputs as in kernels.rows, and `rows_out` int32 [cap].
    Other dtypes or layouts are an ArgumentError.
    """
    cells = len(boxes)
    if boxes.shape != (cells, 4) or class_scores.size != cells or objectness.size != cells:
        raise ValueError(f"scores {class_scores.shape} and {objectness.shape}, boxes {boxes.shape}")
    return load().decode_yunet(
        class_scores,
        objectness,
        boxes,
        cells,
        grid_width,
        stride,
        first_row,
        threshold,
        boxes_xyxy_out,
        scores_out,
        class_ids_out,
        rows_out,
        len(scores_out),
        count,
    )


def decode_scrfd(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    anchors_per_cell: int,
    grid_width: int,
    stride: int,
    first_row: int,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    rows_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append one grid's candidates to the `count` that the outputs hold; returns the new count.

    `scores` float32 [anchors, 1], after the sigmoid; `distances` float32 [anchors, 4]: from a cell's corner
    to the box's left, top, right and bottom, in strides. Cells row by row, `grid_width` to a row, `stride`
    input pixels apart, each with `anchors_per_cell` anchors in a row. An anchor with a finite score of at
    least `threshold` (as float32) is a candidate of class 0, its score 1 at most; its row is `first_row` and
    its place among the anchors. Outputs as in kernels.rows, and `rows_out` int32 [cap].
    Other dtypes or layouts are an ArgumentError.
    """
    anchors = len(distances)
    if distances.shape != (anchors, 4) or scores.size != anchors:
        raise ValueError(f"scores {scores.shape}, distances {distances.shape}")
    return load().decode_scrfd(
        scores,
        distances,
        anchors,
        anchors_per_cell,
        grid_width,
        stride,
        first_row,
        threshold,
        boxes_xyxy_out,
        scores_out,
        class_ids_out,
        rows_out,
        len(scores_out),
        count,
    )
