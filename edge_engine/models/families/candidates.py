"""Candidates: scratch buffers between a family's decode kernel and suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.nms import nms
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.families.limits import Limits
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

MAX_CANDIDATES = 4096  # boxes that enter suppression; the best by score when a model gives more


class Candidates:
    """Scratch that decode kernels fill.

    `boxes_xyxy` float32 [cap, 4], in model-input pixels; `scores` float32 [cap]; `class_ids` int32 [cap];
    `rows` int32 [cap]: which row of the model's output each came from, where a family goes back there for
    keypoints or masks. With a spec, its limits hold for each label.
    """

    def __init__(self, spec: ModelSpec | None = None, cap: int = MAX_CANDIDATES) -> None:
        self._limits = None if spec is None else Limits(spec)
        self.boxes_xyxy = np.empty((cap, 4), np.float32)
        self.scores = np.empty(cap, np.float32)
        self.class_ids = np.empty(cap, np.int32)
        self.rows = np.empty(cap, np.int32)

    def fill(
        self,
        boxes_xyxy: NDArray[np.float32],
        scores: NDArray[np.float32],
        rows: NDArray[np.integer],
        class_ids: NDArray[np.integer] | None = None,
    ) -> int:
        """Candidates, where numpy decodes: how many they are now. Without `class_ids` there is one class.

        float32 [n, 4] and [n], int [n] and [n]; when n is too many, the best by score in their order.
        """
        cap = len(self.scores)
        if len(scores) > cap:
            best = np.sort(np.argpartition(scores, len(scores) - cap)[-cap:])
            boxes_xyxy, scores, rows = boxes_xyxy[best], scores[best], rows[best]
            class_ids = None if class_ids is None else class_ids[best]
        count = len(scores)
        self.boxes_xyxy[:count], self.scores[:count], self.rows[:count] = boxes_xyxy, scores, rows
        self.class_ids[:count] = 0 if class_ids is None else class_ids
        return count

    def lowest(self, score_threshold: float) -> float:
        """The threshold for the kernel that fills this."""
        return score_threshold if self._limits is None else self._limits.lowest(score_threshold)

    def keep(self, count: int, score_threshold: float, iou_threshold: float) -> NDArray[np.int64]:
        """Indices of those that remain of the first `count` candidates, highest score first.

        The scratch then holds those alone that reach their labels' limits.
        """
        count = self._cut(count, score_threshold)
        boxes_xyxy = self.boxes_xyxy[:count]
        kept = nms(boxes_xyxy, self.scores[:count], self.class_ids[:count], iou_threshold)
        has_area = (boxes_xyxy[kept, 2:] > boxes_xyxy[kept, :2]).all(axis=1)
        return kept[has_area][:MAX_OBJECTS]

    def _cut(self, count: int, score_threshold: float) -> int:
        """How many of the first `count` reach their labels' limits; they move to the front."""
        if self._limits is None or self._limits.are_equal:
            return count
        limits = self._limits.of(score_threshold)
        kept = np.flatnonzero(self.scores[:count] >= limits[self.class_ids[:count]])
        for column in (self.boxes_xyxy, self.scores, self.class_ids, self.rows):
            column[: len(kept)] = column[kept]
        return len(kept)

    def objects(
        self,
        kept: NDArray[np.int64],
        keypoints: NDArray[np.float32] | None = None,
        masks: NDArray[np.uint8] | None = None,
    ) -> Objects:
        """The objects of these indices; `keypoints` and `masks` as in Objects, in the order of `kept`.

        One whose keypoints aren't all finite numbers is left out.
        """
        if keypoints is not None:
            is_finite = np.isfinite(keypoints).all(axis=(1, 2))
            kept, keypoints = kept[is_finite], keypoints[is_finite]
            masks = None if masks is None else masks[is_finite]
        return Objects(self.boxes_xyxy[kept], self.scores[kept], self.class_ids[kept], keypoints, masks)

    def suppress(self, count: int, score_threshold: float, iou_threshold: float) -> Objects:
        """The objects that remain of the first `count` candidates."""
        return self.objects(self.keep(count, score_threshold, iou_threshold))
