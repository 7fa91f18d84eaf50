"""YOLOv8, 9, 11 and 12: anchor-free detectors with one output [1, 4 + classes, cells].

Its rows are centre x, centre y, width, height in input pixels, then each class's score, after the sigmoid.
Other outputs of the file, such as raw feature maps, are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.rows import decode_rows
from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.grid import count_cells
from edge_engine.models.families.outputs import find_output
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = ((8, 16, 32), (4, 8, 16, 32), (8, 16, 32, 64))
_SLICES = 2  # of a detector: a box's sides left and top from right and bottom


class YoloV8:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._best = np.empty(output_shapes[name][2], np.float32)
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        rows = 4 + len(spec.labels)

        def fits(shape: Shape) -> bool:
            return len(shape) == 3 and shape[:2] == (1, rows)

        expected = f"one output [1, {rows}, anchors] for {len(spec.labels)} labels"
        return [find_output(spec, "yolov8", output_shapes, fits, expected)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output [1, 4 + classes, cells], the cells of all strides; feature maps may lie beside
        it, but no prototypes of masks. Cos turns oriented boxes. Pose estimation slices its keypoints into
        coordinates and scores; YOLOv9, which knows no poses, slices in place of splitting."""
        cells = [count_cells(facts.size, strides) for strides in _STRIDES]
        found = [s for s in facts.outputs.values() if len(s) == 3 and s[0] == 1 and s[2] in cells]
        if len(found) != 1 or found[0][1] < 5:
            return None
        grids = {(-(-facts.size[1] // s), -(-facts.size[0] // s)) for s in _STRIDES[0]}
        others = [shape for shape in facts.outputs.values() if shape != found[0]]
        if any(len(shape) != 4 or shape[2:] not in grids for shape in others):
            return None
        is_pose = facts.operators.get("Slice", 0) > _SLICES and "Split" in facts.operators
        if (is_pose or "Cos" in facts.operators) and not facts.is_named:
            return None
        return Deduction(
            "yolov8", "detection", found[0][1] - 4, std=(255.0,) * 3, letterbox="centre", iou_threshold=0.7
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = decode_rows(
            np.asarray(outputs[self._index][0], np.float32),
            found.lowest(score_threshold),
            self._best,
            found.boxes_xyxy,
            found.scores,
            found.class_ids,
            found.rows,
            0,
        )
        return found.suppress(count, score_threshold, iou_threshold)
