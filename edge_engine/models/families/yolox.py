"""YOLOX: an anchor-free detector with one output [1, cells, 5 + classes] (arXiv:2107.08430).

A row is a cell's box, objectness, then each class's score, the scores after the sigmoid; an object's score is
objectness × class score. Boxes are raw, centre = (xy + cell) * stride and size = exp(wh) * stride; with the
option `decoded` they are in input pixels. Option `strides`, else 8, 16 and 32.

Facts: Megvii-BaseDetection/YOLOX (yolox/models/yolo_head.py, demo/ONNXRuntime); pictures are BGR 0..255, laid
top-left on 114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.objectness import decode_objectness
from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.grid import count_cells, make_cells
from edge_engine.models.families.outputs import find_output
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = (8, 16, 32)


class YoloX:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._classes = len(spec.labels)
        size = (spec.input.width, spec.input.height)
        self._cells = None if _is_decoded(spec) else make_cells(size, _strides(spec))
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        cells = count_cells((spec.input.width, spec.input.height), _strides(spec))
        expected = (1, cells, 5 + len(spec.labels))
        why = f"one output {list(expected)} for {len(spec.labels)} labels and strides {_strides(spec)}"
        return [find_output(spec, "yolox", output_shapes, lambda shape: shape == expected, why)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output with a row for each cell. NanoDet's and YOLOv6's can be as large: they have no sigmoids
        of objectness, three here, beside those of the classes, but softmax or splits. Exp shows that the
        graph decodes the boxes."""
        shapes, nodes = list(facts.outputs.values()), facts.operators
        cells = count_cells(facts.size, _STRIDES)
        if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][1] != cells or shapes[0][2] < 6:
            return None
        is_yolox = nodes.get("Sigmoid", 0) >= 2 * len(_STRIDES) and not {"Softmax", "Split"} & nodes.keys()
        if not (is_yolox or facts.is_named):
            return None
        return Deduction(
            "yolox",
            "detection",
            shapes[0][2] - 5,
            colour="BGR",
            letterbox="top-left",
            score_threshold=0.3,
            iou_threshold=0.45,
            options={"strides": list(_STRIDES), "decoded": "Exp" in nodes},
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = decode_objectness(
            np.asarray(outputs[self._index][0], np.float32),
            self._classes,
            self._cells,
            found.lowest(score_threshold),
            found.boxes_xyxy,
            found.scores,
            found.class_ids,
            found.rows,
            0,
        )
        return found.suppress(count, score_threshold, iou_threshold)


def _is_decoded(spec: ModelSpec) -> bool:
    is_decoded: Any = spec.options.get("decoded", False)
    if not isinstance(is_decoded, bool):
        raise ModelError(f"model {spec.name}: option decoded is {is_decoded!r}; expected true or false")
    return is_decoded


def _strides(spec: ModelSpec) -> list[int]:
    strides: Any = spec.options.get("strides", _STRIDES)
    is_list = isinstance(strides, (list, tuple)) and len(strides) > 0
    if not is_list or not all(isinstance(stride, int) and stride > 0 for stride in strides):
        raise ModelError(
            f"model {spec.name}: option strides is {strides!r}; expected a list such as [8, 16, 32]"
        )
    return list(strides)
