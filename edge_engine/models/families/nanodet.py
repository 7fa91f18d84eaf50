"""NanoDet: an anchor-free detector with a generalized focal loss head (arXiv:2006.04388).

Per stride it gives class scores [1, cells, classes], after the sigmoid, and box distributions
[1, cells, 4 * (reg_max + 1)], sides left, top, right, bottom. A file holds either the strides one by one
or all of them concatenated, in the order of the spec's option `strides`. Outputs are told apart by shape.

Options: `strides`; `reg_max` (else deduced from the shapes); `score_outputs`, names of the outputs that
hold scores (needed only when scores and distributions are equally wide).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.gfl import decode_gfl
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]


class Grid(NamedTuple):
    """One stride: where in which outputs its cells lie."""

    stride: int
    width: int
    scores: int
    distances: int
    rows: slice


class NanoDet:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        self._grids = _grids(spec, output_shapes)
        self._candidates = Candidates()

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        return list(output_shapes)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        return None

    def __call__(
        self, outputs: Sequence[NDArray[np.float32]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = 0
        for grid in self._grids:
            count = decode_gfl(
                outputs[grid.scores][0, grid.rows],
                outputs[grid.distances][0, grid.rows],
                grid.width,
                grid.stride,
                score_threshold,
                found.boxes_xyxy,
                found.scores,
                found.class_ids,
                count,
            )
        return found.suppress(count, iou_threshold)


def _grids(spec: ModelSpec, shapes: Shapes) -> list[Grid]:
    """Finds every stride's scores and distributions among the outputs."""
    strides = _strides(spec)
    if len(shapes) not in (2, 2 * len(strides)):
        raise _misfit(spec, shapes, f"expected 2 outputs, or {2 * len(strides)} for {len(strides)} strides")
    scores, distances = _sort(spec, shapes)
    widths = [-(-spec.input.width // stride) for stride in strides]
    cells = [width * -(-spec.input.height // stride) for width, stride in zip(widths, strides, strict=True)]
    is_concatenated = len(shapes) == 2
    grids = []
    for i, (stride, width, count) in enumerate(zip(strides, widths, cells, strict=True)):
        first, held = (sum(cells[:i]), sum(cells)) if is_concatenated else (0, count)
        score_index = _find(spec, shapes, scores, held)
        distance_index = _find(spec, shapes, distances, held)
        grids.append(Grid(stride, width, score_index, distance_index, slice(first, first + count)))
    return grids


def _strides(spec: ModelSpec) -> list[int]:
    strides: Any = spec.options.get("strides")
    is_list = isinstance(strides, (list, tuple)) and len(strides) > 0
    if not is_list or not all(isinstance(stride, int) and stride > 0 for stride in strides):
        expected = "the nanodet family needs a list such as [8, 16, 32]"
        raise ModelError(f"model {spec.name}: option strides is {strides!r}; {expected}")
    return list(strides)


def _sort(spec: ModelSpec, shapes: Shapes) -> tuple[list[str], list[str]]:
    """Names of the outputs that hold scores, and of those that hold distributions."""
    if not all(len(shape) == 3 and shape[0] == 1 for shape in shapes.values()):
        raise _misfit(spec, shapes, "expected outputs [1, cells, width]")
    classes = len(spec.labels)
    named = spec.options.get("score_outputs") or list(shapes)
    scores = [name for name, shape in shapes.items() if shape[2] == classes and name in named]
    distances = [name for name in shapes if name not in scores]
    if not scores:
        raise _misfit(spec, shapes, f"expected scores {classes} wide, one for each label")
    if not distances:
        raise _misfit(
            spec, shapes, "scores and distributions look alike; option score_outputs must name the scores"
        )
    width = shapes[distances[0]][2]
    reg_max = spec.options.get("reg_max", width // 4 - 1)
    is_reach = isinstance(reg_max, int) and reg_max > 0
    if not is_reach or any(shapes[name][2] != 4 * (reg_max + 1) for name in distances):
        raise _misfit(spec, shapes, "expected distributions 4 * (reg_max + 1) wide, such as 32 or 44")
    return scores, distances


def _find(spec: ModelSpec, shapes: Shapes, names: list[str], cells: int) -> int:
    """Index of the one output among `names` with so many cells."""
    found = [index for index, name in enumerate(shapes) if name in names and shapes[name][1] == cells]
    if len(found) != 1:
        size = f"{spec.input.width}x{spec.input.height}"
        among = " and ".join(names)
        raise _misfit(spec, shapes, f"expected {cells} cells for an input of {size} in one of {among}")
    return found[0]


def _misfit(spec: ModelSpec, shapes: Shapes, expected: str) -> ModelError:
    got = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items()) or "none"
    return ModelError(f"model {spec.name} doesn't fit the nanodet family: {expected}; outputs are {got}")
