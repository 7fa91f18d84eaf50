"""Constants of a graph: reading them, and giving a node one of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, numpy_helper


def constant(graph: GraphProto, name: str) -> NDArray[np.generic] | None:
    """The value behind a name, if it is a weight or a Constant node's."""
    for tensor in graph.initializer:
        if name and tensor.name == name:
            return numpy_helper.to_array(tensor)
    for node in graph.node:
        if node.op_type == "Constant" and name in node.output:
            return next((numpy_helper.to_array(a.t) for a in node.attribute if a.name == "value"), None)
    return None


def set_constant(graph: GraphProto, node: NodeProto, index: int, values: NDArray[np.generic]) -> None:
    """The node's input `index` becomes a constant of its own: what was there may have other readers."""
    name = f"{node.output[0]}_constant_{index}"
    graph.initializer.append(numpy_helper.from_array(values, name))
    if index < len(node.input):
        node.input[index] = name
    else:
        node.input.append(name)


def scale_instead_of_size(graph: GraphProto, node: NodeProto, shapes: dict[str, tuple[int, ...]]) -> None:
    """A Resize's size holds for one batch and one input; its factors hold for all."""
    size = constant(graph, node.input[3]) if len(node.input) > 3 else None
    before = shapes.get(node.input[0], ())
    if size is None or len(before) != size.size or not all(before):
        return
    set_constant(graph, node, 2, (size / np.array(before)).astype(np.float32))
    del node.input[3]
