"""End to end: detectors whose graph has suppressed what overlaps, with one output [1, rows, 6].

A row is left, top, right, bottom in input pixels, score and class; rows that find nothing score 0. So are
YOLOv10's and YOLO26's heads and Ultralytics' exports with `nms=True`. There may be another number of rows in
each frame. Nothing is suppressed here, so that the IoU threshold has no say.

Facts: Ultralytics (nn/modules/head.py Detect.postprocess, engine/exporter.py NMSModel).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.families.grid import count_cells
from edge_engine.models.families.outputs import find_output
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_COLUMNS = 6
_MOST_ROWS = 1000
_STRIDES = ((8, 16, 32), (8, 16, 32, 64))


class EndToEnd:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._classes = len(spec.labels)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        def fits(shape: Shape) -> bool:
            return len(shape) == 3 and (shape[0], shape[2]) == (1, _COLUMNS)

        return [find_output(spec, "end_to_end", output_shapes, fits, f"one output [1, rows, {_COLUMNS}]")]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output [1, rows, 6] of a graph that picks or suppresses rows itself; how many classes there are
        it doesn't show (0). As wide are a YOLOv5's and a YOLOX's with a single class, known by how many rows
        they have, and an RT-DETR's boxes, which GridSample gives away."""
        shapes, nodes = list(facts.outputs.values()), facts.operators
        if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][2] != _COLUMNS or shapes[0][1] > _MOST_ROWS:
            return None
        cells = [count_cells(facts.size, strides) for strides in _STRIDES]
        is_picking = "TopK" in nodes or "NonMaxSuppression" in nodes
        if shapes[0][1] in [*cells, *(3 * n for n in cells)] or not is_picking or "GridSample" in nodes:
            return None
        return Deduction("end_to_end", "detection", 0, std=(255.0,) * 3, letterbox="centre")

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        rows = np.asarray(outputs[self._index][0], np.float32)
        boxes_xyxy, scores, classes = rows[:, :4], rows[:, 4], rows[:, 5]
        is_object = (scores >= np.float32(score_threshold)) & np.isfinite(rows).all(axis=1)
        is_object &= (boxes_xyxy[:, 2:] > boxes_xyxy[:, :2]).all(axis=1)
        is_object &= (classes >= 0) & (classes < self._classes)
        found = np.flatnonzero(is_object)
        found = found[np.argsort(-scores[found], kind="stable")][:MAX_OBJECTS]
        return Objects(boxes_xyxy[found], scores[found], classes[found].astype(np.int32))
