"""Small real detectors as exporters write them, with everything that repair puts right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edge_engine.models.spec import METADATA_KEY, InputSpec, ModelSpec

LABELS = ("person", "car", "bicycle")
SIZE = 64
ANCHORS = SIZE * SIZE // 64
MEAN, STD = (103.5, 116.25, 123.75), (57.5, 57.0, 58.5)


def exported(
    path: Path,
    *,
    opset: int = 17,
    layout: str = "NCHW",
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
    std: tuple[float, float, float] = (255.0, 255.0, 255.0),
    first: list[tuple[str, NDArray[np.float32]]] = [],  # noqa: B006 - only read
    padding: int = 1,
    weights_as_inputs: bool = False,
    dynamic: bool = False,
    dead_output: bool = False,
) -> Path:
    """Writes a yolov8-like model: a convolution of stride 8, then one row per quantity.

    `first` are nodes with constants that come before the convolution.
    """
    rng = np.random.default_rng(11)
    rows = 4 + len(LABELS)
    weights = {
        "weights": rng.normal(size=(rows, 3, 8 + 2 * padding, 8 + 2 * padding)) / 100,
        "bias": rng.normal(size=rows),
        "half": np.float32(0.5),
        "two": np.float32(2),
    }
    nodes: list[NodeProto] = []
    name = "images"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [name], ["turned"], perm=[0, 3, 1, 2]))
        name = "turned"
    for i, (operation, value) in enumerate(first):
        weights[f"constant_{i}"] = value
        nodes.append(helper.make_node(operation, [name, f"constant_{i}"], [f"first_{i}"]))
        name = f"first_{i}"
    pads, shape = [padding] * 4, np.array([1, rows, ANCHORS])
    nodes += [
        helper.make_node("Conv", [name, "weights", "bias"], ["features"], strides=[8, 8], pads=pads),
        helper.make_node("Mul", ["half", "two"], ["one"]),  # a constant, computed anew at each run
        helper.make_node("Mul", ["features", "one"], ["same"]),
        helper.make_node("Reshape", ["same", "shape"], ["output0"]),
        helper.make_node("Tanh", ["features"], ["features_seen"]),
    ]
    dimensions: list[Any] = [1, 3, SIZE, SIZE] if layout == "NCHW" else [1, SIZE, SIZE, 3]
    if dynamic:
        dimensions = ["batch" if d == 1 else "height" if d == SIZE else d for d in dimensions]
    outputs = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, rows, ANCHORS])]
    if dead_output:
        seen = [1, rows, SIZE // 8, SIZE // 8]
        outputs.append(helper.make_tensor_value_info("features_seen", TensorProto.FLOAT, seen))
    tensors = [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in weights.items()]
    tensors.append(numpy_helper.from_array(shape, "shape"))
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, dimensions)]
    if weights_as_inputs:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors]
    graph = helper.make_graph(nodes, "detector", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    picture = InputSpec(SIZE, SIZE, layout, "float32", "RGB", "centre", mean, std)  # type: ignore[arg-type]
    return save(model, path, ModelSpec("tiny", "detection", "yolov8", picture, LABELS, 0.25, 0.7))


def save(model: ModelProto, path: Path, spec: ModelSpec) -> Path:
    helper.set_model_props(model, {METADATA_KEY: msgspec.json.encode(spec).decode()})
    onnx.save(model, path)
    return path
