"""masks: one instance's mask from shared prototypes (YOLACT, Bolya et al. 2019, arXiv:1904.02689).

A mask is the sigmoid of the prototypes' sum, weighted by the instance's coefficients, and a cell is inside
where that is above one half, so where the sum is above 0. Only the cells within the box are computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part


@part
def _first_cell(edge: np.float32, scale: float, cells: int) -> int:
    """The first cell whose centre lies at `edge` or beyond, 0..cells; 0 for NaN."""
    cell = np.ceil(np.float64(edge) * scale - 0.5)
    if not cell > 0:
        return 0
    return cells if cell > cells else int(cell)


@part
def _sum_row(
    protos: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    y: int,
    left: int,
    right: int,
    logits: NDArray[np.float32],
) -> None:
    """Writes the weighted sum of the prototypes' cells [y, left:right] to `logits`, as long as they are."""
    for x in range(len(logits)):
        logits[x] = 0
    for k in range(len(coefficients)):
        weight, row = coefficients[k], protos[k, y, left:right]
        for x in range(len(logits)):  # along the row, so that it becomes SIMD code
            logits[x] += weight * row[x]


def cut_masks(
    coefficients_address: Any,  # noqa: ANN401 - numba's pointers
    protos_address: Any,  # noqa: ANN401
    boxes_address: Any,  # noqa: ANN401
    n: int,
    prototypes: int,
    height: int,
    width: int,
    scale_x: float,
    scale_y: float,
    logits_address: Any,  # noqa: ANN401
    masks_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.masks.cut_masks; masks uint8 [n, height, width] are 0 at
    first. Scales: cells per input pixel. Scratch: logits float32 [width]. Returns how many cells are in."""
    coefficients = carray(coefficients_address, (n, prototypes))
    protos = carray(protos_address, (prototypes, height, width))
    boxes_xyxy, masks = carray(boxes_address, (n, 4)), carray(masks_address, (n, height, width))
    scratch = carray(logits_address, (width,))
    inside = 0
    for i in range(n):
        left = _first_cell(boxes_xyxy[i, 0], scale_x, width)
        top = _first_cell(boxes_xyxy[i, 1], scale_y, height)
        right = _first_cell(boxes_xyxy[i, 2], scale_x, width)
        bottom = _first_cell(boxes_xyxy[i, 3], scale_y, height)
        if right <= left:
            continue
        logits = scratch[: right - left]
        for y in range(top, bottom):
            _sum_row(protos, coefficients[i], y, left, right, logits)
            line = masks[i, y, left:right]
            for x in range(len(line)):
                line[x] = logits[x] > 0
                inside += line[x]
    return inside
