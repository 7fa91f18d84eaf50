"""Candidates go through suppression together with where they came from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.family import MAX_OBJECTS
from tests.reference.nms import nms_reference

Array = NDArray[np.float32]


def scattered(n: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 200, (n, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 50, (n, 2))], axis=1)
    return boxes.astype(np.float32), (rng.permutation(n) / n).astype(np.float32)


def test_each_keeps_the_row_that_it_came_from() -> None:
    boxes, scores = scattered(100)
    found = Candidates()
    kept = found.keep(found.fill(boxes, scores, np.arange(100) * 7), 0.0, 0.3)
    np.testing.assert_array_equal(kept, nms_reference(boxes, scores, np.zeros(100, np.int32), 0.3))
    np.testing.assert_array_equal(found.rows[kept], kept * 7)
    np.testing.assert_array_equal(boxes[found.rows[kept] // 7], found.boxes_xyxy[kept])


def test_of_too_many_the_best_stay_in_their_order() -> None:
    boxes, scores = scattered(50)
    found = Candidates(cap=20)
    assert found.fill(boxes, scores, np.arange(50)) == 20
    best = np.sort(np.argsort(-scores)[:20])
    np.testing.assert_array_equal(found.rows, best)
    np.testing.assert_array_equal(found.scores, scores[best])
    np.testing.assert_array_equal(found.boxes_xyxy, boxes[best])


def test_boxes_without_area_take_no_objects_place() -> None:
    n = MAX_OBJECTS + 10
    left = np.arange(n, dtype=np.float32) * 10
    boxes = np.stack([left, left * 0, left + 5, left * 0 + 5], axis=1)
    boxes[:10, 2] = boxes[:10, 0]
    found = Candidates()
    objects = found.suppress(
        found.fill(boxes, np.linspace(1, 0.5, n, dtype=np.float32), np.arange(n)), 0.0, 0.5
    )
    np.testing.assert_array_equal(objects.boxes_xyxy, boxes[10:])


def test_an_object_whose_keypoints_are_no_numbers_is_left_out_with_its_mask() -> None:
    boxes, scores = scattered(3)
    found = Candidates()
    kept = found.keep(found.fill(boxes, scores, np.arange(3)), 0.0, 1.0)
    keypoints = np.ones((3, 5, 3), np.float32)
    keypoints[1, 4, 0] = np.inf
    masks = np.arange(3, dtype=np.uint8)[:, None, None].repeat(2, axis=1)
    objects = found.objects(kept, keypoints, masks)
    np.testing.assert_array_equal(objects.boxes_xyxy, boxes[kept[[0, 2]]])
    assert objects.keypoints is not None
    assert objects.masks is not None
    assert np.isfinite(objects.keypoints).all()
    np.testing.assert_array_equal(objects.masks[:, 0, 0], [0, 2])


def test_objects_are_no_views_of_the_scratch() -> None:
    boxes, scores = scattered(3)
    found = Candidates()
    objects = found.suppress(found.fill(boxes, scores, np.arange(3)), 0.0, 1.0)
    before = objects.boxes_xyxy.copy()
    found.fill(*scattered(3, seed=1), np.arange(3))
    np.testing.assert_array_equal(objects.boxes_xyxy, before)


def test_numpy_families_may_have_several_classes_and_the_best_keep_theirs() -> None:
    boxes, scores = scattered(50)
    class_ids = np.arange(50) % 7
    found = Candidates(cap=20)
    assert found.fill(boxes, scores, np.arange(50), class_ids) == 20
    np.testing.assert_array_equal(found.class_ids, class_ids[found.rows])
