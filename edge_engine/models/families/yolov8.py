"""YOLOv8, 9, 11 and 12: anchor-free detectors with one output [1, 4 + classes, anchors].

Its rows are centre x, centre y, width, height in input pixels, then each class's score, after the sigmoid.
Other outputs of the file, such as raw feature maps, are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.rows import decode_rows
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = (8, 16, 32)


class YoloV8:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._best = np.empty(output_shapes[name][2], np.float32)
        self._candidates = Candidates()

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        rows = 4 + len(spec.labels)
        found = [name for name, shape in output_shapes.items() if len(shape) == 3 and shape[:2] == (1, rows)]
        if len(found) != 1:
            got = ", ".join(f"{name} {list(shape)}" for name, shape in output_shapes.items()) or "none"
            expected = f"one output [1, {rows}, anchors] for {len(spec.labels)} labels"
            raise ModelError(
                f"model {spec.name} doesn't fit the yolov8 family: expected {expected}; outputs are {got}"
            )
        return found

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output [1, 4 + classes, anchors], with an anchor for each cell of strides 8, 16 and 32."""
        cells = sum(-(-facts.size[0] // s) * -(-facts.size[1] // s) for s in _STRIDES)
        wide = [shape[1] - 4 for shape in facts.outputs.values() if len(shape) == 3 and shape[2] == cells]
        if len(wide) != 1 or wide[0] < 1:
            return None
        return Deduction(
            "yolov8", "detection", wide[0], std=(255.0,) * 3, letterbox="centre", iou_threshold=0.7
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = decode_rows(
            outputs[self._index][0],
            score_threshold,
            self._best,
            found.boxes_xyxy,
            found.scores,
            found.class_ids,
            0,
        )
        return found.suppress(count, iou_threshold)
