"""decode_nanodet: a whole NanoDet decoded by the plain numpy twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.reference.gfl import decode_gfl_reference
from tests.reference.nms import nms_reference


def decode_nanodet(
    outputs: Mapping[str, NDArray[np.float32]],
    strides: Sequence[int],
    input_size: tuple[int, int],
    score_threshold: float,
    iou_threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Boxes [n, 4] in input pixels, scores [n], class ids [n] of `scores_8`, `distances_8`, …"""
    parts = [
        decode_gfl_reference(
            outputs[f"scores_{stride}"][0],
            outputs[f"distances_{stride}"][0],
            -(-input_size[0] // stride),
            stride,
            score_threshold,
        )
        for stride in strides
    ]
    boxes, scores, class_ids = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    kept = nms_reference(boxes, scores, class_ids, iou_threshold)
    return boxes[kept], scores[kept], class_ids[kept]
