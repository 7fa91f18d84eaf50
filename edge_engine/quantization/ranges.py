"""Ranges: of every value within a graph, by one method, as what reads it makes of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from edge_engine.models.constants import constant
from edge_engine.quantization.histogram import Histogram, Method, Range, Reading
from edge_engine.quantization.layers import Readers

Values = NDArray[np.float64]


def ranges(model: ModelProto, counted: Mapping[str, Histogram], method: Method) -> dict[str, Range]:
    links = Readers.of(model.graph)
    return {
        name: histogram.range(method, _reading(model, links.readers.get(name, [])))
        for name, histogram in counted.items()
    }


def _reading(model: ModelProto, readers: list[NodeProto]) -> Reading | None:
    """What an activation function makes of a value, where nothing else reads it: far below zero, SiLU makes
    nearly nothing of anything, so that steps there would be wasted."""
    kinds = {node.op_type for node in readers}
    if kinds == {"Sigmoid", "Mul"} and len(readers) == 2:
        return _silu
    if kinds == {"Sigmoid"}:
        return _sigmoid
    if kinds == {"HardSwish"} or _begins_hard_swish(model, readers):
        return _hard_swish
    if kinds == {"LeakyRelu"} and len(readers) == 1:
        slope = next((a.f for a in readers[0].attribute if a.name == "alpha"), 0.01)
        return lambda values: np.where(values < 0, values * slope, values)
    return None


def _begins_hard_swish(model: ModelProto, readers: list[NodeProto]) -> bool:
    """x · clip(x + 3, 0, 6) ÷ 6, as exporters write it out."""
    if sorted(node.op_type for node in readers) != ["Add", "Mul"]:
        return False
    (adding,) = [node for node in readers if node.op_type == "Add"]
    added = [constant(model.graph, name) for name in adding.input]
    return any(value is not None and value.size == 1 and float(value.item()) == 3 for value in added)


def _hard_swish(values: Values) -> Values:
    return values * np.clip(values / 6 + 0.5, 0, 1)


def _sigmoid(values: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-values.clip(-60, 60))))


def _silu(values: Values) -> Values:
    return values * _sigmoid(values)
