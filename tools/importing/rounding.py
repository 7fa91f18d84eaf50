"""Rounds INT8 weights by what they do to real pictures, not each to its nearest number.

A weight that is rounded leaves an error that the weights of the same filter which are still to be rounded
make up for, as far as their inputs go along with its own (GPTQ, arXiv:2210.17323: the second moments of the
inputs say how); what then is left of it on average goes into the bias. Depthwise filters have 9 or 25 weights
only, of which each error counts: there, rounding to the nearest does most of INT8's harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

Floats = NDArray[np.float64]
# Of each convolution's input so many places a picture: neighbours say much the same.
_PLACES = 128
_DAMPING = 0.01


@dataclass
class _Moments:
    """Of a convolution's inputs, in groups (of one for all channels, or one each): sums over places."""

    count: int
    total: Floats  # [groups, inputs]
    squared: Floats  # [groups, inputs, inputs]

    def mean(self) -> Floats:
        return self.total / self.count

    def covariance(self) -> Floats:
        mean = self.mean()
        return self.squared / self.count - mean[:, :, None] * mean[:, None, :]


def round_to_pictures(
    quantized: onnx.ModelProto, model: onnx.ModelProto, tensors: Iterable[NDArray[np.float32]]
) -> None:
    """Rewrites the weights and biases of `quantized`, made from `model` with the same names."""
    new = {tensor.name: tensor for tensor in quantized.graph.initializer}
    old = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, moments in _moments(model, tensors).items():
        node = next(node for node in model.graph.node if node.name == name)
        weights, bias = node.input[1:3]
        if f"{weights}_quantized" not in new:
            continue
        scale = numpy_helper.to_array(new[f"{weights}_scale"]).astype(np.float64)
        filters = old[weights].reshape(len(moments.total), -1, moments.total.shape[1]).astype(np.float64)
        scales = scale.reshape(*filters.shape[:2])
        rounded = _rounded(filters, scales, moments.covariance())
        error = filters - rounded * scales[..., None]
        shift = np.einsum("gri,gi->gr", error, moments.mean()).reshape(-1)
        bias_scale = numpy_helper.to_array(new[f"{bias}_quantized_scale"]).astype(np.float64)
        biases = np.round((old[bias] + shift) / bias_scale)
        _put(new[f"{weights}_quantized"], rounded.reshape(old[weights].shape).astype(np.int8))
        _put(new[f"{bias}_quantized"], biases.astype(np.int32))


def _put(tensor: onnx.TensorProto, values: NDArray[Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _rounded(filters: Floats, scales: Floats, covariance: Floats) -> Floats:
    """Whole numbers for filters [groups, filters, inputs]: one input after the other, the rest makes up."""
    left = filters.copy()
    inputs = left.shape[2]
    diagonal = np.einsum("gii->gi", covariance)
    damping = _DAMPING * diagonal.mean(axis=1)[:, None, None] + 1e-9
    upper = np.linalg.cholesky(np.linalg.inv(covariance + damping * np.eye(inputs))).swapaxes(1, 2)
    rounded = np.empty_like(left)
    for i in range(inputs):
        rounded[:, :, i] = np.clip(np.round(left[:, :, i] / scales), -127, 127)
        error = (left[:, :, i] - rounded[:, :, i] * scales) / upper[:, i, i, None]
        left[:, :, i + 1 :] -= error[:, :, None] * upper[:, None, i, i + 1 :]
    return rounded


def _moments(model: onnx.ModelProto, tensors: Iterable[NDArray[np.float32]]) -> dict[str, _Moments]:
    """By the convolutions' names."""
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    (given,) = (value.name for value in model.graph.input)
    names = sorted({node.input[0] for node in convolutions} - {given})
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(shown.SerializeToString(), providers=["CPUExecutionProvider"])
    found: dict[str, _Moments] = {}
    for tensor in tensors:
        inputs = dict(zip(names, session.run(names, {given: tensor}), strict=True)) | {given: tensor}
        for node in convolutions:
            _count(found, node, _patches(node, inputs[node.input[0]]))
    return found


def _patches(node: onnx.NodeProto, tensor: NDArray[np.float32]) -> Floats:
    """What the filters see, [groups, places, inputs]."""
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    kernel, (down, along) = attributes["kernel_shape"], attributes.get("strides", (1, 1))
    padded = np.pad(tensor[0], ((0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(kernel), axis=(1, 2))[:, ::down, ::along]
    channels = len(padded)
    flat = windows.reshape(channels, -1, kernel[0] * kernel[1])
    flat = flat[:, :: max(flat.shape[1] // _PLACES, 1)]
    if attributes.get("group", 1) == 1:
        flat = flat.transpose(1, 0, 2).reshape(1, flat.shape[1], -1)
    return flat.astype(np.float64)


def _count(found: dict[str, _Moments], node: onnx.NodeProto, patches: Floats) -> None:
    total, squared = patches.sum(axis=1), np.matmul(patches.swapaxes(1, 2), patches)
    if node.name in found:
        known = found[node.name]
        found[node.name] = _Moments(
            known.count + patches.shape[1], known.total + total, known.squared + squared
        )
    else:
        found[node.name] = _Moments(patches.shape[1], total, squared)
