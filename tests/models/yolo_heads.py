"""Made outputs of YOLO's heads, and small graphs with random weights that give such outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.reference.yolo_head import as_output

FORMS = ("columns", "objectness", "end-to-end")
WIDTH, HEIGHT = SIZE = (96, 64)
CELLS = 12 * 8 + 6 * 4 + 3 * 2
ANCHORS = {"columns": CELLS, "objectness": 3 * CELLS, "end-to-end": 100}


def made_head(form: str, classes: int, extras: int, seed: int) -> NDArray[np.float32]:
    """Boxes that overlap, some of them scored high, and extras of -4..4."""
    rng = np.random.default_rng(seed)
    n = ANCHORS[form]
    boxes = rng.uniform(8, 56, (n // 6 + 1, 4)).repeat(6, axis=0)[:n] * rng.uniform(0.9, 1.1, (n, 4))
    scores = rng.random((n, classes)) ** 3
    more = rng.integers(-16, 17, (n, extras)) / 4  # whose products are exact in float32
    return as_output(form, *(array.astype(np.float32) for array in (boxes, scores, more)))


def graph(
    path: Path, classes: int, extras: int, metadata: dict[str, str], *, has_prototypes: bool, seed: int = 3
) -> Path:
    """Writes a model with Ultralytics' names, layout and metadata: a convolution of stride 8 gives a row per
    quantity, for its own cells only, and one of stride 4 the prototypes."""
    rng = np.random.default_rng(seed)
    rows, cells = 4 + classes + extras, WIDTH * HEIGHT // 64
    constants = {
        "weights": rng.normal(size=(rows, 3, 8, 8)) / 4,
        "scale": [*[40.0] * 4, *[1.0] * classes, *[8.0] * extras],
        "offset": [*[20.0] * 4, *[0.0] * classes, *[-4.0] * extras],
        "proto_weights": rng.normal(size=(extras, 3, 4, 4)) / 4,
    }
    tensors = [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in constants.items()]
    for i in (1, 2):
        tensors[i].dims[:] = [1, rows, 1]
    tensors.append(numpy_helper.from_array(np.array([1, rows, cells]), "shape"))
    nodes: list[NodeProto] = [
        helper.make_node("Conv", ["images", "weights"], ["features"], strides=[8, 8]),
        helper.make_node("Reshape", ["features", "shape"], ["rows"]),
        helper.make_node("Sigmoid", ["rows"], ["shares"]),
        helper.make_node("Mul", ["shares", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["output0"]),
    ]
    outputs = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, rows, cells])]
    if has_prototypes:
        nodes.append(helper.make_node("Conv", ["images", "proto_weights"], ["output1"], strides=[4, 4]))
        grid = [1, extras, HEIGHT // 4, WIDTH // 4]
        outputs.append(helper.make_tensor_value_info("output1", TensorProto.FLOAT, grid))
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    made = helper.make_graph(nodes, "yolo", [picture], outputs, tensors)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"imgsz": f"[{HEIGHT}, {WIDTH}]", "stride": "32", **metadata})
    onnx.save(model, path)
    return path
