"""QDQ: what is written computes nearly what the float graph does, in the form that each target wants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.graph import repair
from edge_engine.quantization.formats import TARGETS, Target, format_for
from edge_engine.quantization.layers import find_layers, followers, prepare
from edge_engine.quantization.pixels import take_pixels
from edge_engine.quantization.qdq import quantized
from edge_engine.quantization.ranges import ranges
from edge_engine.quantization.recogniser import open_bytes
from edge_engine.quantization.statistics import count_values, values_to_watch
from edge_engine.zoo import find_model
from tests.quantization.nets import MEAN, SIDE, classifier

Picture = NDArray[np.uint8]


def noise(count: int) -> list[Picture]:
    rng = np.random.default_rng(2)
    return [rng.integers(0, 256, (1, SIDE, SIDE, 3), np.uint8) for _ in range(count)]


def run(model: ModelProto, picture: Picture) -> NDArray[np.float32]:
    session = open_bytes(model, threads=1)
    (found,) = session.run(None, {session.get_inputs()[0].name: picture})
    return np.asarray(found)


def written(path: Path, target: Target, without: str = "") -> tuple[ModelProto, ModelProto]:
    """The float model, and the one with all layers quantized but one."""
    base, _ = repair(path)
    kept = ModelProto()
    kept.CopyFrom(base)
    prepare(base)
    to = format_for(target)
    pixels = take_pixels(base) if to.takes_pixels else None
    layers = find_layers(base)
    counted = count_values(base, values_to_watch(base, layers), noise(8), lambda done: None)
    names = {layer.name for layer in layers if layer.group == "layers" and layer.name != without}
    made = quantized(base, names, ranges(base, counted, "minmax"), to, pixels)
    onnx.checker.check_model(made)
    return kept, made


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_says_nearly_what_the_float_model_does(tmp_path: Path, target: Target) -> None:
    kept, made = written(classifier(tmp_path / "net.onnx"), target)
    for picture in noise(4):
        assert run(made, picture) == pytest.approx(run(kept, picture), abs=0.05)


def zero_points(model: ModelProto) -> set[int]:
    """The types of all quantized values and weights."""
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    return {kinds[n.input[2]] for n in model.graph.node if n.op_type == "DequantizeLinear"}


def test_types_are_those_that_each_target_computes_with(tmp_path: Path) -> None:
    path = classifier(tmp_path / "net.onnx")
    found = {target: zero_points(written(path, target)[1]) for target in TARGETS}
    assert found["x86"] == {TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32}
    assert found["arm"] == {TensorProto.INT8, TensorProto.INT32}
    assert found["tensorrt"] == {TensorProto.INT8}


def test_a_pixel_is_the_first_convolutions_quantized_input(tmp_path: Path) -> None:
    _, made = written(classifier(tmp_path / "net.onnx"), "x86")
    graph = made.graph
    first = next(node for node in graph.node if node.name == "first")
    reads = next(node for node in graph.node if first.input[0] in node.output)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert reads.op_type == "DequantizeLinear"
    assert float(constants[reads.input[1]]) == 1.0
    assert int(constants[reads.input[2]]) == round(sum(MEAN) / 3)
    assert not [node for node in graph.node if node.op_type == "Cast"]


def test_onnx_runtime_computes_all_layers_in_integers(tmp_path: Path) -> None:
    import onnxruntime

    _, made = written(classifier(tmp_path / "net.onnx"), "x86")
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    assert kinds.count("QLinearConv") == 3
    assert "QGemm" in kinds
    assert not {"Conv", "Gemm", "Relu"} & set(kinds)


def test_a_layer_that_is_left_out_keeps_its_weights(tmp_path: Path) -> None:
    path = classifier(tmp_path / "net.onnx")
    _, made = written(path, "x86", without="narrowing")
    left = next(node for node in made.graph.node if node.name == "narrowing")
    kinds = {tensor.name: tensor.data_type for tensor in made.graph.initializer}
    assert kinds[left.input[1]] == TensorProto.FLOAT


def test_what_lies_between_follows_only_layers_that_are_quantized(tmp_path: Path) -> None:
    base, _ = repair(classifier(tmp_path / "net.onnx"))
    prepare(base)
    pool = next(node.name for node in base.graph.node if node.op_type == "GlobalAveragePool")
    assert followers(base.graph, {"narrowing"}, {pool}) == {pool}
    assert followers(base.graph, {"widening"}, {pool}) == set()


@pytest.mark.parametrize("mean", [(0.0,) * 3, (127.5,) * 3, MEAN, (5.0, 250.0, 100.0)])
def test_taking_pixels_changes_no_answer(tmp_path: Path, mean: tuple[float, float, float]) -> None:
    """But at the border, where a convolution's padding stands for the common mean."""
    base, _ = repair(classifier(tmp_path / "net.onnx", mean=mean))
    before = [run(base, picture) for picture in noise(3)]
    assert take_pixels(base) is not None
    onnx.checker.check_model(base)
    for picture, expected in zip(noise(3), before, strict=True):
        assert run(base, picture) == pytest.approx(expected, abs=0.03)


def test_a_model_that_is_quantized_already_is_refused() -> None:
    with pytest.raises(ModelError, match="already"):
        prepare(onnx.load(find_model("nanodet-g")))
