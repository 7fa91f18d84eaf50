"""YOLOv5 and YOLOv7: detectors with anchor boxes and one output [1, anchors, 5 + classes].

A row is centre x, centre y, width, height in input pixels, objectness, then each class's score, all after the
sigmoid. An object's score is objectness × class score; with a single class objectness alone, because these
models don't train that class's score (YOLOv7's own suppression does the same). YOLOv6's rows are alike, so
that a spec may name this family for one. Raw feature maps [1, 3, rows, columns, 5 + classes], which older
exports give as well, are not read.

Facts: ultralytics/yolov5 (models/yolo.py, export.py), WongKinYiu/yolov7 (export.py --grid).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.objectness import decode_objectness
from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.grid import count_cells
from edge_engine.models.families.outputs import find_output
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_ANCHORS = 3  # of each cell
_STRIDES = ((8, 16, 32), (8, 16, 32, 64))


class YoloV5:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._classes = len(spec.labels) if len(spec.labels) > 1 else 0
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        columns = 5 + len(spec.labels)

        def fits(shape: Shape) -> bool:
            return len(shape) == 3 and (shape[0], shape[2]) == (1, columns)

        expected = f"one output [1, anchors, {columns}] for {len(spec.labels)} labels"
        return [find_output(spec, "yolov5", output_shapes, fits, expected)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output with three anchors for each cell of strides 8, 16, 32, or 64 too; and its raw maps.

        Masks beside it would be an instance segmentation's; Exp decodes the boxes of other heads. When it is
        named there may be other anchors.
        """
        anchors = [_ANCHORS * count_cells(facts.size, strides) for strides in _STRIDES]
        found = [shape for shape in facts.outputs.values() if len(shape) == 3 and shape[0] == 1]
        if len(found) != 1 or found[0][2] < 6:
            return None
        if not facts.is_named and (found[0][1] not in anchors or "Exp" in facts.operators):
            return None
        others = [shape for shape in facts.outputs.values() if shape != found[0]]
        if any(len(shape) != 5 or (shape[1], shape[4]) != (_ANCHORS, found[0][2]) for shape in others):
            return None
        return Deduction(
            "yolov5",
            "detection",
            found[0][2] - 5,
            std=(255.0,) * 3,
            letterbox="centre",
            score_threshold=0.25,
            iou_threshold=0.45,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = decode_objectness(
            np.asarray(outputs[self._index][0], np.float32),
            self._classes,
            None,
            found.lowest(score_threshold),
            found.boxes_xyxy,
            found.scores,
            found.class_ids,
            found.rows,
            0,
        )
        return found.suppress(count, score_threshold, iou_threshold)
