"""Candidates: scratch buffers between a family's decode kernel and suppression."""

from __future__ import annotations

import numpy as np

from edge_engine.kernels.nms import nms
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.result import Objects

MAX_CANDIDATES = 4096  # boxes that enter suppression; the best by score when a model gives more


class Candidates:
    """Scratch that decode kernels fill.

    `boxes_xyxy` float32 [cap, 4], in model-input pixels; `scores` float32 [cap]; `class_ids` int32 [cap].
    """

    def __init__(self, cap: int = MAX_CANDIDATES) -> None:
        self.boxes_xyxy = np.empty((cap, 4), np.float32)
        self.scores = np.empty(cap, np.float32)
        self.class_ids = np.empty(cap, np.int32)

    def suppress(self, count: int, iou_threshold: float) -> Objects:
        """The objects that remain of the first `count` candidates."""
        boxes_xyxy, scores, class_ids = self.boxes_xyxy[:count], self.scores[:count], self.class_ids[:count]
        kept = nms(boxes_xyxy, scores, class_ids, iou_threshold)[:MAX_OBJECTS]
        return Objects(boxes_xyxy[kept], scores[kept], class_ids[kept])
