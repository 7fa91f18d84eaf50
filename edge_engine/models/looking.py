"""Looking at a graph: its facts, with free dimensions fixed as a sidecar says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper

from edge_engine.errors import ModelError, one_line
from edge_engine.models.constants import constant
from edge_engine.models.facts import GraphFacts, Shape
from edge_engine.models.session import plain_session
from edge_engine.models.side_inputs import fix_side_inputs
from edge_engine.models.sidecar import Sidecar, sidecar_path
from edge_engine.models.spec import Layout
from edge_engine.models.values import shape_of

_MOVERS = {
    *("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"),
    *("QuantizeLinear", "DequantizeLinear"),
}


def layout_of(path: Path, value: ValueInfoProto) -> Layout:
    """ModelError for an input that can't be a colour picture."""
    sizes = shape_of(value)
    if len(sizes) != 4:
        raise ModelError(f"{path}: expected an input of 4 dimensions, found {len(sizes)}")
    if 3 not in (sizes[1], sizes[3]) and all((sizes[1], sizes[3])):
        raise ModelError(f"{path}: expected a picture of 3 channels, found an input {list(sizes)}")
    return "NHWC" if sizes[3] == 3 and sizes[1] != 3 else "NCHW"


def look_at(path: Path, model: ModelProto, layout: Layout, sidecar: Sidecar) -> GraphFacts:
    """Raises ModelError when the picture's size is free and the sidecar doesn't say it."""
    picture = model.graph.input[0]
    height, width = _size(path, picture, layout, sidecar)
    fixed = ModelProto()
    fixed.CopyFrom(model)
    sides = [1, height, width, 3] if layout == "NHWC" else [1, 3, height, width]
    for dimension, length in zip(fixed.graph.input[0].type.tensor_type.shape.dim, sides, strict=True):
        dimension.dim_value = length
    del fixed.graph.value_info[:]
    fix_side_inputs(path, fixed.graph, (width, height))
    return GraphFacts(
        name=path.stem,
        input_name=picture.name,
        size=(width, height),
        layout=layout,
        dtype="uint8" if picture.type.tensor_type.elem_type == TensorProto.UINT8 else "float32",
        outputs=_output_shapes(path, fixed),
        output_dtypes={value.name: _dtype(value) for value in model.graph.output},
        side_inputs={value.name: shape_of(value) for value in model.graph.input[1:]},
        operators=dict(Counter(node.op_type for node in model.graph.node)),
        ends_in=_ends_in(model.graph),
        scales=_scales(model.graph),
        is_named=sidecar.family is not None,
    )


def _size(path: Path, picture: ValueInfoProto, layout: Layout, sidecar: Sidecar) -> tuple[int, int]:
    sizes = shape_of(picture)
    height, width = sizes[1:3] if layout == "NHWC" else sizes[2:4]
    height, width = height or sidecar.input.height or 0, width or sidecar.input.width or 0
    if not (height and width):
        raise ModelError(
            f"{path}: its graph leaves the picture's size free; write `input: {{width: …, height: …}}` into "
            f"{sidecar_path(path)}"
        )
    return height, width


def _output_shapes(path: Path, model: ModelProto) -> dict[str, Shape]:
    """As they can be inferred; else as a run on an empty picture gives them."""
    inferred = onnx.shape_inference.infer_shapes(model).graph.output
    shapes = {value.name: shape_of(value) for value in inferred}
    if all(shape and all(shape) for shape in shapes.values()):
        return shapes
    try:
        session = plain_session(model.SerializeToString())
        feed = {value.name: np.zeros(shape_of(value), _numpy_dtype(value)) for value in model.graph.input}
        outputs = session.run(list(shapes), feed)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise ModelError(f"{path}: can't be run on an empty picture: {one_line(error)}") from None
    return {name: tuple(output.shape) for name, output in zip(shapes, outputs, strict=True)}


def _ends_in(graph: GraphProto) -> dict[str, str]:
    givers = {name: node for node in graph.node for name in node.output}
    found = {}
    for value in graph.output:
        node = givers.get(value.name)
        while node is not None and node.op_type in _MOVERS and node.input[0] in givers:
            node = givers[node.input[0]]
        if node is not None:
            found[value.name] = node.op_type
    return found


def _scales(graph: GraphProto) -> dict[str, tuple[float, int]]:
    """Of one scale for the whole output."""
    outputs = {value.name for value in graph.output}
    found = {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and node.output[0] in outputs:
            scale = constant(graph, node.input[1])
            zero_point = constant(graph, node.input[2]) if len(node.input) > 2 else np.zeros(1, np.uint8)
            if scale is not None and zero_point is not None and scale.size == 1:
                found[node.output[0]] = (float(scale.item()), int(zero_point.item()))
    return found


def _numpy_dtype(value: ValueInfoProto) -> np.dtype[np.generic]:
    return helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def _dtype(value: ValueInfoProto) -> str:
    return str(_numpy_dtype(value))
