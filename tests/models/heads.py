"""Heads of detectors as their exporters write them, small and with random weights: no metadata, 64 x 64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edge_engine.models.facts import GraphFacts
from edge_engine.models.model import Model

SIZE = 64
CLASSES = 4
STRIDES = (8, 16, 32)


class Sketch:
    """A graph that is drawn node by node; each node's output is named after its number."""

    def __init__(self, unit: float = 1) -> None:
        """`unit`: what a white pixel is in the graph's input."""
        self._unit = unit
        self._nodes: list[NodeProto] = []
        self._tensors: list[TensorProto] = []
        self._rng = np.random.default_rng(5)

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self._tensors)}"
        self._tensors.append(numpy_helper.from_array(value, name))
        return name

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:  # noqa: ANN401
        names = [f"value_{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def one(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        return self.add(operator, *inputs, **attributes)[0]

    def reshape(self, name: str, *shape: int) -> str:
        return self.one("Reshape", name, self.constant(np.array(shape, np.int64)))

    def columns(self, name: str, first: int, end: int) -> str:
        """Some of the last of three dimensions."""
        limits = [self.constant(np.array([limit], np.int64)) for limit in (first, end, 2)]
        return self.one("Slice", name, *limits)

    def conv(self, channels: int, stride: int) -> str:
        """Of the picture, one output for each cell."""
        weights = self._rng.normal(size=(channels, 3, stride, stride)) / stride / self._unit
        bias = self._rng.normal(size=channels)
        constants = [self.constant(np.asarray(v, np.float32)) for v in (weights, bias)]
        return self.one("Conv", "images", *constants, strides=[stride, stride])

    def save(
        self, path: Path, outputs: Mapping[str, Sequence[Any]], metadata: Mapping[str, str] | None = None
    ) -> Path:
        def value(name: str, shape: Sequence[Any]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self._nodes,
            "head",
            [value("images", [1, 3, SIZE, SIZE])],
            [value(name, shape) for name, shape in outputs.items()],
            self._tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, dict(metadata or {}))
        onnx.save(model, path)
        return path


def yolov5(path: Path, metadata: Mapping[str, str] | None = None, *, with_maps: bool = False) -> Path:
    """[1, 252, 5 + classes], and the raw maps beside it that older exports have."""
    sketch, width = Sketch(), 5 + CLASSES
    rows, outputs = [], {}
    for stride in STRIDES:
        side = SIZE // stride
        raw = sketch.reshape(sketch.conv(3 * width, stride), 1, 3, width, side, side)
        raw = sketch.one("Transpose", raw, perm=[0, 1, 3, 4, 2])
        outputs[raw] = [1, 3, side, side, width]
        rows.append(sketch.reshape(sketch.one("Sigmoid", raw), 1, -1, width))
    scale = np.array([SIZE, SIZE, SIZE / 2, SIZE / 2, *[1] * (1 + CLASSES)], np.float32)
    output = sketch.one("Mul", sketch.one("Concat", *rows, axis=1), sketch.constant(scale))
    return sketch.save(path, {output: [1, 252, width]} | (outputs if with_maps else {}), metadata)


def yolox(path: Path, *, decoded: bool = False) -> Path:
    """[1, 84, 5 + classes], raw or with boxes in input pixels."""
    sketch, width = Sketch(unit=255), 5 + CLASSES
    parts = []
    for stride in STRIDES:
        scores = [sketch.one("Sigmoid", sketch.conv(channels, stride)) for channels in (1, CLASSES)]
        cells = sketch.one("Concat", sketch.conv(4, stride), *scores, axis=1)
        parts.append(sketch.reshape(cells, 1, width, -1))
    output = sketch.one("Transpose", sketch.one("Concat", *parts, axis=2), perm=[0, 2, 1])
    if decoded:
        centres, lengths, scores = (sketch.columns(output, *ends) for ends in ((0, 2), (2, 4), (4, width)))
        output = sketch.one("Concat", centres, sketch.one("Exp", lengths), scores, axis=2)
    return sketch.save(path, {output: [1, 84, width]})


def end_to_end(path: Path, metadata: Mapping[str, str] | None = None, *, rows: int = 20) -> Path:
    """[1, rows, 6] of the cells of stride 8 with the highest scores; boxes grow from the cells' corners."""
    sketch = Sketch()
    cells = sketch.reshape(sketch.one("Sigmoid", sketch.conv(6, 8)), 1, 6, -1)
    cells = sketch.one("Transpose", cells, perm=[0, 2, 1])
    scale = np.array([32, 32, 32, 32, 1, CLASSES], np.float32)
    shift = np.array([0, 0, 32, 32, 0, -0.5], np.float32)
    cells = sketch.one("Add", sketch.one("Mul", cells, sketch.constant(scale)), sketch.constant(shift))
    scores = sketch.one("Gather", cells, sketch.constant(np.array(4, np.int64)), axis=2)
    _, best = sketch.add("TopK", scores, sketch.constant(np.array([rows], np.int64)), outputs=2, axis=1)
    picked = sketch.one("Gather", cells, sketch.reshape(best, -1), axis=1)
    return sketch.save(path, {picked: [1, rows, 6]}, metadata)


def yolov7_end_to_end(path: Path) -> Path:
    """[n, 7] of the cells of stride 8, so many as a NonMaxSuppression leaves."""
    sketch = Sketch()
    cells = sketch.reshape(sketch.one("Sigmoid", sketch.conv(6, 8)), 1, 6, -1)
    cells = sketch.one("Transpose", cells, perm=[0, 2, 1])
    scale = np.array([32, 32, 32, 32, CLASSES, 1], np.float32)
    shift = np.array([0, 0, 32, 32, -0.5, 0], np.float32)
    cells = sketch.one("Add", sketch.one("Mul", cells, sketch.constant(scale)), sketch.constant(shift))
    scores = sketch.one("Transpose", sketch.columns(cells, 5, 6), perm=[0, 2, 1])
    limits = [
        sketch.constant(np.array([limit], dtype)) for limit, dtype in ((99, "i8"), (0.9, "f4"), (0.96, "f4"))
    ]
    kept = sketch.one("NonMaxSuppression", sketch.columns(cells, 0, 4), scores, *limits)
    picture, cell = (
        sketch.one("Gather", kept, sketch.constant(np.array(column, np.int64)), axis=1) for column in (0, 2)
    )
    rows = sketch.one("Gather", sketch.reshape(cells, -1, 6), cell, axis=0)
    number = sketch.reshape(sketch.one("Cast", picture, to=TensorProto.FLOAT), -1, 1)
    return sketch.save(path, {sketch.one("Concat", number, rows, axis=1): ["n", 7]})


def fastestdet(path: Path) -> Path:
    """[1, 5 + classes, 4, 4]."""
    sketch = Sketch()
    objectness = sketch.one("Sigmoid", sketch.conv(1, 16))
    scores = sketch.one("Softmax", sketch.conv(CLASSES, 16), axis=1)
    output = sketch.one("Concat", objectness, sketch.conv(4, 16), scores, axis=1)
    return sketch.save(path, {output: [1, 5 + CLASSES, 4, 4]})


def yolofastest(path: Path, *, layout: str = "cells") -> Path:
    """[20, 15 + classes], [1, 20, 15 + classes] for "rows" or a grid for each stride for "grids"."""
    sketch, width = Sketch(), 15 + CLASSES
    grids = []
    for stride in STRIDES[1:]:
        boxes, objectness = (sketch.one("Sigmoid", sketch.conv(channels, stride)) for channels in (12, 3))
        scores = sketch.one("Softmax", sketch.conv(CLASSES, stride), axis=1)
        grid = sketch.one("Concat", boxes, objectness, scores, axis=1)
        grids.append(sketch.one("Transpose", grid, perm=[0, 2, 3, 1]))
    if layout == "grids":
        return sketch.save(path, {grids[0]: [1, 4, 4, width], grids[1]: [1, 2, 2, width]})
    leading = [] if layout == "cells" else [1]
    parts = [sketch.reshape(grid, *leading, -1, width) for grid in grids]
    output = sketch.one("Concat", *parts, axis=len(leading))
    return sketch.save(path, {output: [*leading, 20, width]})


def run(model: Model, seed: int = 3) -> list[NDArray[Any]]:
    """The outputs for a picture of noise, in the decoder's order."""
    pixels = np.random.default_rng(seed).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
    outputs: list[NDArray[Any]] = model.session.run(None, {model.session.get_inputs()[0].name: pixels})
    return outputs


def facts(*shapes: tuple[int, ...], size: tuple[int, int] = (640, 640), **operators: int) -> GraphFacts:
    """Of a graph with these outputs and so many nodes of these kinds."""
    outputs = {f"output{i}": shape for i, shape in enumerate(shapes)}
    kinds = dict.fromkeys(outputs, "float32")
    return GraphFacts(
        "model", "images", size, "NCHW", "float32", outputs, kinds, {}, {"Conv": 60} | operators
    )
