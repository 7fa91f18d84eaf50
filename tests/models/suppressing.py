"""A detector that suppresses within its graph: its outputs have a row for each object, however many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.exported import save

LABELS = ("even", "odd")
SIDE = 64
_ACROSS = 4
_CELL = SIDE // _ACROSS


def suppressing(path: Path) -> Path:
    """Writes a model that finds the bright ones of a picture's 4 x 4 cells.

    Outputs: labels int64 [n], boxes xyxy [n, 4] in pixels, scores [n], and each cell's mean [1, 16].
    """
    top, left = (side.ravel() * _CELL for side in np.mgrid[:_ACROSS, :_ACROSS])
    boxes = np.stack([left, top, left + _CELL, top + _CELL], axis=1).astype(np.float32)
    constants: dict[str, NDArray[Any]] = {
        "boxes_xyxy": boxes,
        "boxes_yxyx": boxes[None][..., [1, 0, 3, 2]],
        "most": np.array([_ACROSS**2]),
        "iou": np.array([0.5], np.float32),
        "score": np.array([0.4], np.float32),
        "per_class": np.array([1, 1, _ACROSS**2]),
        "flat": np.array([1, _ACROSS**2]),
        "all": np.array([_ACROSS**2]),
        "two": np.array(2),
        "column": np.array(2),
        "grey": np.full((1, 3, 1, 1), 1 / 3, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["images", "grey"], ["brightness"]),
        node("AveragePool", ["brightness"], ["cells"], kernel_shape=[_CELL] * 2, strides=[_CELL] * 2),
        node("Reshape", ["cells", "per_class"], ["class_scores"]),
        node("Reshape", ["cells", "flat"], ["means"]),
        node("NonMaxSuppression", ["boxes_yxyx", "class_scores", "most", "iou", "score"], ["chosen"]),
        node("Gather", ["chosen", "column"], ["places"], axis=1),
        node("Mod", ["places", "two"], ["labels"]),
        node("Gather", ["boxes_xyxy", "places"], ["boxes"]),
        node("Reshape", ["cells", "all"], ["cell_scores"]),
        node("Gather", ["cell_scores", "places"], ["scores"]),
    ]
    kinds = {"labels": TensorProto.INT64}
    shapes: dict[str, list[Any]] = {"labels": ["n"], "boxes": ["n", 4], "scores": ["n"], "means": [1, 16]}
    graph = helper.make_graph(
        nodes,
        "suppressing",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(n, kinds.get(n, TensorProto.FLOAT), s) for n, s in shapes.items()],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    picture = InputSpec(SIDE, SIDE, "NCHW", "float32", "RGB", "stretch", std=(255.0,) * 3)
    options = {"box_order": "xyxy", "is_normalised": False, "first_class": 0}
    spec = ModelSpec("cells", "detection", "graph_nms", picture, LABELS, 0.4, 0.5, options=options)
    return save(model, path, spec)


class Cells:
    """What that model says, decoded apart from the families."""

    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        assert list(output_shapes) == ["labels", "boxes", "scores", "means"]

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        labels, boxes, scores, _ = outputs
        order = np.argsort(-scores, kind="stable")
        return Objects(boxes[order], scores[order], labels[order].astype(np.int32))
