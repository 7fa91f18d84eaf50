"""Boxes, scores and classes that a graph has suppressed become objects, TensorFlow's and torchvision's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.families.graph_nms import GraphNms
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.exported import save
from tests.models.made import opened, run
from tests.models.many_facts import TENSORFLOW, TORCHVISION, ZOO_SSD, facts
from tests.reference.suppressed import best_reference

WIDTH, HEIGHT = 200, 100
TENSORFLOWS = {"detection_boxes:0": (1, 20, 4), "detection_classes:0": (1, 20), "detection_scores:0": (1, 20)}
TORCHVISIONS = {"boxes": (9, 4), "labels": (9,), "scores": (9,)}


def spec(size: tuple[int, int] = (WIDTH, HEIGHT), **options: Any) -> ModelSpec:  # noqa: ANN401 - a family's own
    picture = InputSpec(*size, "NHWC", "uint8", "RGB", "stretch")
    return ModelSpec("tiny", "detection", "graph_nms", picture, tuple("abc"), 0.5, 1.0, options=options)


@settings(deadline=None)
@given(
    n=st.integers(0, 400),
    first_class=st.sampled_from([0, 1]),
    box_order=st.sampled_from(["xyxy", "yxyx"]),
    is_normalised=st.booleans(),
    threshold=st.sampled_from([0.0, 0.5, 0.975]),
    seed=st.integers(0, 999),
)
def test_finds_what_the_reference_finds(
    n: int, first_class: int, box_order: str, is_normalised: bool, threshold: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 200, (1, n, 2))
    boxes = np.concatenate([corners, corners + rng.integers(-9, 50, (1, n, 2))], axis=2).astype(np.float32)
    scores = (rng.integers(0, 40, (1, n)) / 40).astype(np.float32)
    scores[0, 5:7], boxes[0, 9:11, 2] = np.nan, np.inf
    classes = rng.integers(0, 6, (1, n))
    names = {"boxes": "b", "scores": "s", "classes": "c"}
    options = {"first_class": first_class, "box_order": box_order, "is_normalised": is_normalised}
    shapes = {"c": classes.shape, "s": scores.shape, "b": boxes.shape}
    objects = GraphNms(spec(**names, **options), shapes)([classes, scores, boxes], threshold, 0.5)

    rows = []
    for box, score, class_id in zip(boxes[0].tolist(), scores[0].tolist(), classes[0].tolist(), strict=True):
        x1, y1, x2, y2 = box if box_order == "xyxy" else (box[1], box[0], box[3], box[2])
        wide, high = (WIDTH, HEIGHT) if is_normalised else (1, 1)
        rows.append((class_id - first_class, score, [x1 * wide, y1 * high, x2 * wide, y2 * high]))
    expected = best_reference(rows, float(np.float32(threshold)), 3)
    assert objects.class_ids.tolist() == [row[0] for row in expected]
    assert objects.scores.tolist() == [row[1] for row in expected]
    assert objects.boxes_xyxy.tolist() == [row[2] for row in expected]


def test_tensorflows_outputs_are_known_by_their_names() -> None:
    decoder = GraphNms(spec(), TENSORFLOWS)
    boxes = np.zeros((1, 20, 4), np.float32)
    classes, scores = np.ones((1, 20), np.float32), np.zeros((1, 20), np.float32)
    boxes[0, 0], classes[0, 0], scores[0, 0] = (0.25, 0.5, 0.5, 0.75), 2, 0.875
    objects = decoder([boxes, classes, scores], 0.5, 1.0)
    assert objects.boxes_xyxy.tolist() == [[100, 25, 150, 50]]
    assert (objects.class_ids.tolist(), objects.scores.tolist()) == ([1], [0.875])
    assert len(decoder([boxes, classes, scores], 0.0, 1.0)) == 1  # what fills up the rest has no area


def test_torchvisions_number_differs_from_picture_to_picture() -> None:
    deduction = GraphNms.deduce(TORCHVISION)
    assert deduction is not None
    assert (deduction.classes, deduction.std) == (0, (255.0, 255.0, 255.0))
    decoder = GraphNms(spec(**deduction.options), {"512": (9, 4), "513": (9,), "514": (9,)})
    for n in (4, 0, 20):
        boxes, labels = np.tile(np.float32([10, 20, 30, 40]), (n, 1)), np.full(n, 3, np.int64)
        objects = decoder([boxes, labels, np.full(n, 0.75, np.float32)], 0.5, 1.0)
        assert objects.boxes_xyxy.tolist() == [[10, 20, 30, 40]] * n
        assert objects.class_ids.tolist() == [2] * n


def test_each_kind_is_recognised() -> None:
    tensorflow, zoo = GraphNms.deduce(TENSORFLOW), GraphNms.deduce(ZOO_SSD)
    assert tensorflow is not None
    assert zoo is not None
    assert tensorflow.options == {
        "boxes": "detection_boxes",
        "scores": "detection_scores",
        "classes": "detection_classes",
        "box_order": "yxyx",
        "is_normalised": True,
        "first_class": 1,
    }
    assert tensorflow.std == (1.0, 1.0, 1.0)
    assert (zoo.options["box_order"], zoo.options["is_normalised"]) == ("xyxy", True)


def test_tensorflow_lites_classes_count_from_0() -> None:
    name = "TFLite_Detection_PostProcess"
    outputs = {name: (1, 10, 4), f"{name}:1": (1, 10), f"{name}:2": (1, 10), f"{name}:3": (1,)}
    deduction = GraphNms.deduce(facts((300, 300), outputs))
    assert deduction is not None
    assert deduction.options["first_class"] == 0
    assert (deduction.options["scores"], deduction.options["classes"]) == (f"{name}:2", f"{name}:1")


def test_a_graph_that_suppresses_boxes_gives_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the converters write it: of 50 constant boxes NonMaxSuppression keeps few, of one class."""
    rng = np.random.default_rng(2)
    corners = rng.uniform(0, 0.7, (50, 2))
    boxes = np.concatenate([corners, corners + 0.25], axis=1).astype(np.float32)
    scores = rng.random(50).astype(np.float32)
    tensors = {
        "all_boxes": boxes[None],
        "all_scores": scores[None, None],
        "most": np.array([8], np.int64),
        "iou": np.float32([0.3]),
        "least": np.float32([0.2]),
        "column": np.array([2], np.int64),
        "zero": np.float32([0]),
        "first": np.array([1], np.int64),
        "all": np.array([-1], np.int64),
    }
    nodes = [
        helper.make_node(
            "NonMaxSuppression", ["all_boxes", "all_scores", "most", "iou", "least"], ["chosen"]
        ),
        helper.make_node("Gather", ["chosen", "column"], ["indices"], axis=1),
        helper.make_node("Reshape", ["indices", "all"], ["index"]),
        helper.make_node("Gather", ["all_boxes", "index"], ["detection_boxes"], axis=1),
        helper.make_node("Reshape", ["all_scores", "all"], ["flat"]),
        helper.make_node("Gather", ["flat", "index"], ["some"]),
        helper.make_node("ReduceMax", ["images"], ["brightest"], keepdims=0),
        helper.make_node("Mul", ["brightest", "zero"], ["nothing"]),
        helper.make_node("Add", ["some", "nothing"], ["scores"]),
        helper.make_node("Unsqueeze", ["scores", "axis"], ["detection_scores"]),
        helper.make_node("Sign", ["detection_scores"], ["detection_classes"]),
    ]
    tensors["axis"] = np.array([0], np.int64)
    values = {"detection_boxes": [1, "n", 4], "detection_scores": [1, "n"], "detection_classes": [1, "n"]}
    graph = helper.make_graph(
        nodes,
        "suppressed",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    picture = InputSpec(64, 64, "NCHW", "float32", "RGB", "stretch")
    path = save(
        model, tmp_path / "ssd.onnx", ModelSpec("tiny", "detection", "graph_nms", picture, ("a",), 0.5, 1.0)
    )
    loaded = opened(path, monkeypatch)
    objects = loaded.decoder(list(run(loaded).values()), 0.2, 1.0)
    assert isinstance(objects, Objects)
    assert 1 < len(objects) <= 8
    for box, score in zip(objects.boxes_xyxy, objects.scores, strict=True):
        (place,) = np.flatnonzero(scores == score)
        np.testing.assert_allclose(box, boxes[place, [1, 0, 3, 2]] * 64, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "options"),
    [
        ({"a": (1, 20, 4), "b": (1, 20), "c": (1, 20)}, {}),
        ({"boxes": (9, 4), "labels": (8,), "scores": (9,)}, {}),
        ({"boxes": (9, 5), "labels": (9,), "scores": (9,)}, {}),
        (TORCHVISIONS, {"boxes": "boxes", "scores": "scores", "classes": "classes"}),
        ({}, {}),
    ],
)
def test_outputs_that_do_not_fit_are_one_clear_line(
    wrong: dict[str, tuple[int, ...]], options: dict[str, str]
) -> None:
    with pytest.raises(ModelError, match="doesn't fit the graph_nms family: expected") as raised:
        GraphNms(spec(**options), wrong)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "options", [{"box_order": "xywh"}, {"is_normalised": 1}, {"first_class": 0.5}, {"first_class": True}]
)
def test_options_that_are_none_are_one_clear_line(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=f"option {next(iter(options))} is .*; expected"):
        GraphNms(spec(**options), TENSORFLOWS)
