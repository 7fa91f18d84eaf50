"""Narrow: a graph made for a smaller input, which leaves the letterbox's padding out.

Exporters write the input's size into a graph in several places: the targets of Reshape, the sizes of Resize,
and constants such as grids of anchors, which are computed once for all cells. Each is found by its shape and
made to fit; then both graphs are run on a picture, and the cells that are left must say what they said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper

from edge_engine.errors import ModelError, one_line
from edge_engine.models.agreement import agree
from edge_engine.models.cells import STRIDES, Trimming
from edge_engine.models.constants import constant, scale_instead_of_size, set_constant
from edge_engine.models.families import ON_GRIDS
from edge_engine.models.session import plain_session, run_once
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.models.trim import trimmed_size
from edge_engine.models.values import inferred_shapes
from edge_engine.pictures import known_pictures

Shape = tuple[int, ...]
Shapes = dict[str, Shape]

_SMALL = 1024
"""Constants of so many elements may name sizes; larger ones are no news to shape inference."""
_BROADCASTING = {"Add", "Sub", "Mul", "Div", "Pow", "Where", "Max", "Min", "PRelu", "Concat"}
_AGREEMENT = 0.5
"""Correlation of what the cells say with the padding and without: it reaches into its neighbourhood, and the
coarser the grid the further. Eight trained models gave 0.65 to 1.0; cells in a wrong order give about 0."""


def narrow(model: ModelProto, path: Path, spec: ModelSpec, source_size: tuple[int, int]) -> ModelSpec:
    """Changes a repaired model to the input that pictures of this size, (width, height), need, and proves it.

    Raises ModelError when nothing can be spared, or when the graph can't do without.
    """
    before = inferred_shapes(model)
    size = trimmed_size(spec.input, source_size, coarsest_stride(before, spec.input))
    if size == (spec.input.width, spec.input.height):
        raise _refused(path, f"pictures of {source_size[0]}x{source_size[1]} leave none that can be spared")
    if spec.family not in ON_GRIDS:
        raise _refused(path, f"{spec.family} models see their input as a whole")
    trimming = Trimming((spec.input.width, spec.input.height), size)
    whole = plain_session(model.SerializeToString())
    _set_input(model.graph, before, size)
    picture = _picture(spec, trimming)
    try:
        _Narrowing(model, trimming, before).run()
        left = run_once(plain_session(model.SerializeToString()), picture[:, : size[1], : size[0]])
    except _Stuck as error:
        raise _refused(path, str(error)) from None
    except Exception as error:  # onnx and ONNX Runtime raise what they like
        raise _refused(path, one_line(error)) from None
    names = [output.name for output in model.graph.output]
    for name, one, other in zip(names, run_once(whole, picture), left, strict=True):
        if not (agreement := agree(one, other, trimming)) >= _AGREEMENT:  # nor if it is NaN
            raise _refused(path, f"output {name} would be another, it agrees to {agreement:.2f}")
    _set_outputs(model.graph, left)
    return replace(spec, input=replace(spec.input, width=size[0], height=size[1]))


def coarsest_stride(shapes: Shapes, picture: InputSpec) -> int:
    """Of the grids that a graph computes on its way, by their shapes [n, c, h, w]: its input must be whole
    strides wide and high."""
    sides = [(picture.height // stride, picture.width // stride) for stride in STRIDES]
    found = {shape[2:] for shape in shapes.values() if len(shape) == 4}
    return max((s for s, side in zip(STRIDES, sides, strict=True) if side in found), default=1)


def _refused(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: keeps the padding of its letterbox: {reason}")


class _Stuck(Exception):  # noqa: N818 - told as ModelError, with the model's name
    pass


def _set_input(graph: GraphProto, before: Shapes, size: tuple[int, int]) -> None:
    for node in graph.node:
        if node.op_type == "Resize":
            scale_instead_of_size(graph, node, before)
    dimensions = graph.input[0].type.tensor_type.shape.dim
    dimensions[1].dim_value, dimensions[2].dim_value = size[1], size[0]
    del graph.value_info[:]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")


def _set_outputs(graph: GraphProto, found: Sequence[NDArray[np.generic]]) -> None:
    for output, array in zip(graph.output, found, strict=True):
        for length in array.shape:
            output.type.tensor_type.shape.dim.add().dim_value = length


class _Narrowing:
    """One walk along a graph's nodes; all that lie before a node fit already when its turn comes."""

    def __init__(self, model: ModelProto, trimming: Trimming, before: Shapes) -> None:
        self._model = model
        self._trimming = trimming
        self._before = before
        self._after: Shapes | None = None

    def run(self) -> None:
        for node in self._model.graph.node:
            if node.op_type == "Reshape":
                self._reshape(node)
            elif node.op_type in _BROADCASTING:
                self._cut_constants(node)
            elif node.op_type in ("Slice", "Split", "Gather"):
                self._check_part(node)

    def _shapes(self, name: str, node: NodeProto) -> tuple[Shape, Shape]:
        """A value's shape in the whole graph and in this one: the same where it depends on the picture."""
        before = self._before.get(name, ())
        if not before or not all(before):
            return (), ()
        if self._after is None:
            self._after = inferred_shapes(_without_weights(self._model))
        after = self._after.get(name, ())
        if len(after) != len(before) or not all(after):
            raise _Stuck(f"the shape of {name}, which {node.op_type} {node.name} reads, can't be told")
        return before, after

    def _reshape(self, node: NodeProto) -> None:
        target = constant(self._model.graph, node.input[1])
        if target is None or target.size < 2:
            return
        before, after = self._shapes(node.input[0], node)
        if before == after:
            return
        shape = reshaped(before, after, self._before[node.output[0]], self._trimming)
        if shape is None:
            raise _Stuck(f"Reshape {node.name} from {list(before)} has no such shape for {list(after)}")
        set_constant(self._model.graph, node, 1, np.array(shape, np.int64))
        self._after = None

    def _cut_constants(self, node: NodeProto) -> None:
        graph = self._model.graph
        constants = {i: constant(graph, name) for i, name in enumerate(node.input)}
        values = [i for i, found in constants.items() if found is None]
        if not values or len(values) == len(constants):
            return
        before, after = self._shapes(node.input[values[0]], node)
        for i, found in constants.items():
            if found is not None and before != after:
                cut = self._cut(found, before, after)
                if cut.shape != found.shape:
                    set_constant(graph, node, i, cut)
                    self._after = None

    def _cut(self, values: NDArray[np.generic], before: Shape, after: Shape) -> NDArray[np.generic]:
        """Of a constant what belongs to the cells that are left. Its axes lie under the last of `before`."""
        for axis in range(-min(values.ndim, len(before)), 0):
            old, new = before[axis], after[axis]
            if old != new and values.shape[axis] == old:
                kept = next(self._trimming.kept(old, new), None)
                if kept is None:
                    raise _Stuck(f"a constant {list(values.shape)} has an axis that is no row of cells")
                values = np.take(values, kept, axis)
        return np.ascontiguousarray(values)

    def _check_part(self, node: NodeProto) -> None:
        """Parts of an axis that is shorter now are other parts, but for every other row and the like."""
        before, after = self._shapes(node.input[0], node)
        if before == after:
            return
        for axis, is_from_start in _parts(self._model.graph, node, before):
            if before[axis] != after[axis] and not is_from_start:
                raise _Stuck(f"{node.op_type} {node.name} takes a part of {list(before)} by its position")


def _parts(graph: GraphProto, node: NodeProto, shape: Shape) -> Iterator[tuple[int, bool]]:
    """Axes of which a node takes a part, and whether that is each n-th of all, an even share, or a place that
    the graph itself has found."""
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    if node.op_type != "Slice":
        is_even = node.op_type == "Split" and len(node.input) < 2
        is_found = node.op_type == "Gather" and constant(graph, node.input[1]) is None
        yield attributes.get("axis", 0), is_even or is_found
        return
    parts = [constant(graph, name) for name in node.input[1:]]
    if any(part is None for part in parts):
        yield from ((axis, False) for axis in range(len(shape)))
        return
    starts, ends, *others = [part.tolist() for part in parts if part is not None]
    axes = others[0] if others else range(len(starts))
    steps = others[1] if len(others) > 1 else [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        yield axis, 0 <= start < step and end >= shape[axis]


def _without_weights(model: ModelProto) -> ModelProto:
    """The same graph with its large constants as inputs: as good for shape inference, and small."""
    light = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = light.graph
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= _SMALL:
            graph.initializer.append(tensor)
        else:
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            graph.input.append(value)
    return light


def reshaped(before: Shape, after: Shape, target: Shape, trimming: Trimming) -> list[int] | None:
    """What Reshape from `before` to `target` becomes for `after`: what was joined is joined, and so on.

    None when it can't be told.
    """
    shape: list[int] = []
    for ins, outs in _groups(before, target):
        old, new = math.prod(before[i] for i in ins), math.prod(after[i] for i in ins)
        found = _split([target[i] for i in outs], old, new, trimming)
        if found is None:
            return None
        shape += found
    return shape


def _groups(one: Shape, other: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """Runs of axes of both shapes that hold the same elements."""
    products = [np.cumprod(shape).tolist() for shape in (one, other)]
    start = 0
    for end in sorted(set(products[0]) & set(products[1]) | {1}):
        runs = [[i for i, product in enumerate(side) if start < product <= end] for side in products]
        yield runs[0], runs[1]
        start = end


def _split(sides: list[int], old: int, new: int, trimming: Trimming) -> list[int] | None:
    """Sides whose product was `old`, with the one among them shortened that makes it `new`: the side of a
    grid whose other side lies next to it, the last as channels come first; else the last that isn't 1."""
    if old == new:
        return sides
    by_grid = [i for i in reversed(range(len(sides))) if len(trimming.grid_axes(tuple(sides), i)) == 2]
    others = [i for i in reversed(range(len(sides))) if sides[i] > 1]
    for i in [*by_grid, *others[:1]]:
        if sides[i] * new % old == 0:
            return [*sides[:i], sides[i] * new // old, *sides[i + 1 :]]
    return None


def _picture(spec: ModelSpec, trimming: Trimming) -> NDArray[np.uint8]:
    """A real one, in the part that is left; the rest is padding, as a letterbox has it."""
    width, height = trimming.trimmed
    data = np.frombuffer(next(iter(known_pictures().values())).path.read_bytes(), np.uint8)
    street = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert street is not None  # it comes with the package
    picture = np.full((1, spec.input.height, spec.input.width, 3), spec.input.pad, np.uint8)
    picture[0, :height, :width] = cv2.resize(street, (width, height), interpolation=cv2.INTER_AREA)
    return picture
