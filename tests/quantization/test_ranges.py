"""Ranges: where an activation function is all that reads a value, steps go to where it makes a difference."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edge_engine.quantization.histogram import Histogram, Range
from edge_engine.quantization.ranges import ranges

node = helper.make_node
SILU = [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["y"])]
HARD_SWISH = [
    node("Add", ["x", "three"], ["a"]),
    node("Clip", ["a", "zero", "six"], ["c"]),
    node("Mul", ["x", "c"], ["m"]),
    node("Div", ["m", "six"], ["y"]),
]
LEAKY = [node("LeakyRelu", ["x"], ["y"], alpha=0.1)]
SUM = [node("Add", ["x", "three"], ["y"]), node("Mul", ["x", "x"], ["z"])]


def graph(nodes: list[NodeProto]) -> ModelProto:
    value = helper.make_tensor_value_info
    numbers = {"zero": 0.0, "three": 3.0, "six": 6.0}
    tensors = [
        numpy_helper.from_array(np.array(number, np.float32), name) for name, number in numbers.items()
    ]
    x, y = value("x", TensorProto.FLOAT, [1, 8]), value("y", TensorProto.FLOAT, [1, 8])
    return helper.make_model(helper.make_graph(nodes, "net", [x], [y], tensors))


def found(nodes: list[NodeProto]) -> Range:
    histogram = Histogram()
    histogram.add(np.random.default_rng(1).uniform(-60, 8, 200_000).astype(np.float32))
    return ranges(graph(nodes), {"x": histogram}, "mse")["x"]


@pytest.mark.parametrize(("nodes", "most"), [(SILU, 12), (HARD_SWISH, 5), (LEAKY, 61)])
def test_what_an_activation_makes_nothing_of_gets_no_steps(nodes: list[NodeProto], most: float) -> None:
    low, high = found(nodes)
    assert -most < low < -1
    assert high > 7.5


def test_other_readers_get_all_values() -> None:
    assert found(SUM).low < -55
