"""NanoDet: an anchor-free detector with a generalized focal loss head (arXiv:2006.04388).

Per stride it gives class scores [1, cells, classes], after the sigmoid, and box distributions
[1, cells, 4 * (reg_max + 1)], sides left, top, right, bottom. A file holds either the strides one by one
or all of them concatenated, in the order of the spec's option `strides`. Outputs are told apart by shape.

Options: `strides`; `reg_max` (else deduced from the shapes); `score_outputs`, names of the outputs that
hold scores (needed only when scores and distributions are equally wide).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.gfl import decode_gfl
from edge_engine.models.families.family import Candidates
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
    widths = [-(-spec.input.width // stride) for stride in strides]
    cells = [width * -(-spec.input.height // stride) for width, stride in zip(widths, strides, strict=True)]
    is_scores = _score_outputs(spec, shapes)
    if len(shapes) == 2:
        scores, distances = (_find(spec, shapes, is_scores, kind, sum(cells)) for kind in (True, False))
        ends = np.cumsum(cells).tolist()
        rows = [slice(end - n, end) for end, n in zip(ends, cells, strict=True)]
        places = [(scores, distances, row) for row in rows]
    elif len(shapes) == 2 * len(strides):
        places = [
            (_find(spec, shapes, is_scores, True, n), _find(spec, shapes, is_scores, False, n), slice(None))
            for n in cells
        ]
    else:
        raise _misfit(spec, shapes, f"expected 2 outputs, or {2 * len(strides)} for {len(strides)} strides")
    return [Grid(stride, width, *place) for stride, width, place in zip(strides, widths, places, strict=True)]


def _strides(spec: ModelSpec) -> list[int]:
    strides = spec.options.get("strides")
    if not isinstance(strides, list | tuple) or not strides or not all(type(s) is int and s > 0 for s in strides):
        raise ModelError(f"model {spec.name}: option strides is {strides!r}; expected a list such as [8, 16, 32]")
    return list(strides)


def _score_outputs(spec: ModelSpec, shapes: Shapes) -> list[bool]:
    """For each output: whether it holds scores; the others hold distributions of one width."""
    if not all(len(shape) == 3 and shape[0] == 1 for shape in shapes.values()):
        raise _misfit(spec, shapes, "expected outputs [1, cells, width]")
    classes = len(spec.labels)
    names = spec.options.get("score_outputs")
    is_scores = [shape[2] == classes if names is None else name in names for name, shape in shapes.items()]
    wrong = [
        shape[2]
        for shape, holds_scores in zip(shapes.values(), is_scores, strict=True)
        if holds_scores and shape[2] != classes
    ]
    widths = {shape[2] for shape, holds_scores in zip(shapes.values(), is_scores, strict=True) if not holds_scores}
    if wrong or not any(is_scores):
        raise _misfit(spec, shapes, f"expected scores {classes} wide, one for each label")
    if not widths:
        raise _misfit(spec, shapes, "scores and distributions look alike; name the scores in option score_outputs")
    reg_max = spec.options.get("reg_max")
    expected = {4 * (reg_max + 1)} if isinstance(reg_max, int) else {w for w in widths if w >= 8 and w % 4 == 0}
    if len(widths) != 1 or widths != expected:
        raise _misfit(spec, shapes, f"expected distributions 4 * (reg_max + 1) wide with reg_max {reg_max}")
    return is_scores


def _find(spec: ModelSpec, shapes: Shapes, is_scores: list[bool], wanted: bool, cells: int) -> int:
    """Index of the only output of that kind with so many cells."""
    found = [
        index
        for index, (shape, holds_scores) in enumerate(zip(shapes.values(), is_scores, strict=True))
        if holds_scores == wanted and shape[1] == cells
    ]
    if len(found) != 1:
        kind = "scores" if wanted else "distributions"
        size = f"{spec.input.width}x{spec.input.height}"
        raise _misfit(spec, shapes, f"expected one output of {kind} with {cells} cells for an input of {size}")
    return found[0]


def _misfit(spec: ModelSpec, shapes: Shapes, expected: str) -> ModelError:
    got = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items()) or "none"
    return ModelError(f"model {spec.name} doesn't fit the nanodet family: {expected}; outputs are {got}")
