"""Inputs besides the picture become constants, for boxes in the model's own input's pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.model import Model
from edge_engine.models.side_inputs import fix_side_inputs, put_picture_first
from tests.models.exported import LABELS, exported

FLOAT, INT64, INT32, FLOAT16 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT16
WIDTH, HEIGHT = 96, 64
Side = tuple[str, int, list[Any]]


def model_with(*sides: Side, picture: list[Any] | None = None, last: bool = False) -> ModelProto:
    """Gives each side input back, so that its value shows."""
    shape = [1, 3, HEIGHT, WIDTH] if picture is None else picture
    inputs = [helper.make_tensor_value_info("images", FLOAT, shape)]
    more = [helper.make_tensor_value_info(*side) for side in sides]
    inputs = [*more, *inputs] if last else [*inputs, *more]
    nodes = [
        helper.make_node("Identity", [name], [f"{name}_seen"]) for name in ("images", *(s[0] for s in sides))
    ]
    kinds = [("images", FLOAT), *((name, kind) for name, kind, _ in sides)]
    outputs = [helper.make_tensor_value_info(f"{name}_seen", kind, None) for name, kind in kinds]
    graph = helper.make_graph(nodes, "seen", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def fixed(model: ModelProto) -> tuple[dict[str, NDArray[Any]], list[str]]:
    put_picture_first(Path("x.onnx"), model.graph)
    changes = fix_side_inputs(Path("x.onnx"), model.graph, (WIDTH, HEIGHT))
    (picture,) = model.graph.input
    assert picture.name == "images"
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name.removesuffix("_seen") for output in session.get_outputs()]
    given = session.run(None, {"images": np.zeros((1, 3, HEIGHT, WIDTH), np.float32)})
    return dict(zip(names, given, strict=True)), changes


CASES: list[tuple[Side, list[Any], type[np.generic]]] = [
    (("orig_target_sizes", INT64, [1, 2]), [[WIDTH, HEIGHT]], np.int64),
    (("orig_target_sizes", INT64, ["N", 2]), [[WIDTH, HEIGHT]], np.int64),
    (("orig_target_sizes", INT32, [2]), [WIDTH, HEIGHT], np.int32),
    (("target_sizes", FLOAT, [1, 2]), [[HEIGHT, WIDTH]], np.float32),
    (("im_shape", FLOAT, ["p2o.DynamicDimension.0", 2]), [[HEIGHT, WIDTH]], np.float32),
    (("im_size", INT32, [1, 2]), [[HEIGHT, WIDTH]], np.int32),
    (("im_info", FLOAT, [1, 3]), [[HEIGHT, WIDTH, 1]], np.float32),
    (("image_shape", FLOAT, [1, "two"]), [[HEIGHT, WIDTH]], np.float32),
    (("scale_factor", FLOAT16, [-1, 2]), [[1, 1]], np.float16),
    (("IM_SHAPE:0", FLOAT, [1, 2]), [[HEIGHT, WIDTH]], np.float32),
]


@pytest.mark.parametrize(("side", "expected", "dtype"), CASES)
def test_a_known_side_input_gets_its_value(side: Side, expected: list[Any], dtype: type[np.generic]) -> None:
    given, changes = fixed(model_with(side))
    np.testing.assert_array_equal(given[side[0]], np.array(expected, dtype))
    assert given[side[0]].dtype == dtype
    (line,) = changes
    assert line.startswith(f"side input {side[0]} ")
    assert "became the constant [" in line


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (["batch", "height", "width"], (1, HEIGHT, WIDTH)),
        ([1, 64, 64], (1, 64, 64)),
        (["batch", 32, "w"], (1, 32, WIDTH)),
    ],
)
def test_a_mask_shows_the_whole_picture(shape: list[Any], expected: tuple[int, ...]) -> None:
    given, changes = fixed(model_with(("pixel_mask", INT64, shape)))
    np.testing.assert_array_equal(given["pixel_mask"], np.ones(expected, np.int64))
    assert "became the constant ones" in changes[0]


def test_the_picture_is_found_wherever_it_is() -> None:
    sides = [("im_shape", FLOAT, [1, 2]), ("scale_factor", FLOAT, [1, 2])]
    given, changes = fixed(model_with(*sides, last=True))
    assert len(changes) == 2
    assert given["images"].shape == (1, 3, HEIGHT, WIDTH)


@pytest.mark.parametrize("picture", [["b", "c", "h", "w"], ["b", 3, "h", "w"], [1, HEIGHT, WIDTH, 3]])
def test_a_picture_of_free_or_turned_dimensions_is_one(picture: list[Any]) -> None:
    model = model_with(("orig_target_sizes", INT64, [1, 2]), picture=picture, last=True)
    put_picture_first(Path("x.onnx"), model.graph)
    assert model.graph.input[0].name == "images"
    assert [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == picture


def test_a_model_with_the_picture_alone_stays_as_it_is() -> None:
    model = model_with()
    before = model.SerializeToString()
    assert fixed(model)[1] == []
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (
            model_with(("temperature", FLOAT, [1])),
            "has an input temperature float [1] besides the picture images",
        ),
        (model_with(("orig_target_sizes", INT64, [2, 2])), "int64 [2, 2] should have the shape [1, 2]"),
        (model_with(("im_info", FLOAT, [1, 2])), "im_info float [1, 2] should have the shape [1, 3]"),
        (
            model_with(("pixel_mask", INT64, [1, 64])),
            "pixel_mask int64 [1, 64] should be a mask [1, height, width]",
        ),
        (
            model_with(("other", FLOAT, [1, 3, 8, 8])),
            "its inputs are images float [1, 3, 64, 96], other float",
        ),
        (
            model_with(("im_shape", FLOAT, [1, 2]), picture=[1, 1, 8, 8]),
            "expected one input [1, 3, height, width]",
        ),
    ],
)
def test_what_is_not_known_is_one_line_that_names_it(model: ModelProto, line: str) -> None:
    with pytest.raises(ModelError) as raised:
        fixed(model)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_repair_gives_boxes_in_input_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector whose boxes are shares of the picture, scaled by a side input within its graph."""
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: tmp_path / "cache")
    path = exported(tmp_path / "x.onnx")
    plain = Model(path)
    model = onnx.load(path)
    (output,) = model.graph.output
    rows = 4 + len(LABELS)
    model.graph.node.extend(
        [
            helper.make_node("Cast", ["orig_target_sizes"], ["size"], to=FLOAT),
            helper.make_node("Concat", ["size", "size", "scores_stay"], ["factors"], axis=1),
            helper.make_node("Reshape", ["factors", "per_row"], ["factor_of_row"]),
            helper.make_node("Mul", ["output0", "factor_of_row"], ["scaled"]),
        ]
    )
    ones = np.ones((1, len(LABELS)), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(ones, "scores_stay"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, rows, 1]), "per_row"))
    model.graph.input.insert(0, helper.make_tensor_value_info("orig_target_sizes", INT64, ["N", 2]))
    output.name = "scaled"
    onnx.save(model, path)
    scaled = Model(path)
    assert "side input orig_target_sizes int64 [N, 2] became the constant [[64, 64]]" in scaled.repairs
    pixels = np.random.default_rng(3).integers(0, 256, plain.new_input().shape, np.uint8)
    one, other = (run(each, pixels) for each in (plain, scaled))
    np.testing.assert_allclose(other[:, :4], one[:, :4] * 64, rtol=1e-4)
    np.testing.assert_allclose(other[:, 4:], one[:, 4:], rtol=1e-4)


def run(model: Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    outputs = model.new_outputs()
    model.run(model.bind(pixels, outputs))
    return outputs[0]
