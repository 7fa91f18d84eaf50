"""YOLO for instance segmentation, as Ultralytics exports it: boxes with mask coefficients, and prototypes.

One output has the boxes, each with E coefficients, in a form of yolo_head; the other, [1, E, rows, columns],
the prototypes, a grid over the whole input (a quarter of it each way). An object's mask is what YOLACT
(arXiv:1904.02689) makes of both, on the prototypes' grid, within its box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.masks import cut_masks
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.yolo_head import YoloHead, classes_of, form_of, misfit
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_PROTOTYPE_STRIDE = 4


class YoloSeg:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        boxes, protos = self.reads(spec, output_shapes)
        names, classes = list(output_shapes), len(spec.labels)
        self._size = (spec.input.width, spec.input.height)
        self._boxes, self._protos = names.index(boxes), names.index(protos)
        shape = output_shapes[boxes]
        form = form_of(shape, classes, output_shapes[protos][1], self._size)
        assert form is not None
        self._head = YoloHead(spec, form, shape)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        """The boxes' output, then the prototypes'."""
        size, classes = (spec.input.width, spec.input.height), len(spec.labels)
        grids = {name: shape for name, shape in output_shapes.items() if len(shape) == 4 and shape[0] == 1}
        pairs = [
            [name, protos]
            for name, shape in output_shapes.items()
            for protos, grid in grids.items()
            if form_of(shape, classes, grid[1], size) is not None
        ]
        if len(pairs) != 1:
            raise _misfit(spec, output_shapes)
        return pairs[0]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Two outputs: prototypes at a quarter of the input, and boxes with as many coefficients."""
        width, height = facts.size
        grid = (height // _PROTOTYPE_STRIDE, width // _PROTOTYPE_STRIDE)
        shapes = facts.outputs.values()
        protos = [s for s in shapes if len(s) == 4 and s[0] in (0, 1) and s[2:] == grid]
        if len(shapes) != 2 or len(protos) != 1:
            return None
        extras = protos[0][1]
        (boxes,) = [shape for shape in shapes if shape != protos[0]]
        classes = classes_of(facts, boxes, extras)
        if classes is None:
            return None
        is_yolov5 = classes > 0 and boxes[2] == 5 + classes + extras
        return Deduction(
            "yolo_seg",
            "instance-segmentation",
            classes,
            std=(255.0,) * 3,
            letterbox="centre",
            iou_threshold=0.45 if is_yolov5 else 0.7,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        objects, coefficients = self._head(outputs[self._boxes], score_threshold, iou_threshold)
        protos = np.asarray(outputs[self._protos][0], np.float32)
        return replace(objects, masks=cut_masks(coefficients, protos, objects.boxes_xyxy, self._size))


def _misfit(spec: ModelSpec, shapes: dict[str, tuple[int, ...]]) -> ModelError:
    extras = next((shape[1] for shape in shapes.values() if len(shape) == 4), 32)
    return misfit(spec, shapes, extras, f"and prototypes [1, {extras}, rows, columns]")
