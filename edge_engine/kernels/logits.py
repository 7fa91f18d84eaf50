"""least_logit: which raw values needn't be put through an exponential function."""

from __future__ import annotations

import math

_MARGIN = 1e-3
_SURE = 8.0  # beyond it sigmoids lie so close to 1 that rounding exceeds the margin


def least_logit(threshold: float) -> float:
    """A value below which no sigmoid reaches `threshold`, with a margin for rounding to float32.

    -inf for thresholds that everything reaches, +inf for NaN.
    """
    if math.isnan(threshold):
        return math.inf
    if threshold <= 0:
        return -math.inf
    if threshold >= 1:
        return _SURE
    return min(math.log(threshold / (1 - threshold)), _SURE) - _MARGIN
