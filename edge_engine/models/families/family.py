"""Decoder: how a model family's raw outputs become objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

MAX_CANDIDATES = 4096  # boxes that enter suppression; the best by score when a model gives more
MAX_OBJECTS = 300  # objects of one frame


class Decoder(Protocol):
    """Built once per model; its scratch buffers are reused, so that one thread owns it."""

    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        """`output_shapes` in the session's order; ModelError when they don't fit the family."""

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        """At most MAX_OBJECTS objects in fresh arrays, highest score first, boxes in model-input pixels.

        `outputs` are C-contiguous, in the order of `output_shapes`; they are only read.
        """
        ...


class Candidates:
    """Scratch for decode kernels: `boxes_xyxy` float32 [cap, 4], `scores` float32 [cap], `class_ids` int32 [cap]."""

    def __init__(self, cap: int = MAX_CANDIDATES) -> None:
        self.boxes_xyxy = np.empty((cap, 4), np.float32)
        self.scores = np.empty(cap, np.float32)
        self.class_ids = np.empty(cap, np.int32)

    def suppress(self, count: int, iou_threshold: float) -> Objects:
        """The objects that remain of the first `count` candidates."""
        from edge_engine.kernels.nms import nms

        boxes_xyxy, scores, class_ids = self.boxes_xyxy[:count], self.scores[:count], self.class_ids[:count]
        kept = nms(boxes_xyxy, scores, class_ids, iou_threshold)[:MAX_OBJECTS]
        return Objects(boxes_xyxy[kept], scores[kept], class_ids[kept])
