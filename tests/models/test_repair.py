"""Repair: the same outputs as the untouched model, from uint8 pixels, with everything put right once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.affine import Affine
from edge_engine.models.model import Model
from edge_engine.models.repair import repaired
from edge_engine.zoo import find_model
from tests.models.exported import LABELS, MEAN, SIZE, STD, exported

PER_CHANNEL = np.array([1.5, 2.0, 0.5], np.float32).reshape(1, 3, 1, 1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernels' library stays where it is; repaired models go to a place of their own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: folder)
    return folder


def untouched(path: Path, pixels: NDArray[np.uint8], terms: dict[str, Any]) -> list[NDArray[np.float32]]:
    """What the model itself gives for a picture, prepared as its spec says."""
    mean, std = terms.get("mean", (0, 0, 0)), terms.get("std", (255, 255, 255))
    normalised = (pixels.astype(np.float32) - np.float32(mean)) / np.float32(std)
    if terms.get("layout", "NCHW") == "NCHW":
        normalised = normalised.transpose(0, 3, 1, 2)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found: list[NDArray[np.float32]] = session.run(None, {"images": np.ascontiguousarray(normalised)})
    return found


def run(model: Model, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    tensor, outputs = model.new_input(), model.new_outputs()
    tensor[:] = pixels
    model.run(model.bind(tensor, outputs))
    return outputs


def picture(seed: int = 5) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "as it should be": ({}, ["folded into the first convolution"]),
    "mean and padding": ({"mean": MEAN, "std": STD}, ["partly within the graph"]),
    "mean without padding": (
        {"mean": MEAN, "std": STD, "padding": 0},
        ["folded into the first convolution"],
    ),
    "weights as inputs": ({"weights_as_inputs": True}, ["5 weights were listed as inputs"]),
    "an old opset": ({"opset": 11}, ["opset 11 became 17"]),
    "free dimensions": ({"dynamic": True}, ["free dimensions batch, height, height of the input became"]),
    "channels last": ({"layout": "NHWC", "mean": MEAN, "std": STD}, ["float32 NHWC input"]),
    "an output too many": ({"dead_output": True}, ["outputs that nobody reads: features_seen"]),
    "constants": ({}, ["constants folded, "]),
    "normalised within": (
        {"first": [("Div", np.float32(255)), ("Sub", PER_CHANNEL), ("Mul", PER_CHANNEL)], "std": (1, 1, 1)},
        ["3 normalising nodes absorbed"],
    ),
    "everything at once": (
        {
            "mean": MEAN,
            "std": STD,
            "opset": 11,
            "dynamic": True,
            "weights_as_inputs": True,
            "dead_output": True,
            "first": [("Add", PER_CHANNEL)],
        },
        ["weights", "opset", "free dimensions", "outputs", "1 normalising nodes absorbed"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_outputs_are_those_of_the_untouched_model(name: str, tmp_path: Path) -> None:
    terms, told = CASES[name]
    path = exported(tmp_path / "x.onnx", **terms)
    model = Model(path)
    changes = "; ".join(model.repairs)
    for words in told:
        assert words in changes
    (input_,) = model.session.get_inputs()
    assert (input_.type, input_.shape) == ("tensor(uint8)", [1, SIZE, SIZE, 3])
    (found,) = run(model, picture())
    np.testing.assert_allclose(found, untouched(path, picture(), terms)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_an_old_upsample_keeps_its_pixels_where_they_are(mode: str, tmp_path: Path) -> None:
    """Of opset 9; converted as it comes, a linear one is half a cell off."""
    path = exported(tmp_path / "old.onnx", opset=9)
    model = onnx.load(path)
    (reshape,) = [node for node in model.graph.node if node.op_type == "Reshape"]
    scales = numpy_helper.from_array(np.array([1, 1, 2.5, 2.5], np.float32), "scales")
    pool = helper.make_node("MaxPool", ["same"], ["small"], kernel_shape=[2, 2], strides=[2, 2])
    larger = helper.make_node("Upsample", ["small", "scales"], ["large"], mode=mode)
    corner = helper.make_node("Slice", ["large"], ["corner"], axes=[2, 3], starts=[1, 1], ends=[9, 9])
    reshape.input[0] = "corner"
    model.graph.initializer.append(scales)
    at = list(model.graph.node).index(reshape)
    for node in (corner, larger, pool):
        model.graph.node.insert(at, node)
    onnx.save(model, path)
    (found,) = run(Model(path), picture())
    np.testing.assert_allclose(found, untouched(path, picture(), {})[0], rtol=1e-4, atol=1e-5)


def test_it_is_done_once_per_file(tmp_path: Path, cache: Path) -> None:
    path = exported(tmp_path / "x.onnx")
    first = repaired(path)
    stamp = first.path.stat().st_mtime_ns
    assert repaired(path) == first
    assert first.path.stat().st_mtime_ns == stamp
    other = repaired(exported(tmp_path / "x.onnx", opset=11))
    assert other.path != first.path
    assert len(list(cache.glob("models/*.onnx"))) == 2


def test_a_repair_that_was_cut_off_is_done_again(tmp_path: Path, cache: Path) -> None:
    path = exported(tmp_path / "x.onnx")
    first = repaired(path)
    (notes,) = cache.glob("models/*.json")
    notes.write_bytes(b'["hal')
    assert repaired(path) == first
    first.path.unlink()
    assert repaired(path) == first
    assert first.path.exists()


def test_the_zoos_models_are_taken_as_they_are(cache: Path) -> None:
    path = find_model("nanodet-g")
    assert repaired(path) == (path, ())
    assert not cache.exists()


def test_a_quantized_model_elsewhere_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(find_model("nanodet-g").read_bytes())
    mine, zoos = Model(path), Model(find_model("nanodet-g"))
    pixels = np.random.default_rng(1).integers(0, 256, mine.new_input().shape, np.uint8)
    for one, other in zip(run(mine, pixels), run(zoos, pixels), strict=True):
        np.testing.assert_array_equal(one, other)


def _two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("scale", onnx.TensorProto.FLOAT, [1, 2]))


def _wrong_size(model: onnx.ModelProto) -> None:
    for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dimension.dim_value = 2 * SIZE


def _integers(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT32


def _short_integers(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT16


def _other_labels(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]
    helper.set_model_props(model, {"names": "{0: 'a'}", "imgsz": f"[{SIZE}, {SIZE}]", "task": "detect"})


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_two_inputs, "has an input scale float [1, 2] besides the picture images"),
        (_wrong_size, "its metadata says input [1, 3, 64, 64], its graph has [1, 3, 128, 128]"),
        (_integers, "takes whole numbers; expected mean 0 and std 1"),
        (_short_integers, "takes INT16; expected float, int32 or uint8 pixels"),
        (_other_labels, "expected one output [1, 5, anchors] for 1 labels; outputs are output0 [1, 7, 64]"),
    ],
)
def test_what_cannot_be_repaired_is_one_line(spoil: Any, line: str, tmp_path: Path) -> None:  # noqa: ANN401
    model = onnx.load(exported(tmp_path / "x.onnx"))
    spoil(model)
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(ModelError) as raised:
        Model(tmp_path / "x.onnx")
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def ultralytics(path: Path, **changes: str) -> Path:
    """The same model with the metadata that Ultralytics' exporter writes."""
    model = onnx.load(exported(path))
    del model.metadata_props[:]
    names = str(dict(enumerate(LABELS)))
    said = {"names": names, "imgsz": f"[{SIZE}, {SIZE}]", "task": "detect", "stride": "32", "license": "L"}
    helper.set_model_props(model, said | changes)
    onnx.save(model, path)
    return path


def test_ultralytics_metadata_is_understood(tmp_path: Path) -> None:
    path = ultralytics(tmp_path / "yolo.onnx")
    model = Model(path)
    assert (model.spec.family, model.spec.labels, model.spec.name) == ("yolov8", LABELS, "yolo")
    assert (model.spec.input.width, model.spec.input.colour, model.spec.licence) == (SIZE, "RGB", "L")
    (found,) = run(model, picture())
    np.testing.assert_allclose(found, untouched(path, picture(), {})[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"task": "obb"}, "for the task 'obb'"),
        ({"names": "{0: 'person', 2: 'car'}"}, "expected [height, width] and {0: name"),
        ({"names": "__import__('os')"}, "unreadable names"),
        ({"imgsz": "64"}, "expected [height, width]"),
    ],
)
def test_damaged_ultralytics_metadata_is_one_line(changes: dict[str, str], line: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        Model(ultralytics(tmp_path / "yolo.onnx", **changes))
    assert line in str(raised.value)


numbers = st.floats(-100, 100).filter(lambda x: abs(x) > 0.01)
steps = st.lists(st.tuples(st.sampled_from(["Mul", "Div", "Add", "Sub"]), numbers), max_size=6)


@settings(deadline=None)
@given(st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers), steps)
def test_an_affine_is_what_its_steps_do(
    mean: tuple[float, ...], std: tuple[float, ...], following: list[tuple[str, float]]
) -> None:
    pixel = np.array([3.0, 100.0, 255.0])
    affine, expected = Affine.normalising(mean, std), (pixel - mean) / np.array(std)
    for operation, value in following:
        affine = affine.then(operation, np.full(3, value))
        act = {"Mul": np.multiply, "Div": np.divide, "Add": np.add, "Sub": np.subtract}[operation]
        expected = act(expected, value)
    scale = np.abs(affine.scale * pixel) + np.abs(affine.shift) + 1
    np.testing.assert_allclose((pixel * affine.scale + affine.shift) / scale, expected / scale, atol=1e-9)


def test_specs_travel_with_the_repaired_file(tmp_path: Path) -> None:
    spec = Model(exported(tmp_path / "x.onnx", mean=MEAN, std=STD)).spec
    assert (spec.input.dtype, spec.input.layout, spec.input.std) == ("uint8", "NHWC", (1, 1, 1))
    assert msgspec.structs.replace(spec.input, dtype="float32").width == SIZE


def test_new_weights_beside_a_model_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "beside.onnx"
    answers = []
    for factor in (1, 2):
        model = onnx.load(exported(tmp_path / "one.onnx"))
        for tensor in model.graph.initializer:
            if tensor.name == "weights":
                tensor.CopyFrom(numpy_helper.from_array(factor * numpy_helper.to_array(tensor), "weights"))
        onnx.save(model, path, save_as_external_data=True, location="beside.onnx.data", size_threshold=0)
        repaired_model = Model(path)
        outputs = repaired_model.new_outputs()
        repaired_model.run(repaired_model.bind(repaired_model.new_input(), outputs))
        answers.append(outputs[0].copy())
    assert not np.allclose(answers[0], answers[1])
