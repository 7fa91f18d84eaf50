"""cut_masks: instance masks from shared prototypes (YOLACT, Bolya et al. 2019, arXiv:1904.02689)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


def cut_masks(
    coefficients: NDArray[np.float32],
    protos: NDArray[np.float32],
    boxes_xyxy: NDArray[np.float32],
    input_size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Masks uint8 [n, height, width], 1 inside, on the prototypes' grid over the whole input.

    `coefficients` float32 [n, prototypes]; `protos` float32 [prototypes, height, width]; `boxes_xyxy`
    float32 [n, 4] and `input_size` (width, height) in input pixels. A cell is inside where
    sigmoid(coefficients · protos) > 0.5 and its centre lies in the box: left <= x < right, top <= y < bottom.
    A sum that isn't a number is outside. Other dtypes or layouts are an ArgumentError.
    """
    n, (prototypes, height, width) = len(coefficients), protos.shape
    if coefficients.shape != (n, prototypes) or boxes_xyxy.shape != (n, 4):
        raise ValueError(
            f"coefficients {coefficients.shape}, protos {protos.shape}, boxes {boxes_xyxy.shape}"
        )
    masks = np.zeros((n, height, width), np.uint8)
    if masks.size and prototypes:
        scale_x, scale_y = width / input_size[0], height / input_size[1]
        load().cut_masks(
            coefficients,
            protos,
            boxes_xyxy,
            n,
            prototypes,
            height,
            width,
            scale_x,
            scale_y,
            np.empty(width, np.float32),
            masks,
        )
    return masks
