"""Pixels: the head of a repaired graph, rewritten so that a pixel already is its quantized value.

What was `Cast`, and the subtraction of a mean, becomes one DequantizeLinear with scale 1 whose zero point is
the mean: in a quantized graph it then goes straight into the first convolution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edge_engine.models.affine import Affine, absorb
from edge_engine.models.constants import constant, set_constant

# In pixels: how far the channels' means may lie from their common zero point, where a convolution's bias can
# make up for it; only in its padding it then shows. Without a bias, the half pixel of a rounded zero point.
_MOST_BY_BIAS = 24.0
_MOST_LEFT = 0.51
_SCALE, _ZERO = "pixels_scale", "pixels_zero_point"


def take_pixels(model: ModelProto) -> str | None:
    """The name of the value that the pixels are read as; None where the graph doesn't begin with a Cast."""
    graph = model.graph
    cast = _first_cast(graph)
    if cast is None:
        return None
    name, is_nchw = cast.output[0], _is_nchw(graph, cast)
    affine, _, last = absorb(graph, name, Affine(np.ones(3), np.zeros(3)), is_nchw)
    scale, zero = float(affine.scale[0]), _zero_point(affine)
    is_even = np.allclose(affine.scale, scale, rtol=1e-6) and scale > 0 and 0 <= zero <= 255
    left = affine.shift + zero * scale if is_even else affine.shift
    if is_even and not _is_made_up_for(graph, last, left, scale):
        is_even = False
    if not is_even:
        scale, zero = 1.0, 0
        name = f"{name}/pixels"
        _put_back(graph, cast, affine, (last, name), is_nchw)
        last = name
    graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), _SCALE))
    graph.initializer.append(numpy_helper.from_array(np.array(zero, np.uint8), _ZERO))
    inputs = [cast.input[0], _SCALE, _ZERO]
    cast.CopyFrom(helper.make_node("DequantizeLinear", inputs, [last], name="read_pixels"))
    return last


def _first_cast(graph: GraphProto) -> NodeProto | None:
    """The only reader of the picture, but for a Transpose between."""
    if graph.input[0].type.tensor_type.elem_type != TensorProto.UINT8:
        return None
    name = graph.input[0].name
    for _ in range(2):
        readers = [node for node in graph.node if name in node.input]
        if len(readers) != 1:
            return None
        (node,) = readers
        if node.op_type == "Cast":
            is_float = any(a.name == "to" and a.i == TensorProto.FLOAT for a in node.attribute)
            return node if is_float and node.output[0] not in {o.name for o in graph.output} else None
        if node.op_type != "Transpose":
            return None
        name = node.output[0]
    return None


def _is_nchw(graph: GraphProto, cast: NodeProto) -> bool:
    return bool(cast.input[0] != graph.input[0].name)


def _zero_point(affine: Affine) -> int:
    return round(float(np.mean(-affine.shift / affine.scale)))


def _is_made_up_for(graph: GraphProto, name: str, left: NDArray[np.float64], scale: float) -> bool:
    """Whether what the zero point leaves of the shift is small, or has gone into a convolution's bias."""
    most = float(np.abs(left).max()) / scale
    if most <= 1e-6:
        return True
    readers = [node for node in graph.node if name in node.input]
    if most <= _MOST_BY_BIAS and len(readers) == 1 and _shift_bias(graph, readers[0], name, left):
        return True
    return most <= _MOST_LEFT


def _shift_bias(graph: GraphProto, conv: NodeProto, name: str, shift: NDArray[np.float64]) -> bool:
    groups = next((a.i for a in conv.attribute if a.name == "group"), 1)
    if conv.op_type != "Conv" or conv.input[0] != name or groups != 1:
        return False
    weights = constant(graph, conv.input[1])
    bias = constant(graph, conv.input[2]) if len(conv.input) > 2 else np.zeros(1)
    if weights is None or bias is None or weights.ndim != 4 or weights.shape[1] != 3:
        return False
    moved = np.einsum("ochw,c->o", weights.astype(np.float64), shift)
    set_constant(graph, conv, 2, (bias + moved).astype(np.float32))
    return True


def _put_back(
    graph: GraphProto, cast: NodeProto, affine: Affine, names: tuple[str, str], is_nchw: bool
) -> None:
    """The arithmetic, behind the Cast; `names`: what was read after it, and what it begins with now."""
    last, first = names
    parts, given = affine.nodes(first, TensorProto.FLOAT, is_nchw)
    nodes = [part for part in parts if isinstance(part, NodeProto)]
    graph.initializer.extend(part for part in parts if isinstance(part, TensorProto))
    for node in graph.node:
        for i, read in enumerate(node.input):
            if read == last:
                node.input[i] = given
    place = next(i for i, node in enumerate(graph.node) if node.output == cast.output)
    for node in reversed(nodes):
        graph.node.insert(place + 1, node)
