"""Looking at a graph: its facts, with free dimensions fixed as a sidecar says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from edge_engine.errors import ModelError, one_line
from edge_engine.models.facts import GraphFacts, Shape
from edge_engine.models.providers import import_runtime
from edge_engine.models.sidecar import Sidecar, sidecar_path
from edge_engine.models.spec import Layout


def layout_of(path: Path, value: ValueInfoProto) -> Layout:
    """ModelError for an input that can't be a colour picture."""
    sizes = _shape(value)
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
    return GraphFacts(
        name=path.stem,
        input_name=picture.name,
        size=(width, height),
        layout=layout,
        dtype="uint8" if picture.type.tensor_type.elem_type == TensorProto.UINT8 else "float32",
        outputs=_output_shapes(path, fixed),
        output_dtypes={value.name: _dtype(value) for value in model.graph.output},
        side_inputs={value.name: _shape(value) for value in model.graph.input[1:]},
        operators=dict(Counter(node.op_type for node in model.graph.node)),
    )


def _size(path: Path, picture: ValueInfoProto, layout: Layout, sidecar: Sidecar) -> tuple[int, int]:
    sizes = _shape(picture)
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
    shapes = {value.name: _shape(value) for value in inferred}
    if all(shape and all(shape) for shape in shapes.values()):
        return shapes
    runtime = import_runtime()
    try:
        session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        feed = {value.name: np.zeros(_shape(value), _numpy_dtype(value)) for value in model.graph.input}
        outputs = session.run(list(shapes), feed)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise ModelError(f"{path}: can't be run on an empty picture: {one_line(error)}") from None
    return {name: tuple(output.shape) for name, output in zip(shapes, outputs, strict=True)}


def _shape(value: ValueInfoProto) -> Shape:
    """A dimension that isn't fixed is 0."""
    return tuple(max(d.dim_value, 0) for d in value.type.tensor_type.shape.dim)


def _numpy_dtype(value: ValueInfoProto) -> np.dtype[np.generic]:
    return helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def _dtype(value: ValueInfoProto) -> str:
    return str(_numpy_dtype(value))
