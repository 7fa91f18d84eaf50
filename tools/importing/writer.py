"""Writes an ONNX graph node by node, with the constants that are known on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class ImportFailed(Exception):  # noqa: N818
    """What can't be converted, in one line."""


@dataclass
class Writer:
    """The ONNX graph so far. `constants`: tensors whose values are known already."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def add(self, op: str, inputs: list[str], outputs: list[str] | str, **attributes: Any) -> str:  # noqa: ANN401
        names = [outputs] if isinstance(outputs, str) else outputs
        for name in inputs:
            if name in self.constants and name not in self.initializers:
                self.initializers[name] = numpy_helper.from_array(self.constants[name], name)
        self.nodes.append(helper.make_node(op, inputs, names, name=names[0], **attributes))
        return names[0]

    def constant(self, name: str, values: Any) -> str:  # noqa: ANN401 - anything array-like
        self.constants[name] = np.asarray(values)
        return name

    def value(self, name: str) -> NDArray[Any]:
        if name not in self.constants:
            raise ImportFailed(f"{name}: expected a constant, it depends on the input")
        return self.constants[name]
