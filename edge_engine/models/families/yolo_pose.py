"""YOLO for pose, as Ultralytics exports it: boxes with keypoints, in a form of yolo_head.

A keypoint is x, y in input pixels and, where there are three numbers to one, how visible it is, 0..1, after
the sigmoid; where there are two, every point's score is 1.

Options: `keypoint_shape`, [keypoints, 2 or 3]; else as many as have names, with three numbers each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.yolo_head import YoloHead, classes_of, form_of, misfit
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_SLICES_OF_A_DETECTOR = 2


class YoloPose:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._points, self._numbers = _keypoint_shape(spec)
        shape, classes = output_shapes[name], len(spec.labels)
        form = form_of(shape, classes, self._points * self._numbers, (spec.input.width, spec.input.height))
        assert form is not None
        self._head = YoloHead(spec, form, shape)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        points, numbers = _keypoint_shape(spec)
        extras, size = points * numbers, (spec.input.width, spec.input.height)
        classes = len(spec.labels)
        found = [name for name, s in output_shapes.items() if form_of(s, classes, extras, size) is not None]
        if len(found) != 1:
            raise misfit(spec, output_shapes, extras, f"{points} keypoints of {numbers} numbers")
        return found

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output, of persons with COCO's 17 keypoints: [1, 56, anchors] or end-to-end [1, n, 57].

        A detector of 52 classes is as wide as the first, but doesn't slice points into coordinates and
        scores, beside the box into its sides; YOLOv9 slices all, and splits nothing. Other keypoints can't be
        told from classes."""
        extras = 3 * len(COCO_KEYPOINTS)
        if len(facts.outputs) != 1:
            return None
        (shape,) = facts.outputs.values()
        classes = classes_of(facts, shape, extras)
        nodes = facts.operators
        is_slicing = "Split" in nodes and nodes.get("Slice", 0) > _SLICES_OF_A_DETECTOR
        is_columns = classes == 1 and shape[1] == 5 + extras
        if classes != 0 and not (is_columns and is_slicing):
            return None
        return Deduction(
            "yolo_pose",
            "pose",
            1,
            std=(255.0,) * 3,
            letterbox="centre",
            iou_threshold=0.7,
            options={"keypoint_shape": [len(COCO_KEYPOINTS), 3]},
            labels=("person",),
            keypoint_names=COCO_KEYPOINTS,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        objects, extras = self._head(outputs[self._index], score_threshold, iou_threshold)
        keypoints = np.ones((len(objects), self._points, 3), np.float32)
        keypoints[..., : self._numbers] = extras.reshape(-1, self._points, self._numbers)
        return replace(objects, keypoints=keypoints)


def _keypoint_shape(spec: ModelSpec) -> tuple[int, int]:
    """How many keypoints there are, and how many numbers to each."""
    shape: Any = spec.options.get("keypoint_shape", [len(spec.keypoint_names), 3])
    is_pair = isinstance(shape, (list, tuple)) and len(shape) == 2 and all(isinstance(n, int) for n in shape)
    if not is_pair or shape[0] < 1 or shape[1] not in (2, 3):
        raise ModelError(
            f"model {spec.name}: option keypoint_shape is {shape!r}; "
            "expected [keypoints, 2 or 3], such as [17, 3]"
        )
    if spec.keypoint_names and len(spec.keypoint_names) != shape[0]:
        raise ModelError(
            f"model {spec.name}: has {len(spec.keypoint_names)} keypoint names for {shape[0]} keypoints"
        )
    return shape[0], shape[1]
