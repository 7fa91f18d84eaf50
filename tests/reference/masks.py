"""cut_masks_reference: instance masks in plain numpy, whole prototypes at a time and then cropped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def logits_of(coefficients: NDArray[np.float32], protos: NDArray[np.float32]) -> NDArray[np.float64]:
    """Float64 [n, height, width] before the sigmoid."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.einsum("nk,khw->nhw", coefficients.astype(np.float64), protos.astype(np.float64))


def cells_in_boxes(
    boxes_xyxy: NDArray[np.float32], size: tuple[int, int], input_size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Bool [n, height, width]: whether a cell's centre lies in the box. Sizes are (width, height)."""
    edges = boxes_xyxy.astype(np.float64)
    x, y = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    left, right = (edges[:, i, None] * (size[0] / input_size[0]) for i in (0, 2))
    top, bottom = (edges[:, i, None] * (size[1] / input_size[1]) for i in (1, 3))
    in_columns, in_rows = (x >= left) & (x < right), (y >= top) & (y < bottom)
    is_in: NDArray[np.bool_] = in_rows[:, :, None] & in_columns[:, None, :]
    return is_in


def cut_masks_reference(
    coefficients: NDArray[np.float32],
    protos: NDArray[np.float32],
    boxes_xyxy: NDArray[np.float32],
    input_size: tuple[int, int],
) -> NDArray[np.uint8]:
    """The same contract as `edge_engine.kernels.masks.cut_masks`, summed in float64."""
    _, height, width = protos.shape
    sigmoid = 1 / (1 + np.exp(-np.clip(logits_of(coefficients, protos), -50, 50)))
    is_inside = (sigmoid > 0.5) & cells_in_boxes(boxes_xyxy, (width, height), input_size)
    return is_inside.astype(np.uint8)
