"""TensorFlow.js graph → ONNX: one small function per operation, plain onnx and numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from tools.importing.tfjs import Graph, Node
from tools.importing.tfjs_layers import (
    activate,
    average_pool,
    convolution,
    max_pool,
    resize_bilinear,
    transposed_convolution,
)
from tools.importing.writer import IR_VERSION, OPSET, ImportFailed, Writer

_TYPES = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT32, "DT_INT64": TensorProto.INT64}


def _pad(writer: Writer, node: Node) -> None:
    pads = writer.constant(f"{node.name}/pads", writer.value(node.inputs[1]).T.reshape(-1).astype(np.int64))
    writer.add("Pad", [node.inputs[0], pads, *node.inputs[2:]], node.name)


def _transpose(writer: Writer, node: Node) -> None:
    writer.add("Transpose", [node.inputs[0]], node.name, perm=writer.value(node.inputs[1]).tolist())


def _concat(writer: Writer, node: Node) -> None:
    writer.add("Concat", list(node.inputs[:-1]), node.name, axis=int(writer.value(node.inputs[-1])))


def _split(writer: Writer, node: Node) -> None:
    lengths = writer.constant(f"{node.name}/lengths", writer.value(node.inputs[1]).astype(np.int64))
    outputs = [node.name] + [f"{node.name}:{i}" for i in range(1, len(writer.value(lengths)))]
    writer.add("Split", [node.inputs[0], lengths], outputs, axis=int(writer.value(node.inputs[2])))


def _reshape(writer: Writer, node: Node) -> None:
    shape = writer.constant(f"{node.name}/shape", writer.value(node.inputs[1]).astype(np.int64))
    writer.add("Reshape", [node.inputs[0], shape], node.name)


def _add(writer: Writer, node: Node) -> None:
    if all(name in writer.constants for name in node.inputs):
        writer.constant(node.name, np.add(*(writer.value(name) for name in node.inputs)))
    else:
        writer.add("Add", list(node.inputs), node.name)


def _sparse_to_dense(writer: Writer, node: Node) -> None:
    indices, shape, values, default = (writer.value(name) for name in node.inputs)
    dense = np.full(shape, default)
    dense[tuple(indices.T)] = values
    writer.constant(node.name, dense)


def _squared_difference(writer: Writer, node: Node) -> None:
    difference = writer.add("Sub", list(node.inputs), f"{node.name}/difference")
    writer.add("Mul", [difference, difference], node.name)


def _cast(writer: Writer, node: Node) -> None:
    writer.add("Cast", [node.inputs[0]], node.name, to=_TYPES[node.attributes["DstT"]["type"]])


def _axes(writer: Writer, node: Node, axes: list[int]) -> str:
    return writer.constant(f"{node.name}/axes", np.array(axes, np.int64))


def _expand_dims(writer: Writer, node: Node) -> None:
    axes = _axes(writer, node, [int(writer.value(node.inputs[1]))])
    writer.add("Unsqueeze", [node.inputs[0], axes], node.name)


def _squeeze(writer: Writer, node: Node) -> None:
    writer.add("Squeeze", [node.inputs[0], _axes(writer, node, node.ints("squeeze_dims"))], node.name)


def _pack(writer: Writer, node: Node) -> None:
    axis = int(node.attributes["axis"]["i"])
    axes = _axes(writer, node, [axis])
    parts = [writer.add("Unsqueeze", [name, axes], f"{node.name}/{i}") for i, name in enumerate(node.inputs)]
    writer.add("Concat", parts, node.name, axis=axis)


def _unpack(writer: Writer, node: Node) -> None:
    count, axis = (int(node.attributes[name]["i"]) for name in ("num", "axis"))
    names = [node.name] + [f"{node.name}:{i}" for i in range(1, count)]
    parts = [f"{name}/part" for name in names]
    lengths = writer.constant(f"{node.name}/lengths", np.ones(count, np.int64))
    writer.add("Split", [node.inputs[0], lengths], parts, axis=axis)
    for part, name in zip(parts, names, strict=True):
        writer.add("Squeeze", [part, _axes(writer, node, [axis])], name)


def _arg_max(writer: Writer, node: Node) -> None:
    axis = int(writer.value(node.inputs[1]))
    found = writer.add("ArgMax", [node.inputs[0]], f"{node.name}/index", axis=axis, keepdims=0)
    writer.add("Cast", [found], node.name, to=_TYPES[node.attributes["output_type"]["type"]])


def _gather_nd(writer: Writer, node: Node) -> None:
    indices = writer.add("Cast", [node.inputs[1]], f"{node.name}/indices", to=TensorProto.INT64)
    writer.add("GatherND", [node.inputs[0], indices], node.name)


def _activation(writer: Writer, node: Node) -> None:
    activate(writer, node.op, node.inputs[0], node.name)


def _same(op: str) -> Callable[[Writer, Node], None]:
    """Operations that mean the same in both worlds."""

    def convert(writer: Writer, node: Node) -> None:
        attributes = {"alpha": node.attributes["alpha"]["f"]} if "alpha" in node.attributes else {}
        writer.add(op, list(node.inputs), node.name, **attributes)

    return convert


CONVERTERS: dict[str, Callable[[Writer, Node], None]] = {
    "Add": _add,
    "AddN": _same("Sum"),
    "AddV2": _add,
    "ArgMax": _arg_max,
    "AvgPool": average_pool,
    "Cast": _cast,
    "ConcatV2": _concat,
    "Conv2D": convolution,
    "Conv2DBackpropInput": transposed_convolution,
    "DepthwiseConv2dNative": convolution,
    "ExpandDims": _expand_dims,
    "FloorDiv": _same("Div"),  # of whole numbers that are not negative
    "FusedDepthwiseConv2dNative": convolution,
    "GatherNd": _gather_nd,
    "Identity": _same("Identity"),
    "LeakyRelu": _same("LeakyRelu"),
    "MaxPool": max_pool,
    "Mul": _same("Mul"),
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "RealDiv": _same("Div"),
    "Relu": _activation,
    "Relu6": _activation,
    "Reshape": _reshape,
    "ResizeBilinear": resize_bilinear,
    "Sigmoid": _same("Sigmoid"),
    "SparseToDense": _sparse_to_dense,
    "SplitV": _split,
    "Sqrt": _same("Sqrt"),
    "SquaredDifference": _squared_difference,
    "Squeeze": _squeeze,
    "Sub": _same("Sub"),
    "Transpose": _transpose,
    "Unpack": _unpack,
    "_FusedConv2D": convolution,
}


def convert(graph: Graph, outputs: dict[str, str]) -> onnx.ModelProto:
    """The graph as ONNX. `outputs`: the graph's output names → the names that the ONNX file gets."""
    writer = Writer()
    writer.constants.update(graph.weights)
    inputs = []
    for node in graph.nodes:
        if node.op == "Placeholder":
            shape = [int(d["size"]) for d in node.attributes["shape"]["shape"]["dim"]]
            inputs.append(helper.make_tensor_value_info(node.name, TensorProto.FLOAT, shape))
        elif node.op in CONVERTERS:
            CONVERTERS[node.op](writer, node)
        elif node.op != "Const":
            raise ImportFailed(f"{node.op} {node.name}: no converter for this operation")
    for name, new_name in outputs.items():
        writer.add("Identity", [name], new_name)
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.values()]
    onnx_graph = helper.make_graph(writer.nodes, "main", inputs, infos, list(writer.initializers.values()))
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    model.producer_name = "edge_engine"
    return model
