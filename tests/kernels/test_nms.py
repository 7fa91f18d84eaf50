"""nms keeps what the plain numpy twin keeps, whatever the boxes."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from edge_engine.kernels.nms import nms
from tests.reference.nms import iou_of, nms_reference

Candidates = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]

# Few distinct values: identical, zero-area, inverted and non-finite boxes and tied scores are common.
COORDINATES = st.sampled_from([0, 1, 2, 3, 5, 8, 9.5, -4, 1e-30, 3e38, -3e38, np.nan, np.inf, -np.inf])
SCORES = st.sampled_from([0, 0.25, 0.5, 0.75, 1, -1, np.nan, np.inf, -np.inf])
CLASS_IDS = st.sampled_from([0, 1, 2, 79, -1, 2**31 - 1, -(2**31)])
THRESHOLDS = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.57, 0.7, 1.0])


@st.composite
def adversarial(draw: st.DrawFn) -> Candidates:
    n = draw(st.integers(0, 40))
    return (
        draw(hnp.arrays(np.float32, (n, 4), elements=COORDINATES.map(np.float32))),
        draw(hnp.arrays(np.float32, n, elements=SCORES.map(np.float32))),
        draw(hnp.arrays(np.int32, n, elements=CLASS_IDS)),
    )


@st.composite
def ordinary(draw: st.DrawFn) -> Candidates:
    """Finite boxes with distinct scores."""
    n = draw(st.integers(0, 200))
    return random_candidates(n, draw(st.integers(1, 5)), draw(st.integers(0, 2**32 - 1)))


def random_candidates(n: int, classes: int, seed: int, side: float = 100) -> Candidates:
    rng = np.random.default_rng(seed)
    left_top = rng.uniform(0, side, (n, 2))
    boxes = np.concatenate([left_top, left_top + rng.uniform(0, 50, (n, 2))], axis=1).astype(np.float32)
    scores = rng.permutation(np.arange(1, n + 1) / (n + 1)).astype(np.float32)
    return boxes, scores, rng.integers(0, classes, n).astype(np.int32)


def candidates(*rows: tuple[float, float, float, float, float, int]) -> Candidates:
    """Each row: x1, y1, x2, y2, score, class id."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return np.ascontiguousarray(table[:, :4]), table[:, 4].copy(), table[:, 5].astype(np.int32)


@settings(deadline=None, max_examples=300)
@given(adversarial(), THRESHOLDS)
def test_keeps_what_the_reference_keeps_of_adversarial_boxes(found: Candidates, threshold: float) -> None:
    np.testing.assert_array_equal(nms(*found, threshold), nms_reference(*found, threshold))


@settings(deadline=None, max_examples=100)
@given(ordinary(), THRESHOLDS)
def test_keeps_what_the_reference_keeps_of_ordinary_boxes(found: Candidates, threshold: float) -> None:
    np.testing.assert_array_equal(nms(*found, threshold), nms_reference(*found, threshold))


@settings(deadline=None, max_examples=100)
@given(st.one_of(adversarial(), ordinary()), THRESHOLDS)
def test_kept_boxes_of_a_class_overlap_no_more_than_the_threshold(
    found: Candidates, threshold: float
) -> None:
    kept = nms(*found, threshold)
    boxes, _, class_ids = (array[kept] for array in found)
    for i in range(len(kept)):
        same = np.flatnonzero(class_ids[:i] == class_ids[i])
        assert (iou_of(boxes[i], boxes[same]) <= threshold).all()


@settings(deadline=None, max_examples=100)
@given(st.one_of(adversarial(), ordinary()), THRESHOLDS)
def test_a_second_pass_keeps_everything_in_place(found: Candidates, threshold: float) -> None:
    kept = nms(*found, threshold)
    boxes, scores, class_ids = (array[kept] for array in found)
    assert (np.diff(scores) <= 0).all()
    np.testing.assert_array_equal(nms(boxes, scores, class_ids, threshold), np.arange(len(kept)))


@settings(deadline=None, max_examples=50)
@given(ordinary(), THRESHOLDS, st.integers(0, 2**32 - 1))
def test_the_order_of_the_candidates_does_not_matter(found: Candidates, threshold: float, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(found[1]))
    shuffled = [array[order] for array in found]
    np.testing.assert_array_equal(order[nms(*shuffled, threshold)], nms(*found, threshold))


@pytest.mark.parametrize(("n", "classes"), [(10_000, 1), (2_000, 80)])
def test_many_boxes_are_kept_as_the_reference_does(n: int, classes: int) -> None:
    found = random_candidates(n, classes, seed=1, side=400)
    np.testing.assert_array_equal(nms(*found, 0.5), nms_reference(*found, 0.5))


def test_identical_boxes_leave_one_per_class_the_first_of_equal_scores() -> None:
    found = candidates((0, 0, 4, 4, 0.5, 1), (0, 0, 4, 4, 0.5, 1), (0, 0, 4, 4, 0.5, 0), (0, 0, 4, 4, 0.9, 0))
    assert nms(*found, 0.5).tolist() == [3, 0]


def test_an_overlap_of_just_the_threshold_is_no_reason_to_go() -> None:
    found = candidates((0, 0, 2, 2, 0.9, 0), (0, 0, 2, 1, 0.8, 0))
    assert nms(*found, 0.5).tolist() == [0, 1]
    assert nms(*found, 0.49).tolist() == [0]


def test_a_suppressed_box_suppresses_nothing() -> None:
    found = candidates((0, 0, 10, 10, 0.9, 0), (4, 0, 14, 10, 0.8, 0), (8, 0, 18, 10, 0.7, 0))
    assert nms(*found, 0.4).tolist() == [0, 2]


def test_boxes_without_area_have_no_overlap() -> None:
    found = candidates((1, 1, 1, 1, 0.9, 0), (1, 1, 1, 1, 0.8, 0), (1, 1, 1, 5, 0.7, 0))
    assert nms(*found, 0.0).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "broken",
    [
        (0, 0, 4, 4, np.nan, 0),
        (0, 0, 4, 4, np.inf, 0),
        (np.nan, 0, 4, 4, 1, 0),
        (0, 0, np.inf, 4, 1, 0),
        (0, -np.inf, 4, 4, 1, 0),
        (4, 0, 0, 4, 1, 0),  # x2 < x1
        (0, 4, 4, 0, 1, 0),  # y2 < y1
    ],
)
def test_a_broken_candidate_is_not_kept_and_suppresses_nothing(
    broken: tuple[float, float, float, float, float, int],
) -> None:
    assert nms(*candidates(broken, (0, 0, 4, 4, 0.5, 0)), 0.5).tolist() == [1]


def test_no_candidates_leave_nothing() -> None:
    kept = nms(*candidates(), 0.5)
    assert kept.dtype == np.int64
    assert kept.shape == (0,)


def test_an_array_of_another_type_or_layout_is_refused() -> None:
    boxes, scores, class_ids = candidates((0, 0, 4, 4, 0.5, 0))
    with pytest.raises(ctypes.ArgumentError):
        nms(np.asfortranarray(np.repeat(boxes, 2, 0)), np.repeat(scores, 2), np.repeat(class_ids, 2), 0.5)
    with pytest.raises(ctypes.ArgumentError):
        nms(boxes.astype(np.float64), scores, class_ids, 0.5)
