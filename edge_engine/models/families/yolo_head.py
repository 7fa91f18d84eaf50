"""yolo_head: YOLO's boxes that come with something more each, mask coefficients or keypoints.

The forms of the output, for C classes and E numbers more, as Ultralytics' and earlier code has them:
- columns [1, 4 + C + E, anchors] (YOLOv8, 9, 11, 12): centre x, centre y, width, height, the classes' scores;
- objectness [1, anchors, 5 + C + E] (YOLOv5): the same box, objectness, the classes' scores given an object;
- end-to-end [1, n, 6 + E] (YOLO26, and exports with `nms=True`): left, top, right, bottom, score, class.
Boxes are in input pixels, scores after the sigmoid. End-to-end boxes are not suppressed a second time.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.objectness import decode_objectness
from edge_engine.kernels.rows import decode_rows
from edge_engine.models.facts import GraphFacts, Shape
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.grid import count_cells
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import misfit as misfit_of
from edge_engine.models.families.suppressed import best_rows
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Array = NDArray[np.float32]
Form = Literal["columns", "objectness", "end-to-end"]

_STRIDES = ((8, 16, 32), (8, 16, 32, 64))
_PER_CELL = 3  # anchors of a cell, where there is an objectness
_MOST_ROWS = 1000  # of an end-to-end output


def _cells(size: tuple[int, int], anchors_per_cell: int) -> list[int]:
    """How many anchors all grids over an input of `size` (width, height) may have."""
    return [anchors_per_cell * count_cells(size, strides) for strides in _STRIDES]


def form_of(shape: Shape, classes: int, extras: int, size: tuple[int, int]) -> Form | None:
    """None for none of them. With one class, the number of anchors tells objectness from end-to-end."""
    if len(shape) != 3 or shape[0] != 1:
        return None
    if shape[1] == 4 + classes + extras:
        return "columns"
    if shape[2] == 6 + extras and shape[1] not in _cells(size, _PER_CELL):
        return "end-to-end"
    return "objectness" if shape[2] == 5 + classes + extras else None


def classes_of(facts: GraphFacts, shape: Shape, extras: int) -> int | None:
    """How many classes one of the graph's outputs has room for, judged by how many anchors it has; 0 for an
    end-to-end one, which doesn't show it, of a graph that picks its rows; None for any other."""
    if len(shape) != 3 or shape[0] not in (0, 1):
        return None
    is_anchors, is_objectness = (shape[i] in _cells(facts.size, n) for i, n in ((2, 1), (1, _PER_CELL)))
    if is_anchors or is_objectness:
        classes = shape[1] - 4 - extras if is_anchors else shape[2] - 5 - extras
        return classes if classes > 0 else None
    is_picking = "TopK" in facts.operators or "NonMaxSuppression" in facts.operators
    return 0 if is_picking and shape[2] == 6 + extras and 0 < shape[1] <= _MOST_ROWS else None


def misfit(spec: ModelSpec, shapes: dict[str, Shape], extras: int, more: str) -> ModelError:
    classes = len(spec.labels)
    rows = (
        f"[1, {4 + classes + extras}, anchors], [1, anchors, {5 + classes + extras}] or [1, n, {6 + extras}]"
    )
    return misfit_of(spec, spec.family, shapes, f"expected one output {rows} for {classes} labels, {more}")


class YoloHead:
    """Decodes an output of one form. Its scratch is reused: one thread owns it."""

    def __init__(self, spec: ModelSpec, form: Form, shape: Shape) -> None:
        self._form = form
        self._classes = len(spec.labels)
        self._limits = Limits(spec)
        self._best = np.empty(shape[2], np.float32)
        self._candidates = Candidates(spec)

    def __call__(
        self, output: NDArray[np.floating], score_threshold: float, iou_threshold: float
    ) -> tuple[Objects, Array]:
        """The objects, highest score first, and what more is said of each, float32 [n, E], all finite."""
        output = np.asarray(output, np.float32)
        if self._form == "end-to-end":
            return self._end_to_end(output[0], score_threshold)
        found, classes = self._candidates, self._classes
        if self._form == "columns":
            count = decode_rows(
                output[0, : 4 + classes],
                found.lowest(score_threshold),
                self._best,
                found.boxes_xyxy,
                found.scores,
                found.class_ids,
                found.rows,
                0,
            )
            more = output[0, 4 + classes :].T
        else:
            count = decode_objectness(
                output[0],
                classes,
                None,
                found.lowest(score_threshold),
                found.boxes_xyxy,
                found.scores,
                found.class_ids,
                found.rows,
                0,
            )
            more = output[0, :, 5 + classes :]
        kept = found.keep(count, score_threshold, iou_threshold)
        extras = more[found.rows[kept]]
        is_whole = np.isfinite(extras).all(axis=1)
        return found.objects(kept[is_whole]), np.ascontiguousarray(extras[is_whole])

    def _end_to_end(self, rows: Array, score_threshold: float) -> tuple[Objects, Array]:
        rows = rows[np.isfinite(rows).all(axis=1)]
        found = rows[best_rows(rows[:, :4], rows[:, 4], rows[:, 5], self._limits, score_threshold)]
        objects = Objects(found[:, :4].copy(), found[:, 4].copy(), found[:, 5].astype(np.int32))
        return objects, found[:, 6:].copy()
