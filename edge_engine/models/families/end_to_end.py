"""End to end: detectors whose graph has suppressed what overlaps, with one output [1, rows, 6] or [rows, 7].

A row of 6 is left, top, right, bottom in input pixels, score and class; rows that find nothing score 0. Such
are YOLOv10's and YOLO26's heads and Ultralytics' exports with `nms=True`. A row of 7 is the picture's number,
left, top, right, bottom, class and score: YOLOv7's export for ONNX Runtime. There may be another number of
rows in each frame. Nothing is suppressed here, so that the IoU threshold has no say.

Facts: Ultralytics (nn/modules/head.py Detect.postprocess, engine/exporter.py NMSModel); WongKinYiu/yolov7
(export.py --end2end --max-wh).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.grid import count_cells
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import find_output
from edge_engine.models.families.suppressed import best_objects
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_BOX, _SCORE, _CLASS = {6: slice(0, 4), 7: slice(1, 5)}, {6: 4, 7: 6}, 5  # columns, by a row's length
_MOST_ROWS = 1000
_STRIDES = ((8, 16, 32), (8, 16, 32, 64))


class EndToEnd:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._limits = Limits(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        return [find_output(spec, "end_to_end", output_shapes, _fits, "one output [1, rows, 6] or [rows, 7]")]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output of a graph that picks or suppresses rows itself; how many classes there are it doesn't
        show (0). As wide are a YOLOv5's and a YOLOX's with a single class, known by how many rows
        they have, and an RT-DETR's boxes, which GridSample gives away."""
        shapes, nodes = list(facts.outputs.values()), facts.operators
        if len(shapes) != 1 or not _fits(shapes[0]) or shapes[0][-2] > _MOST_ROWS:
            return None
        cells = [count_cells(facts.size, strides) for strides in _STRIDES]
        is_sure = shapes[0][-2] not in [*cells, *(3 * n for n in cells)] and "GridSample" not in nodes
        is_sure &= "NonMaxSuppression" in nodes or ("TopK" in nodes and len(shapes[0]) == 3)
        if not (is_sure or facts.is_named):
            return None
        return Deduction("end_to_end", "detection", 0, std=(255.0,) * 3, letterbox="centre")

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        output = np.asarray(outputs[self._index], np.float32)
        columns = output.shape[-1]
        rows = output.reshape(-1, columns)
        rows = rows[np.isfinite(rows).all(axis=1)]
        boxes_xyxy, scores, class_ids = rows[:, _BOX[columns]], rows[:, _SCORE[columns]], rows[:, _CLASS]
        return best_objects(boxes_xyxy, scores, class_ids, self._limits, score_threshold)


def _fits(shape: Shape) -> bool:
    is_batched = len(shape) == 3 and (shape[0], shape[2]) == (1, 6)
    return is_batched or (len(shape) == 2 and shape[1] == 7)
