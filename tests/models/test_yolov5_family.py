"""YOLOv5's output becomes the objects that the plain numpy twins find; graphs have random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families import load_family
from edge_engine.models.families.yolov5 import YoloV5
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models import heads
from tests.reference.nms import nms_reference
from tests.reference.objectness import decode_objectness_reference

ANCHORS = 1575


def spec(labels: int = 6) -> ModelSpec:
    picture = InputSpec(160, 160, "NHWC", "uint8", "RGB", "centre")
    names = tuple(f"class {i}" for i in range(labels))
    return ModelSpec("tiny", "detection", "yolov5", picture, names, 0.25, 0.45)


def head(seed: int, classes: int = 6) -> NDArray[np.float32]:
    """Boxes that overlap, some of them scored high."""
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(20, 140, (ANCHORS // 25, 4)).repeat(25, axis=0) * rng.uniform(0.9, 1.1, (ANCHORS, 4))
    return np.concatenate([boxes, rng.random((ANCHORS, 1 + classes)) ** 2], axis=1)[None].astype(np.float32)


def assert_as_the_references(
    found: Objects, output: NDArray[np.float32], classes: int, score: float, iou: float
) -> None:
    boxes, scores, class_ids = decode_objectness_reference(output, classes, None, score)
    kept = nms_reference(boxes, scores, class_ids, iou)[:300]
    np.testing.assert_array_equal(found.boxes_xyxy, boxes[kept])
    np.testing.assert_array_equal(found.scores, scores[kept])
    np.testing.assert_array_equal(found.class_ids, class_ids[kept])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("score", "iou"), [(0.25, 0.45), (0.0, 0.3), (0.9, 0.5), (1.0, 0.5)])
def test_finds_what_the_references_find(seed: int, score: float, iou: float) -> None:
    output = head(seed)
    decoder = load_family("yolov5")(spec(), {"maps": (1, 3, 20, 20, 11), "output0": output.shape})
    found = decoder([np.zeros((1, 3, 20, 20, 11), np.float32), output], score, iou)
    assert_as_the_references(found, output[0], 6, score, iou)


def test_a_single_class_is_scored_by_objectness_alone() -> None:
    output = head(1, classes=1)
    found = YoloV5(spec(1), {"output0": output.shape})([output], 0.25, 0.45)
    assert len(found) > 5
    assert_as_the_references(found, output[0], 0, 0.25, 0.45)


def test_half_precision_outputs_are_read() -> None:
    output = head(2).astype(np.float16)
    found = YoloV5(spec(), {"output0": output.shape})([output], 0.25, 0.45)
    assert_as_the_references(found, output[0].astype(np.float32), 6, 0.25, 0.45)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_numbers_give_no_objects(value: float) -> None:
    output = np.full((1, ANCHORS, 11), value, np.float32)
    assert len(YoloV5(spec(), {"output0": output.shape})([output], 0.0, 0.45)) == 0


@pytest.mark.parametrize("with_maps", [False, True])
def test_a_graph_without_metadata_is_known_and_its_maps_are_dropped(tmp_path: Path, with_maps: bool) -> None:
    model = Model(heads.yolov5(tmp_path / "mine.onnx", with_maps=with_maps))
    assert (model.spec.family, len(model.spec.labels)) == ("yolov5", heads.CLASSES)
    assert (model.spec.input.colour, model.spec.input.letterbox) == ("RGB", "centre")
    (output,) = heads.run(model)
    found = model.decoder([output], 0.25, 0.45)
    assert isinstance(found, Objects)
    assert len(found) > 5
    assert_as_the_references(found, output[0], heads.CLASSES, 0.25, 0.45)


@pytest.mark.parametrize("names", ["['a', 'b', 'c', 'd']", "{0: 'a', 1: 'b', 2: 'c', 3: 'd'}"])
def test_the_labels_that_its_own_exporter_writes_are_read(tmp_path: Path, names: str) -> None:
    model = Model(heads.yolov5(tmp_path / "mine.onnx", {"stride": "32", "names": names}))
    assert (model.spec.family, model.spec.labels) == ("yolov5", ("a", "b", "c", "d"))


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("['a', 'b']", "its metadata: has 2 labels; mine.onnx has room for 4"),
        ("{1: 'a', 2: 'b', 3: 'c', 4: 'd'}", "expected {0: name"),
        ("7", "expected {0: name"),
        ("a b c d", "unreadable names"),
    ],
)
def test_labels_that_can_not_be_read_are_one_line(tmp_path: Path, names: str, line: str) -> None:
    with pytest.raises(ModelError) as raised:
        Model(heads.yolov5(tmp_path / "mine.onnx", {"stride": "32", "names": names}))
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "shapes",
    [
        {"a": (1, ANCHORS, 10)},
        {"a": (1, 11, ANCHORS)},
        {"a": (1, ANCHORS, 11), "b": (1, 7, 11)},
        {"a": (2, ANCHORS, 11)},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"expected one output \[1, anchors, 11\] for 6 labels; outputs are"):
        YoloV5(spec(), shapes)
