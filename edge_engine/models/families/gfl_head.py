"""GflHead: a generalized focal loss head (arXiv:2006.04388) among a model's outputs, NanoDet's and PicoDet's.

Per stride it gives class scores [1, cells, classes], after the sigmoid, and box distributions
[1, cells, 4 * (reg_max + 1)], sides left, top, right, bottom. A file holds the strides one by one, or all of
them concatenated, or scores and distributions of all in one array [1, cells, classes + 4 * (reg_max + 1)].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.gfl import decode_gfl, decode_joint_gfl
from edge_engine.models.facts import GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.outputs import misfit
from edge_engine.models.spec import ModelSpec

Shapes = dict[str, tuple[int, ...]]

_WIDTHS = {4 * (reg_max + 1): reg_max for reg_max in (7, 10, 16)}
"""Of the distributions in published models."""


class Grid(NamedTuple):
    """One stride: where in which outputs its cells lie."""

    stride: int
    width: int
    scores: int
    distances: int
    rows: slice


class GflHead:
    def __init__(
        self, spec: ModelSpec, shapes: Shapes, strides: Sequence[int], cell_offset: float = 0.5
    ) -> None:
        """ModelError when the outputs don't fit."""
        self._classes = len(spec.labels)
        self._cell_offset = cell_offset
        self._grids = _find_grids(spec, shapes, strides)
        self._is_joint = len(shapes) == 1

    def decode(self, outputs: Sequence[NDArray[np.float32]], threshold: float, found: Candidates) -> int:
        """How many candidates there are, all of them in `found`."""
        count, least = 0, found.lowest(threshold)
        for grid in self._grids:
            scores = outputs[grid.scores][0, grid.rows]
            distances = outputs[grid.distances][0, grid.rows]
            terms = grid.width, grid.stride, least, found.boxes_xyxy, found.scores, found.class_ids
            if self._is_joint:
                count = decode_joint_gfl(scores, self._classes, *terms, count, self._cell_offset)
            else:
                count = decode_gfl(scores, distances, *terms, count, self._cell_offset)
        return count


def cells_of(size: tuple[int, int], strides: Sequence[int]) -> list[int]:
    """How many cells each stride has over an input of that size, width and height."""
    return [-(-size[0] // stride) * -(-size[1] // stride) for stride in strides]


def deduce_classes_and_reach(facts: GraphFacts, strides: Sequence[int]) -> tuple[int, int] | None:
    """The number of classes and reg_max of a graph whose scores and distributions lie apart.

    None when its outputs aren't those of such a head, or which of them are scores can't be told.
    """
    shapes = list(facts.outputs.values())
    cells = cells_of(facts.size, strides)
    if not all(len(shape) == 3 and shape[0] in (0, 1) for shape in shapes):
        return None
    if len(shapes) not in (2, 2 * len(strides)):
        return None
    held = [sum(cells)] if len(shapes) == 2 else cells
    widths = {shape[2] for shape in shapes}
    reaches = widths & _WIDTHS.keys()
    if len(widths) != 2 or len(reaches) != 1:
        return None
    if sorted(shape[1:] for shape in shapes) != sorted((count, width) for count in held for width in widths):
        return None
    (distances,) = reaches
    (classes,) = widths - reaches
    return (classes, _WIDTHS[distances]) if classes > 0 else None


def read_strides(spec: ModelSpec, default: Sequence[int] | None = None) -> list[int]:
    """The option `strides`; ModelError when it is none."""
    strides: Any = spec.options.get("strides", default)
    is_list = isinstance(strides, (list, tuple)) and len(strides) > 0
    if not is_list or not all(isinstance(stride, int) and stride > 0 for stride in strides):
        expected = f"the {spec.family} family needs a list such as [8, 16, 32]"
        raise ModelError(f"model {spec.name}: option strides is {strides!r}; {expected}")
    return list(strides)


def _find_grids(spec: ModelSpec, shapes: Shapes, strides: Sequence[int]) -> list[Grid]:
    """Every stride's scores and distributions among the outputs."""
    number = 2 * len(strides)
    if len(shapes) not in (1, 2, number):
        raise misfit(
            spec, spec.family, shapes, f"expected 1 or 2 outputs, or {number} for {len(strides)} strides"
        )
    scores, distances = _sort(spec, shapes)
    cells = cells_of((spec.input.width, spec.input.height), strides)
    grids = []
    for i, (stride, count) in enumerate(zip(strides, cells, strict=True)):
        first, held = (sum(cells[:i]), sum(cells)) if len(shapes) < number else (0, count)
        score_index = _find(spec, shapes, scores, held)
        distance_index = _find(spec, shapes, distances, held)
        width = -(-spec.input.width // stride)
        grids.append(Grid(stride, width, score_index, distance_index, slice(first, first + count)))
    return grids


def _sort(spec: ModelSpec, shapes: Shapes) -> tuple[list[str], list[str]]:
    """Names of the outputs that hold scores, and of those that hold distributions."""
    if not all(len(shape) == 3 and shape[0] == 1 for shape in shapes.values()):
        raise misfit(spec, spec.family, shapes, "expected outputs [1, cells, width]")
    classes = len(spec.labels)
    if len(shapes) == 1:
        _check_reach(spec, shapes, [shape[2] - classes for shape in shapes.values()])
        return list(shapes), list(shapes)
    named = spec.options.get("score_outputs") or list(shapes)
    scores = [name for name, shape in shapes.items() if shape[2] == classes and name in named]
    distances = [name for name in shapes if name not in scores]
    if not scores:
        raise misfit(spec, spec.family, shapes, f"expected scores {classes} wide, one for each label")
    if not distances:
        raise misfit(
            spec,
            spec.family,
            shapes,
            "scores and distributions look alike; option score_outputs must name the scores",
        )
    _check_reach(spec, shapes, [shapes[name][2] for name in distances])
    return scores, distances


def _check_reach(spec: ModelSpec, shapes: Shapes, widths: list[int]) -> None:
    reg_max = spec.options.get("reg_max", widths[0] // 4 - 1)
    is_reach = isinstance(reg_max, int) and reg_max > 0
    if not is_reach or any(width != 4 * (reg_max + 1) for width in widths):
        beside = f" beside {len(spec.labels)} scores" if len(shapes) == 1 else ""
        raise misfit(
            spec,
            spec.family,
            shapes,
            f"expected distributions 4 * (reg_max + 1) wide, such as 32 or 44{beside}",
        )


def _find(spec: ModelSpec, shapes: Shapes, names: list[str], cells: int) -> int:
    """Index of the one output among `names` with so many cells."""
    found = [index for index, name in enumerate(shapes) if name in names and shapes[name][1] == cells]
    if len(found) != 1:
        size = f"{spec.input.width}x{spec.input.height}"
        among = " and ".join(names)
        raise misfit(
            spec, spec.family, shapes, f"expected {cells} cells for an input of {size} in one of {among}"
        )
    return found[0]
