"""Small real classifiers of colours, as exporters write them, and pictures to quantize them with."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.models.spec import InputSpec, ModelSpec
from tests.models.exported import save

SIDE = 32
LABELS = ("red", "green", "blue", "white", "black", "yellow")
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255] * 3, [0] * 3, [255, 255, 0]])
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_WILD = 4000.0


def classifier(
    path: Path, *, is_wild: bool = False, size: int = 1, mean: tuple[float, float, float] = MEAN
) -> Path:
    """Writes a net that names the colour nearest to a picture's mean: three convolutions and a product.

    `is_wild`: one channel behind `widening` is thousands of times as large as the others, and as much
    smaller in `narrowing`: nothing for floats, and the others' end when all channels share one scale.
    `size` of these two's kernels: with 5, nearly all of the work is theirs.
    """
    rng = np.random.default_rng(4)
    # Features are the channels, turned, so that all of them are needed; back again in the end.
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    first = np.zeros((6, 3, 3, 3))
    first[:3, :, 1, 1], first[3:, :, 1, 1] = turned, -turned  # both signs, since rectified
    widening = np.eye(8, 6)
    narrowing = np.eye(6, 8)
    if is_wild:
        widening[6], narrowing[:, 6] = _WILD / 6, 0
        widening[7], narrowing[:, 7] = -_WILD / 6, 0
        narrowing[0, 6] = narrowing[0, 7] = 1 / _WILD
    normalised = (COLOURS - np.array(MEAN)) / STD
    back = np.concatenate([turned.T, -turned.T], axis=1)  # 3 x 6: features → channels
    product = 2 * normalised @ back
    weights = {
        "first": first,
        "widening": _centred(widening, size),
        "narrowing": _centred(narrowing, size),
        "narrowing_bias": np.zeros(6),
        "product": product.T,
        "product_bias": -(normalised**2).sum(axis=1),
    }
    node, around = helper.make_node, [size // 2] * 4
    nodes = [
        node("Conv", ["images", "first"], ["f"], name="first", pads=[1] * 4, strides=[2, 2]),
        node("Relu", ["f"], ["fr"], name="first_relu"),
        node("Conv", ["fr", "widening"], ["w"], name="widening", pads=around),
        node("Relu", ["w"], ["wr"], name="widening_relu"),
        node("Conv", ["wr", "narrowing", "narrowing_bias"], ["n"], name="narrowing", pads=around),
        node("GlobalAveragePool", ["n"], ["pooled"], name="pool"),
        node("Flatten", ["pooled"], ["flat"], name="flat"),
        node("Gemm", ["flat", "product", "product_bias"], ["logits"], name="product"),
        node("Softmax", ["logits"], ["scores"], axis=1, name="softmax"),
    ]
    tensors = [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in weights.items()]
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(LABELS)])
    graph = helper.make_graph(nodes, "colours", [picture], [scores], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    how = InputSpec(SIDE, SIDE, "NCHW", "float32", "RGB", "stretch", mean, STD)
    options = {"activation": "none"}
    spec = ModelSpec("colours", "classification", "classifier", how, LABELS, 0.0, 0.7, options=options)
    return save(model, path, spec)


def _centred(weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    kernels = np.zeros((*weights.shape, size, size))
    kernels[..., size // 2, size // 2] = weights
    return kernels


def pictures(folder: Path, count: int = 24) -> Path:
    """Noisy pictures of a colour each, most of them far from the border to another."""
    rng = np.random.default_rng(8)
    folder.mkdir()
    for i in range(count):
        colour = COLOURS[i % len(COLOURS)] * 0.8 + 25
        noisy = np.clip(colour + rng.normal(0, 40, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), np.ascontiguousarray(noisy[..., ::-1]))
    return folder
