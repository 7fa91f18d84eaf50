"""Paddle's detectors with suppression in the graph: rows [n, 6], class, score, left, top, right, bottom.

PP-YOLOE, PicoDet, PP-YOLO, RT-DETR and others, as paddle2onnx writes them; n differs from picture to picture.
A second output counts the rows and isn't read: there is one picture. Boxes are in input pixels when the side
inputs say that the picture has not been scaled: `scale_factor` [[1, 1]], `im_shape` [[height, width]] of the
input. Rows of class -1 mean that nothing was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import find_output
from edge_engine.models.families.paddle import normalisation
from edge_engine.models.families.suppressed import best_objects
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, Shape]

_SIDE_INPUTS = {"scale_factor", "im_shape"}


class PaddleNms:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._limits = Limits(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        expected = "one output [n, 6], rows of class, score and box"
        return [find_output(spec, "paddle_nms", output_shapes, _fits, expected)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Rows of 6, beside at most counts and indices, from a graph that asks for a picture's scale.

        How many classes there are can't be seen: 0.
        """
        if not facts.side_inputs or not facts.side_inputs.keys() <= _SIDE_INPUTS:
            return None
        rows = [name for name, shape in facts.outputs.items() if _fits(shape)]
        others = [name for name in facts.outputs if name not in rows]
        is_count = [len(facts.outputs[name]) <= 2 and "int" in facts.output_dtypes[name] for name in others]
        if len(rows) != 1 or not all(is_count):
            return None
        mean, std = normalisation(facts)
        return Deduction(
            "paddle_nms", "detection", 0, mean=mean, std=std, score_threshold=0.5, iou_threshold=1.0
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        """`iou_threshold` has no say: the graph has one of its own."""
        rows = outputs[self._index].reshape(-1, 6)
        return best_objects(rows[:, 2:], rows[:, 1], rows[:, 0], self._limits, score_threshold)


def _fits(shape: Shape) -> bool:
    return len(shape) == 2 and shape[1] == 6
