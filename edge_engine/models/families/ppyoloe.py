"""PP-YOLOE (arXiv:2203.16250) without suppression: boxes [1, anchors, 4] and scores [1, classes, anchors].

Boxes are left, top, right, bottom in input pixels, scores come after the sigmoid, anchors are the cells of
the strides 8, 16 and 32 (PaddleDetection, ppyoloe_head.py, `exclude_nms`). PicoDet gives the same, for four
strides, when its boxes are decoded in the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edge_engine.kernels.boxes import decode_boxes
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.gfl_head import cells_of
from edge_engine.models.families.outputs import misfit
from edge_engine.models.families.paddle import normalisation
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]

_STRIDES = ([8, 16, 32], [8, 16, 32, 64])


class PpYoloe:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        boxes, scores = self.reads(spec, output_shapes)
        names = list(output_shapes)
        self._boxes, self._scores = names.index(boxes), names.index(scores)
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """The boxes' output and the scores'."""
        classes = len(spec.labels)
        pairs = [
            [boxes, scores]
            for scores, shape in output_shapes.items()
            for boxes in output_shapes
            if len(shape) == 3 and shape[:2] == (1, classes) and output_shapes[boxes] == (1, shape[2], 4)
            if boxes != scores
        ]
        if len(pairs) != 1:
            expected = f"boxes [1, anchors, 4] and scores [1, {classes}, anchors] for {classes} labels"
            raise misfit(spec, "ppyoloe", output_shapes, f"expected {expected}")
        return pairs[0]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Two outputs, with an anchor for each cell of three strides or of four."""
        shapes = list(facts.outputs.values())
        if len(shapes) != 2 or not all(len(shape) == 3 and shape[0] in (0, 1) for shape in shapes):
            return None
        anchors = [sum(cells_of(facts.size, strides)) for strides in _STRIDES]
        classes = [
            scores[1]
            for boxes, scores in (shapes, shapes[::-1])
            if boxes[1:] == (scores[2], 4) and scores[2] in anchors
        ]
        if len(classes) != 1 or classes[0] < 1:
            return None
        mean, std = normalisation(facts)
        return Deduction(
            "ppyoloe", "detection", classes[0], mean=mean, std=std, score_threshold=0.5, iou_threshold=0.7
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        scores, boxes_xyxy = outputs[self._scores][0], outputs[self._boxes][0]
        into = found.boxes_xyxy, found.scores, found.class_ids
        count = decode_boxes(scores, boxes_xyxy, found.lowest(score_threshold), *into, 0)
        return found.suppress(count, score_threshold, iou_threshold)
