"""Rounding to pictures: nearer to the float model than rounding each weight to its nearest number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.importing.quantize import quantize
from tools.importing.rounding import round_to_pictures


def two_convolutions() -> onnx.ModelProto:
    """One of all channels, one of each."""
    rng = np.random.default_rng(0)
    weights = {"a": (8, 3, 3, 3), "b": (8, 1, 3, 3)}
    tensors = [numpy_helper.from_array(np.float32(rng.normal(size=s)), f"{n}_w") for n, s in weights.items()]
    tensors += [numpy_helper.from_array(np.float32(rng.normal(size=8)), f"{n}_b") for n in weights]
    common = {"kernel_shape": [3, 3], "pads": [0, 0, 1, 1], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "a_w", "a_b"], ["a"], name="a", **common),
        helper.make_node("Relu", ["a"], ["r"], name="r"),
        helper.make_node("Conv", ["r", "b_w", "b_b"], ["y"], name="b", group=8, **common),
    ]
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 8, 8])]
    graph = helper.make_graph(nodes, "two", values, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def smooth_pictures(seed: int) -> Iterator[NDArray[np.float32]]:
    """Neighbouring pixels are alike, as in photographs; from 0 to 255."""
    rng = np.random.default_rng(seed)
    for _ in range(8):
        walk = rng.normal(size=(1, 3, 32, 32)).cumsum(axis=2).cumsum(axis=3)
        lowest, highest = (end(walk, axis=(2, 3), keepdims=True) for end in (np.min, np.max))
        yield np.float32((walk - lowest) / (highest - lowest) * 255)


def error(model: onnx.ModelProto, other: onnx.ModelProto) -> float:
    one, two = (onnxruntime.InferenceSession(m.SerializeToString()) for m in (model, other))
    return float(
        sum(
            np.square(one.run(None, {"x": x})[0] - two.run(None, {"x": x})[0]).sum()
            for x in smooth_pictures(seed=1)
        )
    )


def test_rounding_to_pictures_leaves_less_error_on_others() -> None:
    model = two_convolutions()
    nearest = quantize(model, smooth_pictures(seed=0), [])
    rounded = onnx.ModelProto()
    rounded.CopyFrom(nearest)
    round_to_pictures(rounded, model, smooth_pictures(seed=0))
    assert error(model, rounded) < 0.95 * error(model, nearest)  # both have the activations' share


def test_what_stays_float_is_left_alone() -> None:
    model = two_convolutions()
    nearest = quantize(model, smooth_pictures(seed=0), ["a", "b"])
    before = nearest.SerializeToString(deterministic=True)
    round_to_pictures(nearest, model, smooth_pictures(seed=0))
    assert nearest.SerializeToString(deterministic=True) == before
