"""Face detectors for tests: specs, graphs with given outputs, and comparison with the references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.models.facts import GraphFacts
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.exported import save
from tests.reference.faces import Faces

Outputs = dict[str, NDArray[np.float32]]
Shapes = dict[str, tuple[int, ...]]


def spec(family: str, size: tuple[int, int], labels: int = 1, **options: Any) -> ModelSpec:  # noqa: ANN401
    """Of a float NCHW model with mean 127 and std 128."""
    picture = InputSpec(*size, "NCHW", "float32", "RGB", "stretch", (127.0,) * 3, (128.0,) * 3)
    names = tuple(f"face {i}" for i in range(labels))
    return ModelSpec("tiny", "detection", family, picture, names, 0.5, 0.3, options=options)


def shapes(outputs: Outputs) -> Shapes:
    return {name: output.shape for name, output in outputs.items()}


def facts(size: tuple[int, int], outputs: Shapes) -> GraphFacts:
    kinds = dict.fromkeys(outputs, "float32")
    return GraphFacts("a model", "input", size, "NCHW", "float32", outputs, kinds, {}, {"Conv": 60})


def headed(path: Path, spec: ModelSpec, outputs: Outputs) -> Path:
    """Writes a graph that gives these outputs, all a little larger for a brighter picture."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["colour"]),
        helper.make_node("ReduceMean", ["colour"], ["brightness"], keepdims=0),
        helper.make_node("Mul", ["brightness", "little"], ["more"]),
    ]
    tensors = [numpy_helper.from_array(np.array(0.01, np.float32), "little")]
    for name, output in outputs.items():
        nodes.append(helper.make_node("Add", ["more", f"{name}_head"], [name]))
        tensors.append(numpy_helper.from_array(output, f"{name}_head"))
    size = [1, 3, spec.input.height, spec.input.width]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, o.shape) for n, o in outputs.items()]
    taken = [helper.make_tensor_value_info("input", TensorProto.FLOAT, size)]
    graph = helper.make_graph(nodes, "faces", taken, given, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return save(model, path, spec)


def run(model: Model, value: int) -> tuple[Outputs, Objects]:
    """The outputs for a picture of one value everywhere, and what the model's own decoder makes of them."""
    picture, outputs = model.new_input(), model.new_outputs()
    picture[:] = value
    model.run(model.bind(picture, outputs))
    names = [output.name for output in model.session.get_outputs()]
    found = model.decoder(outputs, model.spec.score_threshold, model.spec.iou_threshold)
    assert isinstance(found, Objects)
    return dict(zip(names, outputs, strict=True)), found


def assert_same(found: Objects, expected: Faces) -> None:
    """`expected`: after suppression. Keypoints carry their face's score."""
    np.testing.assert_allclose(found.scores, expected.scores[:MAX_OBJECTS], rtol=1e-6)
    np.testing.assert_allclose(found.boxes_xyxy, expected.boxes_xyxy[:MAX_OBJECTS], rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(found.class_ids, 0)
    if found.keypoints is None:
        assert expected.points.shape[1] == 0
        return
    np.testing.assert_allclose(found.keypoints[..., :2], expected.points[:MAX_OBJECTS], rtol=1e-5, atol=1e-3)
    each = np.repeat(found.scores[:, None], found.keypoints.shape[1], axis=1)
    np.testing.assert_array_equal(found.keypoints[..., 2], each)


def merged(parts: list[Faces], iou_threshold: float) -> Faces:
    """The faces of all strides together, after suppression."""
    return Faces(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))).suppressed(iou_threshold)
