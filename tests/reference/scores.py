"""scores_reference and tags_reference: labels of the whole picture, one at a time in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence


def scores_reference(values: Sequence[float], activation: str) -> list[float]:
    """Scores 0..1; NaN for what is no number."""
    if activation == "softmax":
        if any(math.isnan(value) or value == math.inf for value in values) or max(values) == -math.inf:
            return [math.nan] * len(values)
        powers = [math.exp(value - max(values)) for value in values]
        return [power / sum(powers) for power in powers]
    if activation == "sigmoid":
        return [1 / (1 + math.exp(-value)) if math.isfinite(value) else math.nan for value in values]
    return [min(max(value, 0.0), 1.0) if math.isfinite(value) else math.nan for value in values]


def tags_reference(scores: Sequence[float], thresholds: Sequence[float], most: int) -> list[int]:
    """The best labels that reach their thresholds and are above 0, of equal scores the first label first."""
    reached = [i for i, score in enumerate(scores) if score >= thresholds[i] and score > 0]
    return sorted(reached, key=lambda i: (-scores[i], i))[:most]
