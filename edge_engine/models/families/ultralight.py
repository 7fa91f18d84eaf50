"""UltraLight: the Ultra-Light-Fast-Generic-Face-Detector-1MB, slim and RFB, an SSD for faces.

Outputs: scores [1, anchors, 2], after the softmax, background first, and boxes [1, anchors, 4], left, top,
right, bottom as shares of the input's sides, in the order of the strides 8, 16, 32 and 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families import faces
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.faces import Shapes
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_ANCHORS = {8: 3, 16: 2, 32: 2, 64: 3}  # per cell of each stride


class UltraLight:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        faces.check_labels(spec, 0)
        names = list(output_shapes)
        self._scores, self._boxes = (names.index(name) for name in self.reads(spec, output_shapes))
        self._size = np.array([spec.input.width, spec.input.height] * 2, np.float32)
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """The scores' name, then the boxes'."""
        anchors = _anchors((spec.input.width, spec.input.height))
        scores, boxes = _named(output_shapes, (1, anchors, 2)), _named(output_shapes, (1, anchors, 4))
        if len(scores) != 1 or len(boxes) != 1:
            size = f"{spec.input.width}x{spec.input.height}"
            expected = f"one output [1, {anchors}, 2] and one [1, {anchors}, 4] for an input of {size}"
            raise faces.misfit(spec, output_shapes, expected)
        return scores + boxes

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Two outputs, 2 and 4 wide, with the rows that the strides' anchors make of the input's size."""
        anchors = _anchors(facts.size)
        shapes = sorted(faces.of_one_picture(facts.outputs).values())
        if anchors == 0 or shapes != [(1, anchors, 2), (1, anchors, 4)]:
            return None
        return Deduction(
            "ultralight",
            "detection",
            1,
            mean=(127.0,) * 3,
            std=(128.0,) * 3,
            score_threshold=0.7,
            iou_threshold=0.3,
            labels=faces.LABELS,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        scores, boxes = outputs[self._scores][0, :, 1], outputs[self._boxes][0]
        rows = np.flatnonzero(
            (scores >= np.float32(self._candidates.lowest(score_threshold))) & (scores < np.inf)
        )
        with np.errstate(over="ignore"):
            boxes_xyxy = boxes[rows] * self._size
        count = self._candidates.fill(boxes_xyxy, np.minimum(scores[rows], 1), rows)
        return self._candidates.suppress(count, score_threshold, iou_threshold)


def _anchors(size: tuple[int, int]) -> int:
    return sum(-(-size[0] // s) * -(-size[1] // s) * each for s, each in _ANCHORS.items())


def _named(shapes: Shapes, wanted: tuple[int, ...]) -> list[str]:
    return [name for name, shape in shapes.items() if shape == wanted]
