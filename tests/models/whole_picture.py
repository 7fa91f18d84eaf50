"""Small real models that look at the whole picture, as exporters write them, without any metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.frame import Frame
from edge_engine.models.facts import GraphFacts
from edge_engine.models.model import Model
from edge_engine.models.sidecar import Sidecar
from edge_engine.pixels import BgrPixels
from edge_engine.result import Answer
from edge_engine.slots import Canvas
from edge_engine.stages.preprocess import fill

SIDE = 32


def not_looked_at(sidecar: Sidecar) -> GraphFacts:
    raise AssertionError("the metadata says enough")


class Ending(NamedTuple):
    """What comes after a convolution that keeps the grid: nodes from `features` to `output`."""

    nodes: list[Any]
    dtype: int
    shape: list[int]


def ending(name: str, classes: int) -> Ending:
    node, plane = helper.make_node, [SIDE, SIDE]
    pooled = [node("GlobalAveragePool", ["features"], ["pooled"]), node("Flatten", ["pooled"], ["flat"])]
    softmax = node("Softmax", ["flat"], ["scores"], axis=1)
    quantize = node("QuantizeLinear", ["scores", "scale", "zero_point"], ["output"])
    moved = node("Transpose", ["features"], ["output"], perm=[0, 2, 3, 1])
    argmax = node("ArgMax", ["features"], ["numbers"], axis=1, keepdims=0)
    vector, float32 = [1, classes], TensorProto.FLOAT
    return {
        "logits": Ending([*pooled, node("Identity", ["flat"], ["output"])], float32, vector),
        "softmax": Ending([*pooled, softmax, node("Identity", ["scores"], ["output"])], float32, vector),
        "sigmoid": Ending([*pooled, node("Sigmoid", ["flat"], ["output"])], float32, vector),
        "quantized": Ending([*pooled, softmax, quantize], TensorProto.UINT8, vector),
        "planes": Ending([node("Identity", ["features"], ["output"])], float32, [1, classes, *plane]),
        "pixels": Ending([moved], float32, [1, *plane, classes]),
        "map": Ending(
            [argmax, node("Cast", ["numbers"], ["output"], to=TensorProto.UINT8)],
            TensorProto.UINT8,
            [1, *plane],
        ),
        "mask": Ending([node("Sigmoid", ["features"], ["output"])], float32, [1, 1, *plane]),
    }[name]


def whole_picture_model(path: Path, name: str, classes: int, metadata: dict[str, str] | None = None) -> Path:
    """Writes a convolution with random weights and the named ending; its input is float NCHW."""
    rng = np.random.default_rng(5)
    end = ending(name, classes)
    channels = 1 if name == "mask" else classes
    weights = {
        "weights": rng.normal(size=(channels, 3, 3, 3)).astype(np.float32),
        "scale": np.float32(1 / 256),
        "zero_point": np.uint8(0),
    }
    used = {text for node in end.nodes for text in node.input} | {"weights"}
    graph = helper.make_graph(
        [helper.make_node("Conv", ["images", "weights"], ["features"], pads=[1] * 4), *end.nodes],
        "whole",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output", end.dtype, end.shape)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items() if k in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def answer_of(model: Model, image: NDArray[np.uint8]) -> tuple[Answer, NDArray[np.uint8]]:
    """The answer for a BGR picture over the picture, and the model's input."""
    spec = model.spec
    frame = Frame("s", 0, 0, 0, (image.shape[1], image.shape[0]), BgrPixels(image))
    canvas = Canvas(model.new_input())
    fill(canvas, frame, spec.input)
    outputs = model.new_outputs()
    model.run(model.bind(canvas.tensor, outputs))
    answer = model.decoder(outputs, spec.score_threshold, spec.iou_threshold)
    return answer.to_source(spec.input.lay(frame.size)), canvas.tensor


def facts(
    outputs: dict[str, tuple[int, ...]],
    size: tuple[int, int] = (640, 640),
    **more: Any,  # noqa: ANN401
) -> GraphFacts:
    terms: dict[str, Any] = {
        "name": "x",
        "input_name": "images",
        "size": size,
        "layout": "NCHW",
        "dtype": "float32",
        "outputs": outputs,
        "output_dtypes": dict.fromkeys(outputs, "float32"),
        "side_inputs": {},
        "operators": {"Conv": 9, "Sigmoid": 9, "Softmax": 1},
    }
    return GraphFacts(**(terms | more))


OTHERS: dict[str, GraphFacts] = {
    "yolov8": facts({"output0": (1, 84, 8400)}, ends_in={"output0": "Concat"}),
    "yolov5": facts({"output0": (1, 25200, 85)}),
    "yolox": facts({"output": (1, 3549, 85)}, (416, 416)),
    "end to end": facts({"output0": (1, 300, 6)}),
    "detr": facts({"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}),
    "instance segmentation": facts({"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}),
    "fastestdet": facts({"output": (1, 85, 22, 22)}, (352, 352)),
    "centernet": facts({"heat": (1, 80, 128, 128), "wh": (1, 2, 128, 128)}, (512, 512)),
    "heatmaps of a hand": facts({"heat": (1, 21, 64, 64)}, (256, 256)),
    "super-resolution": facts({"picture": (1, 3, 256, 256)}, (256, 256)),
    "depth": facts({"depth": (1, 1, 256, 256)}, (256, 256), ends_in={"depth": "Relu"}),
    "a face's descriptor": facts({"embedding": (1, 512)}, (112, 112), ends_in={"embedding": "Gemm"}),
    "movenet": facts({"output_0": (1, 1, 17, 3)}, (192, 192)),
    "nanodet": facts({"scores": (1, 3598, 80), "distances": (1, 3598, 32)}, (416, 416)),
    "with sizes": facts({"out": (1, 1000)}, side_inputs={"orig_target_sizes": (1, 2)}),
}
"""Graphs of other kinds, which no family of the whole picture may claim."""
