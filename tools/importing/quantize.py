"""INT8: convolutions only, per channel, calibrated by minimum and maximum; pixels are uint8 already.

Quantizing every operation destroys a detector's head, so everything but Conv stays as it is; ONNX Runtime
then runs what lies between two quantized convolutions (LeakyRelu, Concat …) in INT8 by itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, tensors: Iterable[NDArray[np.float32]]) -> None:
        self._feeds = ({name: tensor} for tensor in tensors)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._feeds, None)


def quantize(
    model: onnx.ModelProto,
    tensors: Iterable[NDArray[np.float32]],
    float_nodes: list[str],
    operations: Sequence[str] = ("Conv",),
) -> onnx.ModelProto:
    """The model with its convolutions in INT8 (QDQ, U8S8), but for those named in `float_nodes`."""
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, target = (
            Path(folder) / name for name in ("float.onnx", "prepared.onnx", "int8.onnx")
        )
        onnx.save(model, source)
        quant_pre_process(source, prepared, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            _Reader(model.graph.input[0].name, tensors),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(operations),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=float_nodes,
        )
        return onnx.load(target)


def take_pixels(model: onnx.ModelProto, zero: int, name: str = "images") -> None:
    """Replace the float input and its QuantizeLinear by uint8 NHWC pixels: a pixel is its quantized value.

    Calibration saw black and white, so the input's scale is exactly 1 and its zero point is `zero`.
    """
    graph = model.graph
    (old,) = graph.input
    _, channels, height, width = (d.dim_value for d in old.type.tensor_type.shape.dim)
    (first,) = (node for node in graph.node if old.name in node.input)
    initializers = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    scale, zero_point = (float(initializers[first.input[i]]) for i in (1, 2))
    if first.op_type != "QuantizeLinear" or (scale, zero_point) != (1.0, float(zero)):
        raise ValueError(f"the input is quantized by {first.op_type} with scale {scale}, zero {zero_point}")
    first.CopyFrom(
        helper.make_node("Transpose", [name], [first.output[0]], name="nhwc_to_nchw", perm=[0, 3, 1, 2])
    )
    old.CopyFrom(helper.make_tensor_value_info(name, TensorProto.UINT8, [1, height, width, channels]))
    kept = [info for info in graph.value_info if info.name != first.output[0]]
    del graph.value_info[:]
    graph.value_info.extend(kept)
