"""YOLOv8's output becomes the objects that the plain numpy twins find."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families import load_family
from edge_engine.models.families.yolov8 import YoloV8
from edge_engine.models.spec import InputSpec, ModelSpec
from tests.reference.nms import nms_reference
from tests.reference.rows import decode_rows_reference

CLASSES, ANCHORS = 6, 525
SPEC = ModelSpec(
    "tiny",
    "detection",
    "yolov8",
    InputSpec(160, 160, "NHWC", "uint8", "RGB", "centre"),
    tuple("abcdef"),
    0.25,
    0.7,
)


def head(seed: int) -> NDArray[np.float32]:
    """Boxes that overlap, some of them scored high."""
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(20, 140, (4, ANCHORS // 21)).repeat(21, axis=1) * rng.uniform(0.9, 1.1, (4, ANCHORS))
    return np.concatenate([boxes, rng.random((CLASSES, ANCHORS)) ** 4])[None].astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("score", "iou"), [(0.25, 0.7), (0.0, 0.3), (0.9, 0.5), (1.0, 0.5)])
def test_finds_what_the_references_find(seed: int, score: float, iou: float) -> None:
    output = head(seed)
    decoder = load_family("yolov8")(SPEC, {"features": (1, 3, 20, 20), "output0": output.shape})
    found = decoder([np.zeros((1, 3, 20, 20), np.float32), output], score, iou)
    boxes, scores, class_ids = decode_rows_reference(output[0], score)
    kept = nms_reference(boxes, scores, class_ids, iou)[:300]
    np.testing.assert_array_equal(found.boxes_xyxy, boxes[kept])
    np.testing.assert_array_equal(found.scores, scores[kept])
    np.testing.assert_array_equal(found.class_ids, class_ids[kept])


@pytest.mark.parametrize(
    "shapes",
    [
        {"a": (1, 9, ANCHORS)},
        {"a": (1, ANCHORS, 10)},
        {"a": (1, 10, ANCHORS), "b": (1, 10, 7)},
        {"a": (2, 10, ANCHORS)},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"expected one output \[1, 10, anchors\] for 6 labels; outputs are"):
        YoloV8(SPEC, shapes)
