"""Convolutions, pools and resizing, TensorFlow's → ONNX's.

TensorFlow's are NHWC, ONNX's are NCHW: each is written between two transposes, and ONNX Runtime's basic
optimisation then cancels them against each other.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from tools.importing.tfjs import Node
from tools.importing.writer import ImportFailed, Writer

TO_NCHW = [0, 3, 1, 2]
TO_NHWC = [0, 2, 3, 1]


def expect(node: Node, holds: bool, what: str) -> None:
    if not holds:
        raise ImportFailed(f"{node.op} {node.name}: only {what} can be converted")


def _around(writer: Writer, node: Node, op: str, extra: list[str], name: str = "", **attributes: Any) -> str:  # noqa: ANN401
    """An NCHW operation in an NHWC graph."""
    before = writer.add("Transpose", [node.inputs[0]], f"{node.name}/nchw", perm=TO_NCHW)
    middle = writer.add(op, [before, *extra], f"{node.name}/{op}", **attributes)
    return writer.add("Transpose", [middle], name or node.name, perm=TO_NHWC)


def convolution(writer: Writer, node: Node) -> None:
    """Plain or of each channel, and with what may be fused into it: a bias, then an activation."""
    expect(node, node.text("data_format") == "NHWC", "NHWC")
    weights = writer.value(node.inputs[1])
    height, width, channels, each = weights.shape
    laid, group = weights.transpose(3, 2, 0, 1), 1
    if "Depthwise" in node.op:
        laid, group = weights.transpose(2, 3, 0, 1).reshape(channels * each, 1, height, width), channels
    extra = [writer.constant(f"{node.name}/weights", np.ascontiguousarray(laid))]
    fused = [
        base64.b64decode(op).decode()
        for op in node.attributes.get("fused_ops", {}).get("list", {}).get("s", ())
    ]
    if fused:
        expect(node, fused[0] == "BiasAdd" and len(fused) <= 2, "BiasAdd and an activation, fused,")
        extra.append(node.inputs[2])
    name = f"{node.name}/linear" if len(fused) == 2 else node.name
    made = _around(
        writer,
        node,
        "Conv",
        extra,
        name,
        strides=node.ints("strides")[1:3],
        dilations=node.ints("dilations")[1:3],
        **({"group": group} if group > 1 else {}),
        **_padding(node),
    )
    if len(fused) == 2:
        activate(writer, fused[1], made, node.name)


def _padding(node: Node) -> dict[str, str]:
    """None, or what divides the size by the stride, the odd one at the end."""
    expect(node, node.text("padding") in ("VALID", "SAME"), "VALID or SAME padding")
    return {"auto_pad": "SAME_UPPER"} if node.text("padding") == "SAME" else {}


def activate(writer: Writer, kind: str, start: str, name: str) -> None:
    if kind == "Relu6":
        for limit, value in (("zero", 0.0), ("six", 6.0)):
            writer.constant(limit, np.float32(value))
        writer.add("Clip", [start, "zero", "six"], name)
    elif kind == "Relu":
        writer.add("Relu", [start], name)
    else:
        raise ImportFailed(f"{name}: no converter for the activation {kind}")


def transposed_convolution(writer: Writer, node: Node) -> None:
    """Inputs: the output's shape, the weights [height, width, out, in], the picture."""
    _, weights, picture = node.inputs
    height, width = writer.value(weights).shape[:2]
    strides = node.ints("strides")[1:3]
    expect(node, strides == [height, width], "strides as large as the filter")
    name = writer.constant(
        f"{node.name}/weights", np.ascontiguousarray(writer.value(weights).transpose(3, 2, 0, 1))
    )
    moved = Node(node.name, node.op, (picture,), node.attributes)
    _around(writer, moved, "ConvTranspose", [name], kernel_shape=[height, width], strides=strides)


def max_pool(writer: Writer, node: Node) -> None:
    _pool(writer, node, "MaxPool")


def average_pool(writer: Writer, node: Node) -> None:
    expect(node, node.text("padding") == "VALID", "VALID padding")
    _pool(writer, node, "AveragePool")


def _pool(writer: Writer, node: Node, op: str) -> None:
    kernel, strides = node.ints("ksize")[1:3], node.ints("strides")[1:3]
    _around(writer, node, op, [], kernel_shape=kernel, strides=strides, **_padding(node))


def resize_bilinear(writer: Writer, node: Node) -> None:
    is_aligned, is_half = (node.attributes[key]["b"] for key in ("align_corners", "half_pixel_centers"))
    mode = "align_corners" if is_aligned else "half_pixel" if is_half else "asymmetric"
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
        coordinate_transformation_mode=mode,
    )
    writer.add("Transpose", [resized], node.name, perm=TO_NHWC)
