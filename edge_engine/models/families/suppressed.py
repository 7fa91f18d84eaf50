"""best_objects, best_rows: what a graph has found that suppressed overlapping boxes itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.families.limits import Limits
from edge_engine.result import Objects


def best_objects(
    boxes_xyxy: NDArray[Any],
    scores: NDArray[Any],
    class_ids: NDArray[Any],
    limits: Limits,
    score_threshold: float,
) -> Objects:
    """The objects of `best_rows`, in fresh arrays."""
    kept = best_rows(boxes_xyxy, scores, class_ids, limits, score_threshold)
    boxes, scores = np.asarray(boxes_xyxy, np.float32), np.asarray(scores, np.float32)
    return Objects(boxes[kept], scores[kept], class_ids[kept].astype(np.int32))


def best_rows(
    boxes_xyxy: NDArray[Any],
    scores: NDArray[Any],
    class_ids: NDArray[Any],
    limits: Limits,
    score_threshold: float,
) -> NDArray[np.intp]:
    """Of n boxes those with a score of at least their label's limit (as float32): the indices of the best
    MAX_OBJECTS, highest score first.

    `boxes_xyxy` [n, 4], in input pixels, `scores` [n], `class_ids` [n], of any number type. What isn't
    finite, has no area or is of no class that `limits` know is no object: graphs fill their outputs with
    such.
    """
    boxes = np.asarray(boxes_xyxy, np.float32)
    scores = np.asarray(scores, np.float32)
    with np.errstate(invalid="ignore"):
        is_object = (scores >= np.float32(limits.lowest(score_threshold))) & np.isfinite(scores)
        is_object &= np.isfinite(boxes).all(axis=1)
        is_object &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        is_object &= (class_ids >= 0) & (class_ids < limits.classes)
    (kept,) = np.nonzero(is_object)
    if not limits.are_equal:
        kept = kept[scores[kept] >= limits.of(score_threshold)[class_ids[kept].astype(np.int32)]]
    return np.asarray(kept[np.argsort(-scores[kept], kind="stable")][:MAX_OBJECTS])
