"""Yolo-FastestV2: a detector with three anchor boxes in each cell of strides 16 and 32.

A cell's values are the anchors' boxes (x, y, width, height, three times) and their three objectnesses, after
the sigmoid, and the scores of the classes, after a softmax, which the anchors share. Centre =
(2 xy - 0.5 + cell) * stride, size = (2 wh)² * anchor. A file holds the strides one by one,
[1, rows, columns, 15 + classes], or all cells in one output, [cells, 15 + classes] or
[1, cells, 15 + classes]. An object's score is objectness × class score.

Option `anchors`: width and height of each in input pixels, the finer stride's first; else those of the
authors' COCO models. Facts: dog-qiuqiu/Yolo-FastestV2 (utils/utils.py, data/coco.data, test.py); pictures are
BGR 0..1, stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.grid import count_cells, make_cells
from edge_engine.models.families.outputs import misfit
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = (16, 32)
_ANCHORS = 3  # of each cell
_BEFORE_CLASSES = 5 * _ANCHORS
_COCO_ANCHORS = (12.64, 19.39, 37.88, 51.48, 55.71, 138.31, 126.91, 78.23, 131.57, 214.55, 279.92, 258.87)


class YoloFastest:
    def __init__(self, spec: ModelSpec, output_shapes: dict[str, Shape]) -> None:
        names = list(output_shapes)
        self._indices = [names.index(name) for name in self.reads(spec, output_shapes)]
        self._candidates = Candidates(spec)
        self._cells = make_cells((spec.input.width, spec.input.height), _STRIDES)
        self._anchors = _anchors(spec)[np.searchsorted(_STRIDES, self._cells[:, 2])]

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, Shape]) -> list[str]:
        """The finer stride's first."""
        width = _BEFORE_CLASSES + len(spec.labels)
        names = _find((spec.input.width, spec.input.height), output_shapes, width)
        if names is None:
            wide = f"{width} wide for {len(spec.labels)} labels"
            raise misfit(spec, "yolofastest", output_shapes, f"expected cells of strides 16 and 32, {wide}")
        return names

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """The cells of strides 16 and 32, with two sigmoids and a softmax for each, as no other head has;
        the backbone has none."""
        widths = {shape[-1] for shape in facts.outputs.values() if shape}
        nodes = [facts.operators.get(name) for name in ("Sigmoid", "Softmax")]
        is_sure = nodes == [2 * len(_STRIDES), len(_STRIDES)]
        if len(widths) != 1 or not (is_sure or facts.is_named):
            return None
        (width,) = widths
        if width <= _BEFORE_CLASSES or _find(facts.size, facts.outputs, width) is None:
            return None
        return Deduction(
            "yolofastest",
            "detection",
            width - _BEFORE_CLASSES,
            colour="BGR",
            std=(255.0,) * 3,
            score_threshold=0.3,
            iou_threshold=0.4,
            options={"anchors": list(_COCO_ANCHORS)},
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        parts = [outputs[i].reshape(-1, outputs[i].shape[-1]) for i in self._indices]
        rows = np.concatenate(parts, dtype=np.float32)
        best = np.fmax.reduce(rows[:, _BEFORE_CLASSES:], axis=1)
        scores = rows[:, 4 * _ANCHORS : _BEFORE_CLASSES] * best[:, None]
        boxes = rows[:, : 4 * _ANCHORS].reshape(-1, _ANCHORS, 4)
        is_object = (scores >= np.float32(self._candidates.lowest(score_threshold))) & np.isfinite(scores)
        is_object &= np.isfinite(boxes).all(axis=2) & (boxes[:, :, 2:] > 0).all(axis=2)
        cell, anchor = np.nonzero(is_object)
        raw, where = boxes[cell, anchor], self._cells[cell]
        centres = (raw[:, :2] * 2 - np.float32(0.5) + where[:, :2]) * where[:, 2:]
        sizes = (raw[:, 2:] * 2) ** 2 * self._anchors[cell, anchor]
        boxes_xyxy = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
        class_ids = (rows[cell, _BEFORE_CLASSES:] == best[cell, None]).argmax(axis=1)
        count = self._candidates.fill(boxes_xyxy, scores[cell, anchor], cell, class_ids)
        return self._candidates.suppress(count, score_threshold, iou_threshold)


def _find(size: tuple[int, int], shapes: dict[str, Shape], width: int) -> list[str] | None:
    """Names of the outputs that hold each stride's cells, or of the one that holds all; None without them."""
    cells = count_cells(size, _STRIDES)
    together = [name for name, shape in shapes.items() if shape in ((cells, width), (1, cells, width))]
    grids = [(1, -(-size[1] // stride), -(-size[0] // stride), width) for stride in _STRIDES]
    apart = [name for grid in grids for name, shape in shapes.items() if shape == grid]
    found = [names for names, count in ((together, 1), (apart, len(_STRIDES))) if len(names) == count]
    return found[0] if len(found) == 1 else None


def _anchors(spec: ModelSpec) -> NDArray[np.float32]:
    """float32 [strides, anchors, 2]."""
    anchors: Any = spec.options.get("anchors", _COCO_ANCHORS)
    shape = (len(_STRIDES), _ANCHORS, 2)
    try:
        lengths = np.array(anchors, np.float32).reshape(shape)
    except (TypeError, ValueError):
        lengths = np.zeros(shape, np.float32)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ModelError(
            f"model {spec.name}: option anchors is {str(anchors)[:60]}; expected {lengths.size} lengths: "
            "width and height of three anchors for stride 16, then of three for stride 32"
        )
    return lengths
