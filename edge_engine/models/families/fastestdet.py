"""FastestDet: an anchor-free detector with one output [1, 5 + classes, rows, columns], of stride 16.

A cell's values are objectness, after the sigmoid, its box, raw, and each class's score, after a softmax.
Centre = (cell + tanh(xy)) of the grid, size = sigmoid(wh) of the input. An object's score is
objectness ** 0.6 * class score ** 0.4.

Facts: dog-qiuqiu/FastestDet (utils/tool.py, test.py); pictures are BGR 0..1, stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.outputs import find_output
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDE = 16


class FastestDet:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        (name,) = self.reads(spec, output_shapes)
        self._index = list(output_shapes).index(name)
        self._size = np.array([spec.input.width, spec.input.height], np.float32)
        self._candidates = Candidates(spec)
        self._grid = np.array([output_shapes[name][3], output_shapes[name][2]], np.float32)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        grid = (spec.input.height // _STRIDE, spec.input.width // _STRIDE)
        expected = (1, 5 + len(spec.labels), *grid)
        why = f"one output {list(expected)} for {len(spec.labels)} labels"
        return [find_output(spec, "fastestdet", output_shapes, lambda shape: shape == expected, why)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output of stride 16. A segmentation's can be as large: it has not both a sigmoid and a softmax,
        one of each, which this head has and its backbone has not."""
        shapes = list(facts.outputs.values())
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] < 6:
            return None
        is_grid = (shapes[0][3] * _STRIDE, shapes[0][2] * _STRIDE) == facts.size
        is_sure = [facts.operators.get(name) for name in ("Sigmoid", "Softmax")] == [1, 1]
        if not is_grid or not (is_sure or facts.is_named):
            return None
        return Deduction(
            "fastestdet",
            "detection",
            shapes[0][1] - 5,
            colour="BGR",
            std=(255.0,) * 3,
            score_threshold=0.65,
            iou_threshold=0.45,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        output = np.asarray(outputs[self._index][0], np.float32)
        cells = output.reshape(len(output), -1)
        best = np.fmax.reduce(cells[5:])
        found = np.flatnonzero((cells[0] > 0) & (best > 0) & np.isfinite(cells[:5]).all(axis=0))
        scores = cells[0, found] ** np.float32(0.6) * best[found] ** np.float32(0.4)
        is_object = (scores >= np.float32(self._candidates.lowest(score_threshold))) & np.isfinite(scores)
        found, scores = found[is_object], scores[is_object]
        of_classes = cells[5:, found]
        class_ids = (of_classes == best[found]).argmax(axis=0)
        boxes_xyxy = self._boxes(cells[1:5, found], found)
        count = self._candidates.fill(boxes_xyxy, scores, found, class_ids)
        return self._candidates.suppress(count, score_threshold, iou_threshold)

    def _boxes(self, raw: NDArray[np.float32], found: NDArray[np.intp]) -> NDArray[np.float32]:
        """float32 [n, 4], xyxy in input pixels, of the cells `found` with the values `raw` [4, n]."""
        rows, columns = np.divmod(found, int(self._grid[0]))
        centres = (np.stack([columns, rows]) + np.tanh(raw[:2])).T / self._grid * self._size
        sizes = (1 + np.tanh(raw[2:] / 2)).T / 2 * self._size  # the sigmoid
        return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)
