"""Narrow: a model without the padding of its letterbox says of a picture what the whole one says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine import zoo
from edge_engine.errors import ModelError
from edge_engine.frame import Frame
from edge_engine.models.model import Model
from edge_engine.models.narrow import coarsest_stride
from edge_engine.models.spec import METADATA_KEY, InputSpec, ModelSpec
from edge_engine.models.trim import trimmed_size
from edge_engine.pixels import BgrPixels
from edge_engine.result import Objects
from edge_engine.slots import Canvas
from edge_engine.stages.preprocess import fill
from tests import clip
from tests.models.exported import exported
from tests.reference.nms import iou_of
from tools.importing.goldens import clip_frames

SIDE = 128
STRIDES = (8, 16, 32)
LABELS = ("person", "car")
INPUT = InputSpec(416, 416, "NHWC", "uint8", "BGR", "centre")


def seen(model: Model, image: NDArray[np.uint8], threshold: float) -> Objects:
    """What a model sees in a picture, in the picture's pixels."""
    pixels = BgrPixels(image)
    canvas, outputs = Canvas(model.new_input()), model.new_outputs()
    fill(canvas, Frame("a", 0, 0, 0, pixels.size, pixels), model.spec.input)
    model.run(model.bind(canvas.tensor, outputs))
    answer = model.decoder(outputs, threshold, 0.6).to_source(model.spec.input.lay(pixels.size))
    assert isinstance(answer, Objects)
    return answer


def baked(path: Path, *, slices: bool = False, picks: bool = False) -> Path:
    """A yolov8-like model as exporters write it: all cells' anchors are constants, sizes stand in Reshapes.

    Random weights. `slices`: it takes the first grid out of the three by its position, which can't be kept.
    `picks`: it gives the surest 60 as objects, end to end.
    """
    rng = np.random.default_rng(5)
    rows = 4 + len(LABELS)
    cells = [(SIDE // s) ** 2 for s in STRIDES]
    nodes, weights, levels = [], {}, []
    for stride, count in zip(STRIDES, cells, strict=True):
        name = f"level_{stride}"
        weights[f"{name}_weights"] = rng.normal(size=(rows, 3, stride, stride)).astype(np.float32) / stride
        weights[f"{name}_shape"] = np.array([1, rows, count], np.int64)
        nodes += [
            helper.make_node("Conv", ["images", f"{name}_weights"], [name], strides=[stride] * 2),
            helper.make_node("Reshape", [name, f"{name}_shape"], [f"{name}_flat"]),
        ]
        levels.append(f"{name}_flat")
    grids = [np.stack(np.meshgrid(*[np.arange(SIDE // s)] * 2)).reshape(2, -1) + 0.5 for s in STRIDES]
    weights |= {
        "anchors": np.concatenate(grids, 1)[None].astype(np.float32),
        "strides": np.concatenate([np.full(n, s) for n, s in zip(cells, STRIDES, strict=True)])[None, None],
        "sides": np.array([2, 2, len(LABELS)], np.int64),
    }
    weights["strides"] = weights["strides"].astype(np.float32)
    nodes += [
        helper.make_node("Concat", levels, ["all"], axis=2),
        helper.make_node("Split", ["all", "sides"], ["off", "size", "score"], axis=1),
        helper.make_node("Add", ["off", "anchors"], ["at"]),
        helper.make_node("Mul", ["at", "strides"], ["centre"]),
        helper.make_node("Exp", ["size"], ["exp"]),
        helper.make_node("Mul", ["exp", "strides"], ["extent"]),
        helper.make_node("Sigmoid", ["score"], ["sure"]),
        helper.make_node("Concat", ["centre", "extent", "sure"], ["found"], axis=1),
    ]
    name, shape = "found", [1, rows, sum(cells)]
    if picks:
        name, shape = "picked", [1, 60, 6]
        weights |= {"half": np.float32(0.5), "most": np.array([60]), "flat": np.array([60])}
        nodes += [
            helper.make_node("Mul", ["extent", "half"], ["reach"]),
            helper.make_node("Sub", ["centre", "reach"], ["low"]),
            helper.make_node("Add", ["centre", "reach"], ["high"]),
            helper.make_node("ReduceMax", ["sure"], ["best"], axes=[1], keepdims=1),
            helper.make_node("ArgMax", ["sure"], ["index"], axis=1, keepdims=1),
            helper.make_node("Cast", ["index"], ["class"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["low", "high", "best", "class"], ["columns"], axis=1),
            helper.make_node("Transpose", ["columns"], ["objects"], perm=[0, 2, 1]),
            helper.make_node("TopK", ["best", "most"], ["scores", "order"], axis=2),
            helper.make_node("Reshape", ["order", "flat"], ["row"]),
            helper.make_node("Gather", ["objects", "row"], ["picked"], axis=1),
        ]
    if slices:
        weights |= {"start": np.array([0]), "end": np.array([cells[0]]), "rest": np.array([sum(cells)])}
        weights |= {"axis": np.array([2])}
        nodes += [
            helper.make_node("Slice", ["found", "start", "end", "axis"], ["fine"]),
            helper.make_node("Slice", ["found", "end", "rest", "axis"], ["coarse"]),
            helper.make_node("Concat", ["fine", "coarse"], ["joined"], axis=2),
        ]
        name = "joined"
    graph = helper.make_graph(
        nodes,
        "baked",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    picture = InputSpec(SIDE, SIDE, "NCHW", "float32", "RGB", "centre", mean=(127.5,) * 3, std=(127.5,) * 3)
    family = "end_to_end" if picks else "yolov8"
    spec = ModelSpec("baked", "detection", family, picture, LABELS, 0.5, 0.6)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: msgspec.json.encode(spec).decode()})
    onnx.save(model, path)
    return path


def test_the_bundled_model_sees_in_a_street_what_it_sees_with_the_padding() -> None:
    """Measured over these frames: 12 sure objects, found again with an IoU of 0.94 to 0.99."""
    path, frames = zoo.find_model("nanodet-g"), clip_frames(list(range(0, 250, 10)))
    whole, trimmed = Model(path), Model(path, aspect=clip.SIZE)
    assert trimmed.input_bytes < 0.5 * whole.input_bytes
    overlaps: list[float] = []
    for image in frames.values():
        before, after = seen(whole, image, 0.5), seen(trimmed, image, 0.35)
        for box, label in zip(before.boxes_xyxy, before.class_ids, strict=True):
            same = after.boxes_xyxy[after.class_ids == label]
            overlaps.append(iou_of(box, same).max(initial=0))
    assert len(overlaps) > 10
    assert min(overlaps) > 0.9


def test_cells_that_see_no_padding_say_the_very_same(tmp_path: Path) -> None:
    """Without convolutions that look over their cell's edge, the rest of the input changes nothing."""
    path = baked(tmp_path / "baked.onnx")
    whole, trimmed = Model(path), Model(path, aspect=(16, 9))
    assert (trimmed.spec.input.width, trimmed.spec.input.height) == (128, 96)
    picture = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    outputs = []
    for model in (whole, trimmed):
        found = model.new_outputs()
        tensor = np.ascontiguousarray(picture[:, : model.spec.input.height])
        model.run(model.bind(tensor, found))
        outputs.append(found[0])
    kept, start = [], 0
    for stride in STRIDES:
        side = SIDE // stride
        kept.append(np.arange(start, start + side * 96 // stride))
        start += side * side
    np.testing.assert_allclose(outputs[1], outputs[0][:, :, np.concatenate(kept)], rtol=1e-4, atol=1e-4)


def test_a_model_that_picks_its_objects_itself_picks_the_same_ones(tmp_path: Path) -> None:
    path = baked(tmp_path / "picks.onnx", picks=True)
    image = np.random.default_rng(2).integers(0, 256, (90, 160, 3), np.uint8)
    before, after = (seen(Model(path, aspect=aspect), image, 0.5) for aspect in (None, (16, 9)))
    assert len(before) > 20
    for box, label in zip(before.boxes_xyxy, before.class_ids, strict=True):
        if box[1] > 0 and box[3] < 80:  # the rest is cut by the picture, or of the padding
            assert iou_of(box, after.boxes_xyxy[after.class_ids == label]).max(initial=0) > 0.9


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1280, 720), (416, 256)),
        ((640, 480), (416, 352)),
        ((480, 640), (352, 416)),
        ((720, 1280), (256, 416)),
        ((500, 500), (416, 416)),
        ((420, 400), (416, 416)),
    ],
)
def test_sides_are_whole_strides_with_some_padding_left(
    source: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert trimmed_size(INPUT, source, 32) == expected


@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_an_input_that_the_picture_fills_is_left_alone(fit: str) -> None:
    picture = msgspec.structs.replace(INPUT, letterbox=fit)
    assert trimmed_size(picture, (1280, 720), 32) == (416, 416)


def test_a_coarser_stride_takes_longer_steps() -> None:
    picture = msgspec.structs.replace(INPUT, width=640, height=640)
    assert trimmed_size(picture, (640, 480), 64) == (640, 512)


def test_the_coarsest_grid_is_that_of_the_graph() -> None:
    shapes = {"a": (1, 8, 52, 52), "b": (1, 8, 13, 13), "pooled": (1, 8, 1, 1), "rows": (1, 100, 7)}
    assert coarsest_stride(shapes, INPUT) == 32
    assert coarsest_stride({}, INPUT) == 1


def test_a_graph_that_takes_cells_by_their_position_is_refused_in_one_line(tmp_path: Path) -> None:
    path = baked(tmp_path / "slices.onnx", slices=True)
    Model(path)
    for _ in range(2):  # the second time from the cache
        with pytest.raises(ModelError, match=r"slices\.onnx: keeps the padding .* by its position"):
            Model(path, aspect=(16, 9))


def test_an_aspect_ratio_without_padding_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"keeps the padding of its letterbox: pictures of 1x1 leave none"):
        Model(exported(tmp_path / "square.onnx"), aspect=(1, 1))
