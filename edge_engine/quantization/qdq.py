"""QDQ: a float graph with QuantizeLinear and DequantizeLinear around what is to be computed in INT8.

The form that ONNX Runtime and TensorRT turn into integer kernels when they load it (ONNX Runtime's
documentation, "Quantize ONNX models", QDQ format): weights int8 per output channel around zero, activations
8 bits per tensor, biases int32 with the product of both scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from edge_engine.models.constants import constant
from edge_engine.quantization.formats import Format
from edge_engine.quantization.histogram import Range
from edge_engine.quantization.layers import WEIGHTED, Readers

# A bias must fit int32 by far: a channel whose weights are next to nothing gets a coarser scale.
_LARGEST_BIAS = float(1 << 30)


def quantized(
    model: ModelProto, names: Iterable[str], ranges: Mapping[str, Range], to: Format, pixels: str | None
) -> ModelProto:
    """A copy in which the named nodes compute in INT8.

    `ranges`: of every value that they read or give, by its source's name (layers.Readers.source). `pixels`:
    the value that the picture is read as, which is quantized already.
    """
    made = ModelProto()
    made.CopyFrom(model)
    _Writer(made, set(names), ranges, to, pixels).write()
    return made


class _Writer:
    def __init__(
        self, model: ModelProto, names: set[str], ranges: Mapping[str, Range], to: Format, pixels: str | None
    ) -> None:
        self._graph = model.graph
        self._links = Readers.of(model.graph)
        self._ranges = ranges
        self._to = to
        self._pixels = pixels
        self._weights = {tensor.name for tensor in model.graph.initializer}
        self._sources = {name: self._links.source(name) for name in self._links.givers}
        self._chosen = [node for node in model.graph.node if node.name in names]

    def write(self) -> None:
        values = self._values()
        renamed = {value: f"{value}/int8/dequantized" for value in values}
        given_as = {value: value for value in values}
        for value in values:  # an output of the graph keeps its name, so that its giver gets another
            if value in self._links.outputs:
                giver, given = self._links.givers[value], f"{value}/float"
                giver.output[list(giver.output).index(value)] = given
                given_as[given] = given_as.pop(value)
                renamed[value] = value
        nodes: list[NodeProto] = []
        for node in list(self._graph.node):
            before = self._quantize_constants(node) if node in self._chosen else []
            for i, name in enumerate(node.input):
                node.input[i] = renamed.get(name, name)
            nodes += [*before, node]
            for given in node.output:
                if given in given_as:
                    nodes += self._around(given_as[given], given, renamed[given_as[given]])
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        del self._graph.value_info[:]
        _drop_unread_weights(self._graph)

    def _values(self) -> dict[str, None]:
        """That are quantized, in the graph's order."""
        found: dict[str, None] = {}
        for node in self._chosen:
            reads = node.input[:1] if node.op_type in WEIGHTED else self._computed(node)
            for name in reads:
                if name in self._links.givers and name != self._pixels:
                    found[name] = None
            # A matrix product gives floats from integers by itself, a convolution doesn't.
            if self._to.has_outputs and node.op_type not in ("MatMul", "Gemm"):
                found[self._links.rectified(node)] = None
        return found

    @staticmethod
    def _computed(node: NodeProto) -> list[str]:
        is_joining = node.op_type in ("Concat", "Add", "Mul")
        return list(node.input) if is_joining else list(node.input[:1])

    def _scale_and_zero(self, value: str) -> tuple[np.float32, np.int8 | np.uint8]:
        source = self._sources.get(value, value)
        if source == self._pixels:
            scale, zero = (self._constant(self._links.givers[source].input[i]) for i in (1, 2))
            return np.float32(scale), np.uint8(zero)
        return self._to.scale_and_zero(self._ranges[source])

    def _around(self, value: str, given: str, dequantized: str) -> list[NodeProto]:
        scale, zero = self._scale_and_zero(value)
        constants = [
            self._add(f"{value}/int8/scale", np.asarray(scale)),
            self._add(f"{value}/int8/zero", np.asarray(zero)),
        ]
        held = f"{value}/int8/quantized"
        return [
            helper.make_node("QuantizeLinear", [given, *constants], [held], name=f"{value}/int8/q"),
            helper.make_node("DequantizeLinear", [held, *constants], [dequantized], name=f"{value}/int8/dq"),
        ]

    def _quantize_constants(self, node: NodeProto) -> list[NodeProto]:
        """The node's weights and bias, or the constant that it adds or multiplies by."""
        if node.op_type not in WEIGHTED:
            return [
                self._whole_constant(node, i) for i, n in enumerate(node.input) if self._is_number(node, n)
            ]
        axis = self._channel_axis(node)
        weights = self._constant(node.input[1])
        bias = self._constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        read, _ = self._scale_and_zero(node.input[0])
        scales = self._channel_scales(weights, axis, bias, float(read))
        rounded = np.rint(weights / _along(scales, axis, weights.ndim))
        stored = np.clip(rounded, -self._to.weight_limit, self._to.weight_limit).astype(np.int8)
        nodes = [self._dequantized(node, 1, stored, scales, axis)]
        if bias is not None and self._to.has_int_bias:
            steps = np.rint(bias / (scales.astype(np.float64) * read)).astype(np.int32)
            nodes.append(self._dequantized(node, 2, steps, (scales * read).astype(np.float32), 0))
        return nodes

    def _channel_scales(
        self, weights: NDArray[np.float32], axis: int, bias: NDArray[np.float32] | None, read: float
    ) -> NDArray[np.float32]:
        others = tuple(i for i in range(weights.ndim) if i != axis)
        scales = np.abs(weights).max(axis=others) / self._to.weight_limit
        if bias is not None:
            scales = np.maximum(scales, np.abs(bias) / (read * _LARGEST_BIAS))
        return np.where(scales > 0, scales, 1.0).astype(np.float32)

    @staticmethod
    def _channel_axis(node: NodeProto) -> int:
        if node.op_type == "Conv":
            return 0
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1

    def _dequantized(
        self, node: NodeProto, index: int, stored: NDArray[np.generic], scales: NDArray[np.float32], axis: int
    ) -> NodeProto:
        name = f"{node.name}/int8/{('input', 'weights', 'bias')[index]}"
        zero = np.zeros(scales.shape, stored.dtype)
        parts = [
            self._add(f"{name}_{part}", array)
            for part, array in (("int", stored), ("scale", scales), ("zero", zero))
        ]
        node.input[index] = name
        return helper.make_node("DequantizeLinear", parts, [name], name=f"{name}_dq", axis=axis)

    def _is_number(self, node: NodeProto, name: str) -> bool:
        return node.op_type in ("Add", "Mul", "Concat") and name in self._weights

    def _whole_constant(self, node: NodeProto, index: int) -> NodeProto:
        values = self._constant(node.input[index])
        low, high = float(values.min(initial=0)), float(values.max(initial=0))
        scale, zero = self._to.scale_and_zero(Range(low, high))
        limits = np.iinfo(zero.dtype)
        stored = np.clip(np.rint(values / scale) + zero, limits.min, limits.max).astype(zero.dtype)
        name = f"{node.name}/int8/number_{index}"
        parts = (("int", stored), ("scale", np.asarray(scale)), ("zero", np.asarray(zero)))
        inputs = [self._add(f"{name}_{part}", array) for part, array in parts]
        node.input[index] = name
        return helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_dq")

    def _constant(self, name: str) -> NDArray[np.float32]:
        found = constant(self._graph, name)
        assert found is not None
        return np.asarray(found)

    def _add(self, name: str, values: NDArray[np.generic]) -> str:
        self._graph.initializer.append(numpy_helper.from_array(values, name))
        return name


def _along(scales: NDArray[np.float32], axis: int, ndim: int) -> NDArray[np.float32]:
    shape = [1] * ndim
    shape[axis] = len(scales)
    return scales.reshape(shape)


def _drop_unread_weights(graph: GraphProto) -> None:
    read = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
