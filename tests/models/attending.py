"""A detector with queries that attend to the picture, as RT-DETR's scripts export it. Weights are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.models.spec import InputSpec, ModelSpec
from tests.models.exported import save

WIDTH, HEIGHT = 320, 240
LABELS = tuple("abcdef")
CLASSES, QUERIES = len(LABELS), 50
PICTURE = InputSpec(WIDTH, HEIGHT, "NHWC", "uint8", "RGB", "stretch")
SPEC = ModelSpec("tiny", "detection", "detr", PICTURE, LABELS, 0.5, 0.6)


def attending(path: Path, *, is_post_processed: bool) -> Path:
    """One attention over a grid of the picture's colours; the head of an export of RT-DETR."""
    rng = np.random.default_rng(2)
    constants: dict[str, NDArray[Any]] = {
        "patches": rng.normal(size=(16, 3, 16, 16)).astype(np.float32) / 16,
        "tokens": np.array([1, 16, -1]),
        "queries": rng.normal(size=(1, QUERIES, 16)).astype(np.float32) / 4,
        "to_logits": rng.normal(size=(16, CLASSES)).astype(np.float32) / 2,
        "to_boxes": rng.normal(size=(16, 4)).astype(np.float32) / 2,
        "most": np.array([20]),
        "flat": np.array([1, -1]),
        "classes": np.array(CLASSES),
        "half": np.float32([[[0.5, 0.5]]]),
        "middle": np.array([2, 2]),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["images", "patches"], ["grid"], strides=[16, 16]),
        node("Reshape", ["grid", "tokens"], ["keys"]),
        node("MatMul", ["queries", "keys"], ["weights"]),
        node("Softmax", ["weights"], ["attention"], axis=-1),
        node("Transpose", ["keys"], ["values"], perm=[0, 2, 1]),
        node("MatMul", ["attention", "values"], ["seen"]),
        node("MatMul", ["seen", "to_logits"], ["logits"]),
        node("MatMul", ["seen", "to_boxes"], ["box_logits"]),
        node("Sigmoid", ["box_logits"], ["pred_boxes"]),
    ]
    outputs: dict[str, tuple[int, list[int]]] = {
        "logits": (1, [1, QUERIES, CLASSES]),
        "pred_boxes": (1, [1, QUERIES, 4]),
    }
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])]
    if is_post_processed:
        nodes += [
            node("Sigmoid", ["logits"], ["every_score"]),
            node("Reshape", ["every_score", "flat"], ["flat_scores"]),
            node("TopK", ["flat_scores", "most"], ["scores", "places"]),
            node("Mod", ["places", "classes"], ["labels"]),
            node("Div", ["places", "classes"], ["chosen"]),
            node("Split", ["pred_boxes"], ["centres", "sizes"], axis=2, num_outputs=2),
            node("Mul", ["sizes", "half"], ["halves"]),
            node("Sub", ["centres", "halves"], ["corners"]),
            node("Add", ["centres", "halves"], ["far_corners"]),
            node("Concat", ["corners", "far_corners"], ["shares"], axis=2),
            node("Cast", ["orig_target_sizes"], ["size"], to=TensorProto.FLOAT),
            node("Concat", ["size", "size"], ["scale"], axis=1),
            node("Mul", ["shares", "scale"], ["every_box"]),
            node("Squeeze", ["every_box", "nought"], ["list_of_boxes"]),
            node("Gather", ["list_of_boxes", "chosen"], ["boxes"]),
        ]
        constants["nought"] = np.array([0])
        outputs = {"labels": (7, [1, 20]), "boxes": (1, [1, 20, 4]), "scores": (1, [1, 20])}
        inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ["N", 2]))
    graph = helper.make_graph(
        nodes,
        "detr",
        inputs,
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    picture = InputSpec(WIDTH, HEIGHT, "NCHW", "float32", "RGB", "stretch", std=(255.0,) * 3)
    return save(model, path, replace(SPEC, input=picture))
