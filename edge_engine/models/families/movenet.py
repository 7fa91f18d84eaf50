"""MoveNet: a person's 17 keypoints, or those of up to six people (Google's model cards, COCO's order).

SinglePose (Lightning, Thunder) gives [1, 1, 17, 3]: y, x, 0..1 of the input, and a score 0..1 each. It always
gives a whole pose, person or not, and no box. The object's box here encloses the keypoints that are seen,
with scores of at least the option `keypoint_threshold`, and its score is their mean: both are ours.
MultiPose gives [1, people, 56]: 17 times y, x, score, then the box's top, left, bottom, right and its score.

Option: `keypoint_threshold`, 0..1 (else 0.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import find_output
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Array = NDArray[np.float32]

_POINTS = len(COCO_KEYPOINTS)
_SINGLE = (1, 1, _POINTS, 3)
_ROW = 3 * _POINTS + 5
_KEYPOINT_THRESHOLD = 0.2


class MoveNet:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._is_single = output_shapes[name] == _SINGLE
        self._size = np.array([spec.input.width, spec.input.height], np.float32)
        self._limits = Limits(spec)
        self._threshold = _keypoint_threshold(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        expected = f"one output {list(_SINGLE)} or [1, people, {_ROW}]"
        return [find_output(spec, "movenet", output_shapes, _is_pose, expected)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output and no other, [1, 1, 17, 3] or [1, 6, 56]."""
        if list(facts.outputs.values()) not in ([_SINGLE], [(1, 6, _ROW)]):
            return None
        return Deduction(
            "movenet",
            "pose",
            1,
            letterbox="centre",
            pad=0,
            score_threshold=0.35,
            labels=("person",),
            keypoint_names=COCO_KEYPOINTS,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        output = np.asarray(outputs[self._index], np.float32)
        points, boxes, scores = self._one(output[0, 0]) if self._is_single else self._several(output[0])
        is_object = (scores >= self._limits.of(score_threshold)[0]) & (boxes[:, 2:] > boxes[:, :2]).all(
            axis=1
        )
        is_object &= np.isfinite(points).all(axis=(1, 2)) & np.isfinite(boxes).all(axis=1)
        kept = np.flatnonzero(is_object & np.isfinite(scores))
        kept = kept[np.argsort(-scores[kept], kind="stable")][:MAX_OBJECTS]
        return Objects(boxes[kept], scores[kept], np.zeros(len(kept), np.int32), points[kept])

    def _one(self, pose: Array) -> tuple[Array, Array, Array]:
        """Keypoints [1, 17, 3], box [1, 4] and score [1]; a box without area when no two points are seen."""
        points = self._points(pose[None])
        seen = points[0, pose[:, 2] >= np.float32(self._threshold)]
        if not len(seen):
            return points, np.zeros((1, 4), np.float32), np.zeros(1, np.float32)
        box = np.concatenate([seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)])
        return points, box[None], seen[:, 2].mean(keepdims=True)

    def _several(self, people: Array) -> tuple[Array, Array, Array]:
        """Keypoints [n, 17, 3], boxes [n, 4] and scores [n]."""
        tops_lefts = people[:, 3 * _POINTS : 3 * _POINTS + 4].reshape(-1, 2, 2)
        boxes = (tops_lefts[..., ::-1] * self._size).reshape(-1, 4)
        return self._points(people[:, : 3 * _POINTS].reshape(-1, _POINTS, 3)), boxes, people[:, -1]

    def _points(self, poses: Array) -> Array:
        """y, x, score of [n, 17, 3] as x, y in input pixels, score."""
        return np.concatenate([poses[..., 1::-1] * self._size, poses[..., 2:]], axis=2)


def _is_pose(shape: tuple[int, ...]) -> bool:
    return shape == _SINGLE or (len(shape) == 3 and shape[0] == 1 and shape[2] == _ROW)


def _keypoint_threshold(spec: ModelSpec) -> float:
    threshold: Any = spec.options.get("keypoint_threshold", _KEYPOINT_THRESHOLD)
    if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        raise ModelError(
            f"model {spec.name}: option keypoint_threshold is {threshold!r}; expected a number 0..1"
        )
    return float(threshold)
