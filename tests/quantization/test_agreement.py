"""Agreement and harm: the same answers agree wholly, and worse ones less."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_engine.errors import DataError
from edge_engine.models.spec import InputSpec, ModelSpec, Task
from edge_engine.quantization.agreement import agreement, threshold_for
from edge_engine.quantization.harm import harm
from edge_engine.result import Answer, Objects, Segmentation, Tags

PICTURE = InputSpec(96, 64, "NHWC", "uint8", "RGB", "stretch")
SPEC = ModelSpec("net", "detection", "yolov8", PICTURE, ("a", "b", "c"), 0.4, 0.6)


def objects(seed: int, count: int = 6) -> Objects:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 60, (count, 2))
    boxes = np.hstack([corners, corners + rng.uniform(8, 30, (count, 2))]).astype(np.float32)
    scores = np.sort(rng.uniform(0.5, 1, count))[::-1].astype(np.float32)
    return Objects(boxes, scores, rng.integers(0, 3, count).astype(np.int32))


def answers(task: Task, seed: int = 0) -> list[Answer]:
    rng = np.random.default_rng(seed)
    if task == "segmentation":
        return [Segmentation(rng.integers(0, 3, (8, 12)).astype(np.uint8)) for _ in range(3)]
    if task in ("classification", "tagging"):
        scores = np.array([0.7, 0.5, 0.1], np.float32)
        return [Tags(rng.permutation(3).astype(np.int32), scores) for _ in range(3)]
    found = [objects(seed + i) for i in range(3)]
    for each in found:
        if task == "pose":
            each.keypoints = rng.uniform(0, 60, (len(each), 17, 3)).astype(np.float32)
        if task == "instance-segmentation":
            each.masks = np.zeros((len(each), 16, 24), np.uint8)
            each.masks[:, 4:12, 4:20] = 1
    return list(found)


TASKS: tuple[Task, ...] = (
    *("detection", "instance-segmentation", "pose"),
    *("classification", "tagging", "segmentation"),
)


@pytest.mark.parametrize("task", TASKS)
def test_a_model_agrees_with_itself_wholly_and_with_another_less(task: Task) -> None:
    spec = replace(SPEC, task=task)
    same = agreement(spec, answers(task), answers(task), 0.4)
    assert same.value == pytest.approx(1)
    assert same.ap is None or same.ap == pytest.approx(1)
    assert harm(answers(task), answers(task), 0.4) == pytest.approx(0, abs=1e-6)
    other = answers(task, seed=40)
    assert agreement(spec, answers(task), other, 0.4).value < 0.8
    assert 0.05 < harm(answers(task), other, 0.4) <= 1


def test_pictures_between_two_classes_do_not_count() -> None:
    def tags(*scores: float, swapped: bool = False) -> Tags:
        ids = np.array([1, 0] if swapped else [0, 1], np.int32)
        return Tags(ids, np.array(scores, np.float32))

    spec = replace(SPEC, task="classification")
    truth: list[Answer] = [tags(0.8, 0.1), tags(0.41, 0.4)]
    assert agreement(spec, truth, [tags(0.7, 0.1), tags(0.41, 0.4, swapped=True)], 0.0).value == 1
    assert agreement(spec, truth, [tags(0.7, 0.1, swapped=True), tags(0.41, 0.4)], 0.0).value == 0


def test_classes_in_a_few_cells_do_not_count() -> None:
    seen = np.ones((40, 40), np.uint8)
    seen[:20], seen[39, 39] = 0, 2
    missed = seen.copy()
    missed[39, 39] = 1
    spec = replace(SPEC, task="segmentation")
    assert agreement(spec, [Segmentation(seen)], [Segmentation(missed)], 0.4).value > 0.99


@given(st.floats(0, 30), st.floats(0, 30))
@settings(deadline=None)
def test_harm_grows_with_what_boxes_are_moved_by(one: float, other: float) -> None:
    less, more = sorted((one, other))
    truth = objects(3, count=1)

    def moved(by: float) -> Objects:
        return Objects(truth.boxes_xyxy + np.float32(by), truth.scores, truth.class_ids)

    found = [harm([truth], [moved(by)], 0.4) for by in (less, more)]
    assert 0 <= found[0] <= found[1] + 1e-6 <= 1 + 2e-6


def test_where_the_float_model_finds_little_what_it_finds_counts() -> None:
    faint = objects(1)
    faint.scores *= np.float32(0.1)
    assert threshold_for(SPEC, [objects(1)], wanted=4) == SPEC.score_threshold
    assert threshold_for(SPEC, [faint], wanted=4) == pytest.approx(float(faint.scores[3]))
    with pytest.raises(DataError, match="finds nothing"):
        threshold_for(SPEC, [Objects.none()], wanted=4)
