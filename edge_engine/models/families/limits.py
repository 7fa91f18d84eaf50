"""Limits: the score that each of a model's labels needs.

A label's own threshold, from the spec's `label_thresholds`, else the call's. Where the spec names `classes`,
no score is enough for any other label. Decoding works in two steps: a kernel leaves out what is below the
lowest of all limits, then each candidate is held against the limit of its label, before suppression. An
anchor that has one class, its best, has it before any of this: a limit picks no second best in its place.
Of more candidates than there is room for, the best by score stay, whatever their labels' limits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.names import class_id_of, unknown
from edge_engine.models.spec import ModelSpec


class Limits:
    def __init__(self, spec: ModelSpec) -> None:
        """ModelError for a name that the model doesn't have."""
        self.classes = len(spec.labels)
        own = np.full(self.classes, np.nan, np.float32)
        for name, threshold in spec.label_thresholds.items():
            own[_class_id(spec, "label_thresholds", name)] = threshold
        if spec.classes:
            asked = [_class_id(spec, "classes", name) for name in spec.classes]
            own[~np.isin(np.arange(self.classes), asked)] = np.inf
        self._own = None if np.isnan(own).all() else own

    def of(self, score_threshold: float) -> NDArray[np.float32]:
        """float32 [labels]; infinite for those that aren't asked for."""
        limit = np.float32(score_threshold)
        if self._own is None:
            return np.full(self.classes, limit)
        return np.where(np.isnan(self._own), limit, self._own)

    def lowest(self, score_threshold: float) -> float:
        """What no label's score may be below."""
        return score_threshold if self._own is None else float(self.of(score_threshold).min())

    @property
    def are_equal(self) -> bool:
        """Whether the call's threshold is every label's."""
        return self._own is None

    @property
    def asked(self) -> NDArray[np.bool_] | None:
        """bool [labels]: whether each is asked for; None when all are."""
        if self._own is None or not np.isinf(self._own).any():
            return None
        return ~np.isinf(self._own)


def _class_id(spec: ModelSpec, key: str, name: str) -> int:
    found = class_id_of(spec.labels, name)
    if found is None:
        raise ModelError(f"model {spec.name}: {key}: {unknown(spec.labels, name)}")
    return found
