"""Graph surgery after conversion: tidy up, fold the normalisation into the first convolution."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


def optimise(model: onnx.ModelProto) -> onnx.ModelProto:
    """ONNX Runtime's basic level: cancels transposes, folds constants, merges Add into Conv."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(path)
    opsets = [opset for opset in optimised.opset_import if opset.domain == ""]
    del optimised.opset_import[:]
    optimised.opset_import.extend(opsets)
    return optimised


def fold_normalisation(
    model: onnx.ModelProto, mean: NDArray[np.float64], std: NDArray[np.float64], zero: int
) -> None:
    """Afterwards the input is `pixel - zero` in place of `(pixel - mean) / std`.

    Zero padding then stands for pixels of the value `zero`; with `zero` near the mean, the borders are
    what they were.
    """
    name = model.graph.input[0].name
    (conv,) = (node for node in model.graph.node if name in node.input)
    if conv.op_type != "Conv":
        raise ValueError(f"the input feeds {conv.op_type}, not a convolution")
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = numpy_helper.to_array(initializers[conv.input[1]]).astype(np.float64)
    bias = numpy_helper.to_array(initializers[conv.input[2]]).astype(np.float64)
    scaled = weights / std.reshape(1, 3, 1, 1)
    shifted = bias + (scaled * (zero - mean).reshape(1, 3, 1, 1)).sum((1, 2, 3))
    for index, values in ((1, scaled), (2, shifted)):
        initializers[conv.input[index]].CopyFrom(
            numpy_helper.from_array(values.astype(np.float32), conv.input[index])
        )


def halve(model: onnx.ModelProto, least: int = 256) -> None:
    """Weights that lose nothing by it lie in the file as float16; the runtime widens them as it loads it."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < least or (values.astype(np.float16) != values).any():
            continue
        stored = f"{tensor.name}_f16"
        casts.append(helper.make_node("Cast", [stored], [tensor.name], name=stored, to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def prune_initializers(model: onnx.ModelProto) -> None:
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
