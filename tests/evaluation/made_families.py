"""Two families simple enough to be judged by hand, and models of them: they look at nothing but colour."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.models import families
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.repair import Repaired
from edge_engine.models.spec import Fit, InputSpec, ModelSpec
from edge_engine.result import Segmentation, Tags
from tests.models.exported import save

SIZE = 16


class Nearest:
    """One output: the mean colour [1, 3]. Labels by how near it comes to each one's colour in the options."""

    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        self._colours = np.array(spec.options["colours"])
        self._most = spec.options["most"]

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        return list(output_shapes)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        return None

    def __call__(self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float) -> Tags:
        scores = 1 / (1 + np.abs(self._colours - outputs[0][0]).sum(axis=1))
        order = np.argsort(-scores)[: self._most]
        return Tags(order.astype(np.int32), scores[order].astype(np.float32))


class Brightest:
    """One output: the picture [1, rows, columns, 3]. A pixel's class is its brightest channel."""

    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        pass

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        return list(output_shapes)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        return None

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Segmentation:
        return Segmentation(outputs[0][0].argmax(axis=2).astype(np.uint8))


@contextmanager
def known_families() -> Iterator[None]:
    """`nearest` and `brightest` are families like any other meanwhile, but in this process alone: the repair,
    which has one of its own, is left out."""
    module = f"{families.__name__}.made_by_the_tests"
    names = {"nearest": "made_by_the_tests:Nearest", "brightest": "made_by_the_tests:Brightest"}
    with (
        mock.patch.dict(sys.modules, {module: sys.modules[__name__]}),
        mock.patch.dict(families.FAMILIES, names),
        mock.patch("edge_engine.models.model.repaired", lambda path, **_: Repaired(path, ())),
    ):
        yield


def classifier(path: Path, colours: dict[str, tuple[float, float, float]], most: int = 5) -> Path:
    """`colours`: each label's, RGB 0..255; `most`: so many labels are named."""
    nodes = [
        helper.make_node("Cast", ["picture"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
    ]
    axes = numpy_helper.from_array(np.array([1, 2]), "axes")
    options = {"colours": list(colours.values()), "most": most}
    spec = _spec("classification", "nearest", tuple(colours), "stretch", options)
    return _saved(path, nodes, [axes], ("mean", [1, 3]), spec)


def segmenter(path: Path, labels: tuple[str, str, str], letterbox: Fit = "centre") -> Path:
    nodes = [helper.make_node("Cast", ["picture"], ["pixels"], to=TensorProto.FLOAT)]
    spec = _spec("segmentation", "brightest", labels, letterbox, {})
    return _saved(path, nodes, [], ("pixels", [1, SIZE, SIZE, 3]), spec)


def _spec(task: Any, family: str, labels: tuple[str, ...], fit: Fit, options: dict[str, Any]) -> ModelSpec:  # noqa: ANN401
    picture = InputSpec(SIZE, SIZE, "NHWC", "uint8", "RGB", fit)
    return ModelSpec("colours", task, family, picture, labels, 0.25, 0.7, options=options)


def _saved(
    path: Path, nodes: list[Any], constants: list[Any], output: tuple[str, list[int]], spec: ModelSpec
) -> Path:
    inputs = [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, SIZE, SIZE, 3])]
    outputs = [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])]
    graph = helper.make_graph(nodes, "colours", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return save(model, path, spec)
