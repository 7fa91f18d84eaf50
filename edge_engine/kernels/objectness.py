"""decode_objectness: candidates from heads with one row per anchor, YOLOv5's and YOLOX's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def decode_objectness(
    output: NDArray[np.float32],
    classes: int,
    cells: NDArray[np.float32] | None,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    rows_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append the candidates to the `count` that the outputs hold; returns the new count.

    `output` float32 [anchors, columns]: centre x, centre y, width, height, objectness 0..1, then `classes`
    scores 0..1; columns after them are not read. An anchor scores objectness × its best class (of equal ones
    the first), or, with `classes` 0, objectness alone for class 0. It is a candidate when its objectness and
    its score are at least `threshold` (as float32) and its box is finite and has an area.

    Without `cells` boxes are in input pixels. With `cells`, float32 [anchors, 3], each anchor's column, row
    and stride, they are raw: centre = (xy + column, row) * stride, size = exp(wh) * stride
    (YOLOX, arXiv:2107.08430). Outputs as in kernels.gfl: float32 [cap, 4], float32 [cap], int32 [cap],
    cap >= 1; once full, the best `cap` by score as a min-heap. `rows_out` int32 [cap]: each candidate's
    anchor. Other dtypes or layouts are an ArgumentError.
    """
    anchors, columns = output.shape
    if not 0 <= classes <= columns - 5 or (cells is not None and cells.shape != (anchors, 3)):
        shape = None if cells is None else cells.shape
        raise ValueError(f"output {output.shape} for {classes} classes, cells {shape}")
    return load().decode_objectness(
        output,
        output.view(np.int32),
        anchors,
        columns,
        classes,
        output if cells is None else cells,
        int(cells is not None),
        threshold,
        boxes_xyxy_out,
        scores_out,
        class_ids_out,
        rows_out,
        len(scores_out),
        count,
    )
