"""decode_anchors: candidates from a head that corrects anchors, SSD's (arXiv:1512.02325) and its heirs'."""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load
from edge_engine.kernels.logits import least_logit


class Activation(IntEnum):
    """What still makes scores of a head's values."""

    NONE = 0
    SIGMOID = 1
    SOFTMAX = 2


def decode_anchors(
    scores: NDArray[np.float32],
    offsets: NDArray[np.float32],
    anchors: NDArray[np.float32],
    variances: NDArray[np.float32],
    activation: Activation,
    background: int,
    is_yxhw: bool,
    threshold: float,
    boxes_xyxy_out: NDArray[np.float32],
    scores_out: NDArray[np.float32],
    class_ids_out: NDArray[np.int32],
    count: int,
) -> int:
    """Append the candidates to the `count` that the outputs hold; returns the new count.

    `scores` float32 [n, columns], one column per class and, where `background` isn't -1, that one besides,
    the first or the last; `offsets` float32 [n, 4], centre x, centre y, width, height, or by `is_yxhw` centre
    y, centre x, height, width; `variances` float32 [4] in the same order; `anchors` float32 [n, 4], centre x,
    centre y, width, height in input pixels. Every (anchor, class) with a score of at least `threshold` (as
    float32) is a candidate, unless its box has no area. Outputs as in kernels.gfl: float32 [cap, 4],
    float32 [cap], int32 [cap], cap >= 1; once full, the best `cap` by score as a min-heap. Other dtypes or
    layouts are an ArgumentError.
    """
    n, columns = scores.shape
    if offsets.shape != (n, 4) or anchors.shape != (n, 4) or variances.shape != (4,):
        shapes = f"offsets {offsets.shape}, anchors {anchors.shape}, variances {variances.shape}"
        raise ValueError(f"scores {scores.shape}, {shapes}")
    least = least_logit(threshold)
    if activation == Activation.NONE:
        least = threshold
    elif activation == Activation.SOFTMAX and background < 0:
        least = -math.inf
    outputs = boxes_xyxy_out, scores_out, class_ids_out, len(scores_out), count
    terms = n, columns, int(activation), background, int(is_yxhw), least, threshold
    return load().decode_anchors(scores, offsets, anchors, variances, *terms, *outputs)
