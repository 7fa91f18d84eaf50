"""PP-YOLOE's boxes and scores become the objects that the plain numpy twins find. Weights are random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.facts import GraphFacts
from edge_engine.models.families.ppyoloe import PpYoloe
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.made import made, opened, run
from tests.models.many_facts import PICODET_DECODED, PPYOLOE, facts
from tests.reference.boxes import decode_boxes_reference
from tests.reference.nms import nms_reference

LABELS, ANCHORS = ("person", "car", "bicycle"), 84
SPEC = ModelSpec(
    "tiny",
    "detection",
    "ppyoloe",
    InputSpec(64, 64, "NCHW", "float32", "RGB", "stretch", std=(255.0,) * 3),
    LABELS,
    0.5,
    0.7,
)
SHAPES = {"boxes": (1, ANCHORS, 4), "scores": (1, len(LABELS), ANCHORS)}


def test_a_graph_gives_the_objects_of_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"boxes": (SHAPES["boxes"], "Identity"), "scores": (SHAPES["scores"], "Sigmoid")}
    model = opened(made(tmp_path / "ppyoloe.onnx", SPEC, outputs), monkeypatch)
    for seed in range(5):
        found = run(model, seed)
        objects = model.decoder(list(found.values()), 0.5, 0.3)
        boxes, scores, class_ids = decode_boxes_reference(found["scores"][0], found["boxes"][0], 0.5)
        kept = nms_reference(boxes, scores, class_ids, 0.3)
        assert isinstance(objects, Objects)
        assert len(objects) > 3
        np.testing.assert_array_equal(objects.boxes_xyxy, boxes[kept])
        np.testing.assert_array_equal(objects.scores, scores[kept])
        np.testing.assert_array_equal(objects.class_ids, class_ids[kept])


def test_outputs_may_come_the_other_way_round() -> None:
    boxes, scores = np.zeros(SHAPES["boxes"], np.float32), np.zeros(SHAPES["scores"], np.float32)
    boxes[0, 7], scores[0, 2, 7] = (1, 2, 30, 40), 0.75
    objects = PpYoloe(SPEC, {name: SHAPES[name] for name in ("scores", "boxes")})([scores, boxes], 0.5, 0.7)
    assert (objects.boxes_xyxy.tolist(), objects.class_ids.tolist()) == ([[1, 2, 30, 40]], [2])


def test_nothing_above_the_threshold_and_no_numbers_give_no_objects() -> None:
    decoder = PpYoloe(SPEC, SHAPES)
    for value in (0.0, np.nan, np.inf):
        outputs = [np.full(shape, value, np.float32) for shape in SHAPES.values()]
        assert len(decoder(outputs, 0.5, 0.6)) == 0


@pytest.mark.parametrize(("shown", "std"), [(PPYOLOE, 255.0), (PICODET_DECODED, 58.395)])
def test_it_is_recognised_with_its_customs(shown: GraphFacts, std: float) -> None:
    deduction = PpYoloe.deduce(shown)
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox, deduction.colour) == (80, "stretch", "RGB")
    assert deduction.std[0] == std


def test_boxes_and_scores_that_cannot_be_told_apart_are_not_claimed() -> None:
    assert PpYoloe.deduce(facts((32, 32), {"a": (1, 21, 4), "b": (1, 21, 4)})) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": (1, ANCHORS, 4), "scores": (1, ANCHORS, 3)},
        {"boxes": (1, ANCHORS, 4), "scores": (1, 4, ANCHORS)},
        {"boxes": (1, ANCHORS + 1, 4), "scores": (1, 3, ANCHORS)},
        {"scores": (1, 3, ANCHORS)},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_clear_line(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"boxes \[1, anchors, 4\] and scores \[1, 3, anchors\]") as raised:
        PpYoloe(SPEC, wrong)
    assert "\n" not in str(raised.value)
