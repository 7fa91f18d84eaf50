"""Values of a graph: their shapes; and the metadata of its file."""

from __future__ import annotations

import onnx
from onnx import ModelProto, ValueInfoProto


def shape_of(value: ValueInfoProto) -> tuple[int, ...]:
    """A dimension that isn't fixed is 0."""
    return tuple(max(d.dim_value, 0) for d in value.type.tensor_type.shape.dim)


def inferred_shapes(model: ModelProto) -> dict[str, tuple[int, ...]]:
    """Of every value but the weights, by name, as far as they can be inferred."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    return {value.name: shape_of(value) for value in (*graph.value_info, *graph.input, *graph.output)}


def metadata_of(model: ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}
