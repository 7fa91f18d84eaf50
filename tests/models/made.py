"""Small graphs with the outputs of a given family, random weights within, as the engine runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.models.model import Model
from edge_engine.models.spec import ModelSpec
from tests.models.exported import save

Shape = tuple[int, ...]

_FEATURES = 4


def made(path: Path, spec: ModelSpec, outputs: Mapping[str, tuple[Shape, str]], seed: int = 3) -> Path:
    """Writes a model: for each output its shape and the operator that ends it ("Sigmoid", "Identity" …).

    A convolution makes 4 x 4 features of the picture, of which others make as many values as each output has.
    """
    rng = np.random.default_rng(seed)
    size = spec.input.width
    weights = rng.normal(size=(_FEATURES, 3, size // 4, size // 4)) * 16 / size
    tensors = [numpy_helper.from_array(np.float32(weights), "w")]
    nodes = [helper.make_node("Conv", ["images", "w"], ["features"], strides=[size // 4] * 2)]
    for name, (shape, last) in outputs.items():
        weights = rng.normal(size=(int(np.prod(shape)), _FEATURES, 4, 4)) / 8
        bias = rng.normal(size=len(weights))
        for part, value in (("w", np.float32(weights)), ("b", np.float32(bias)), ("s", np.array(shape))):
            tensors.append(numpy_helper.from_array(value, f"{name}_{part}"))
        nodes += [
            helper.make_node("Conv", ["features", f"{name}_w", f"{name}_b"], [f"{name}_c"]),
            helper.make_node("Reshape", [f"{name}_c", f"{name}_s"], [f"{name}_r"]),
            helper.make_node(last, [f"{name}_r"], [name]),
        ]
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, size, size])]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, (shape, _) in outputs.items()
    ]
    graph = helper.make_graph(nodes, "made", inputs, values, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return save(model, path, spec)


def opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model of a file; what repair makes of it stays beside it."""
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: path.parent)
    return Model(path)


def run(model: Model, seed: int = 5) -> dict[str, NDArray[np.float32]]:
    """The outputs of a random picture, by name."""
    tensor, outputs = model.new_input(), model.new_outputs()
    tensor[:] = np.random.default_rng(seed).integers(0, 256, tensor.shape, np.uint8)
    model.run(model.bind(tensor, outputs))
    names = [output.name for output in model.session.get_outputs()]
    return dict(zip(names, outputs, strict=True))
