"""TensorFlow.js graph → ONNX: one small function per operation, plain onnx and numpy.

TensorFlow's convolutions are NHWC, ONNX's are NCHW: each is written between two transposes, and ONNX
Runtime's basic optimisation then cancels them against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.importing.tfjs import Graph, Node

OPSET = 17
IR_VERSION = 8
TO_NCHW = [0, 3, 1, 2]
TO_NHWC = [0, 2, 3, 1]


class ImportFailed(Exception):  # noqa: N818
    """What can't be converted, in one line."""


@dataclass
class Writer:
    """The ONNX graph so far. `constants`: tensors whose values are known already."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def add(self, op: str, inputs: list[str], outputs: list[str] | str, **attributes: Any) -> str:  # noqa: ANN401
        names = [outputs] if isinstance(outputs, str) else outputs
        for name in inputs:
            if name in self.constants and name not in self.initializers:
                self.initializers[name] = numpy_helper.from_array(self.constants[name], name)
        self.nodes.append(helper.make_node(op, inputs, names, name=names[0], **attributes))
        return names[0]

    def constant(self, name: str, values: Any) -> str:  # noqa: ANN401 - anything array-like
        self.constants[name] = np.asarray(values)
        return name

    def value(self, name: str) -> NDArray[Any]:
        if name not in self.constants:
            raise ImportFailed(f"{name}: expected a constant, it depends on the input")
        return self.constants[name]


def _around(writer: Writer, node: Node, op: str, extra: list[str], **attributes: Any) -> None:  # noqa: ANN401
    """An NCHW operation in an NHWC graph."""
    before = writer.add("Transpose", [node.inputs[0]], f"{node.name}/nchw", perm=TO_NCHW)
    middle = writer.add(op, [before, *extra], f"{node.name}/{op}", **attributes)
    writer.add("Transpose", [middle], node.name, perm=TO_NHWC)


def _conv(writer: Writer, node: Node) -> None:
    _expect(node, node.text("padding") == "VALID" and node.text("data_format") == "NHWC", "VALID NHWC")
    weights = writer.value(node.inputs[1])
    name = writer.constant(f"{node.name}/weights", np.ascontiguousarray(weights.transpose(3, 2, 0, 1)))
    strides, dilations = node.ints("strides")[1:3], node.ints("dilations")[1:3]
    _around(writer, node, "Conv", [name], strides=strides, dilations=dilations)


def _max_pool(writer: Writer, node: Node) -> None:
    _expect(node, node.text("padding") == "VALID", "VALID padding")
    kernel, strides = node.ints("ksize")[1:3], node.ints("strides")[1:3]
    _around(writer, node, "MaxPool", [], kernel_shape=kernel, strides=strides)


def _resize_bilinear(writer: Writer, node: Node) -> None:
    _expect(node, node.attributes["half_pixel_centers"]["b"], "half-pixel centres")
    height, width = writer.value(node.inputs[1]).tolist()
    # The batch and channel counts are known only after shape inference: resized by scale 1 there.
    sizes = writer.constant(f"{node.name}/sizes", np.array([height, width], np.int64))
    before = writer.add("Transpose", [node.inputs[0]], f"{node.name}/nchw", perm=TO_NCHW)
    shape = writer.add("Shape", [before], f"{node.name}/shape", end=2)
    target = writer.add("Concat", [shape, sizes], f"{node.name}/target", axis=0)
    resized = writer.add(
        "Resize",
        [before, "", "", target],
        f"{node.name}/Resize",
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    writer.add("Transpose", [resized], node.name, perm=TO_NHWC)


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


def _same(op: str) -> Callable[[Writer, Node], None]:
    """Operations that mean the same in both worlds."""

    def convert(writer: Writer, node: Node) -> None:
        attributes = {"alpha": node.attributes["alpha"]["f"]} if "alpha" in node.attributes else {}
        writer.add(op, list(node.inputs), node.name, **attributes)

    return convert


CONVERTERS: dict[str, Callable[[Writer, Node], None]] = {
    "Add": _add,
    "AddV2": _add,
    "ConcatV2": _concat,
    "Conv2D": _conv,
    "Identity": _same("Identity"),
    "LeakyRelu": _same("LeakyRelu"),
    "MaxPool": _max_pool,
    "Pad": _pad,
    "PadV2": _pad,
    "Reshape": _reshape,
    "ResizeBilinear": _resize_bilinear,
    "Sigmoid": _same("Sigmoid"),
    "SparseToDense": _sparse_to_dense,
    "SplitV": _split,
    "Transpose": _transpose,
}


def _expect(node: Node, holds: bool, what: str) -> None:
    if not holds:
        raise ImportFailed(f"{node.op} {node.name}: only {what} can be converted")


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
