"""Affine: scale · pixel + shift, gathered from the head of a graph and folded into its first convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from edge_engine.models.constants import constant, set_constant

Values = NDArray[np.float64]
_ARITHMETIC = {"Mul", "Div", "Add", "Sub"}


@dataclass(frozen=True)
class Affine:
    """Float64 [3] each."""

    scale: Values
    shift: Values

    @classmethod
    def normalising(cls, mean: Sequence[float], std: Sequence[float]) -> Affine:
        """(pixel - mean) / std."""
        scale = 1 / np.array(std, np.float64)
        return cls(scale, -np.array(mean, np.float64) * scale)

    @property
    def is_identity(self) -> bool:
        return bool((self.scale == 1).all() and (self.shift == 0).all())

    def then(self, operation: str, value: Values) -> Affine:
        """Followed by one of Mul, Div, Add, Sub with a constant."""
        if operation in ("Mul", "Div"):
            factor = value if operation == "Mul" else 1 / value
            return Affine(self.scale * factor, self.shift * factor)
        return Affine(self.scale, self.shift + (value if operation == "Add" else -value))

    def nodes(self, name: str, kind: int, is_nchw: bool) -> tuple[list[NodeProto | TensorProto], str]:
        """It as nodes of a graph with their constants, and the name of what they give."""
        parts: list[NodeProto | TensorProto] = []
        shape = (1, 3, 1, 1) if is_nchw else (1, 1, 1, 3)
        for operation, values, neutral in (("Mul", self.scale, 1), ("Add", self.shift, 0)):
            if (values == neutral).all():
                continue
            dtype = helper.tensor_dtype_to_np_dtype(kind)
            factor, given = f"{name}_{operation.lower()}", f"{name}_{operation.lower()}ed"
            parts.append(numpy_helper.from_array(values.reshape(shape).astype(dtype), factor))
            parts.append(helper.make_node(operation, [name, factor], [given]))
            name = given
        return parts, name


def absorb(graph: GraphProto, name: str, affine: Affine, is_nchw: bool) -> tuple[Affine, int, str]:
    """Removes the arithmetic with constants that follows the input `name`.

    Returns it on top of `affine`, how many nodes went, and the name that is read after them.
    """
    absorbed = 0
    while True:
        (reader, *others) = [node for node in graph.node if name in node.input] or [None]
        if reader is None or others or reader.op_type not in _ARITHMETIC:
            return affine, absorbed, name
        if name != reader.input[0] and reader.op_type in ("Div", "Sub"):  # constant / pixel
            return affine, absorbed, name
        other = reader.input[1] if name == reader.input[0] else reader.input[0]
        value = _per_channel(constant(graph, other), is_nchw)
        if value is None or any(output.name == reader.output[0] for output in graph.output):
            return affine, absorbed, name
        affine = affine.then(reader.op_type, value)
        name = reader.output[0]
        graph.node.remove(reader)
        absorbed += 1


def fold_into_convolution(graph: GraphProto, name: str, affine: Affine) -> Affine:
    """Into the weights of the one convolution that reads `name`; returns what has to stay before it.

    A shift reaches the padding too, which stays zero: where there is padding, it stays a step of its own.
    """
    (conv, *others) = [node for node in graph.node if name in node.input] or [None]
    if conv is None or others or conv.op_type != "Conv" or conv.input[0] != name:
        return affine
    weights = constant(graph, conv.input[1])
    bias = constant(graph, conv.input[2]) if len(conv.input) > 2 else None
    groups = next((a.i for a in conv.attribute if a.name == "group"), 1)
    if weights is None or groups != 1 or (len(conv.input) > 2 and bias is None):
        return affine
    kind, wide = weights.dtype, weights.astype(np.float64)
    scaled = wide * affine.scale.reshape(1, 3, *[1] * (wide.ndim - 2))
    set_constant(graph, conv, 1, scaled.astype(kind))
    if _is_padded(conv) or not affine.shift.any():
        return Affine(np.ones(3), affine.shift / affine.scale)
    moved = (wide * affine.shift.reshape(1, 3, *[1] * (wide.ndim - 2))).sum(axis=tuple(range(1, wide.ndim)))
    set_constant(graph, conv, 2, (moved if bias is None else bias + moved).astype(kind))
    return Affine(np.ones(3), np.zeros(3))


def _is_padded(conv: NodeProto) -> bool:
    for attribute in conv.attribute:
        if attribute.name == "auto_pad" and attribute.s not in (b"NOTSET", b"VALID"):
            return True
        if attribute.name == "pads" and any(attribute.ints):
            return True
    return False


def _per_channel(values: NDArray[np.generic] | None, is_nchw: bool) -> Values | None:
    """Float64 [3], of a constant that is one number or one per channel."""
    if values is None:
        return None
    if values.size == 1:
        return np.full(3, values.astype(np.float64).reshape(()))
    axis = -3 if is_nchw else -1
    is_per_channel = values.size == 3 and values.ndim >= -axis and values.shape[axis] == 3
    return values.astype(np.float64).reshape(3) if is_per_channel else None
