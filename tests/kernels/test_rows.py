"""decode_rows finds what the plain numpy twin finds, and the best when there is too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.rows import decode_rows
from tests.reference.rows import decode_rows_reference

Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def buffers(cap: int) -> Decoded:
    return np.full((cap, 4), -1, np.float32), np.full(cap, -1, np.float32), np.full(cap, -1, np.int32)


def decode(output: NDArray[np.float32], threshold: float, cap: int = 9000) -> Decoded:
    boxes, scores, class_ids = buffers(cap)
    best = np.empty(output.shape[1], np.float32)
    rows = np.empty(cap, np.int32)
    count = decode_rows(output, threshold, best, boxes, scores, class_ids, rows, 0)
    return boxes[:count], scores[:count], class_ids[:count]


def random_output(anchors: int, classes: int, seed: int) -> NDArray[np.float32]:
    """Scores in steps, so that some are equal."""
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(0, 640, (4, anchors))
    return np.concatenate([boxes, rng.integers(0, 50, (classes, anchors)) / 50]).astype(np.float32)


def assert_same(found: Decoded, expected: Decoded) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(deadline=None, max_examples=100)
@given(
    anchors=st.integers(1, 3000),
    classes=st.integers(1, 90),
    threshold=st.sampled_from([0.0, 0.3, 0.98, 1.1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(anchors: int, classes: int, threshold: float, seed: int) -> None:
    output = random_output(anchors, classes, seed)
    assert_same(decode(output, threshold), decode_rows_reference(output, threshold))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_odd_scores_are_as_the_reference_has_them(value: float) -> None:
    output = random_output(2100, 5, 1)
    output[4:, ::3] = value
    output[6, ::2] = value
    assert_same(decode(output, 0.5), decode_rows_reference(output, 0.5))


@pytest.mark.parametrize("threshold", [np.nan, np.inf])
def test_an_impossible_threshold_finds_nothing(threshold: float) -> None:
    assert len(decode(random_output(100, 3, 1), threshold)[1]) == 0


@pytest.mark.parametrize("cap", [1, 2, 7, 500, 8399, 8400])
def test_full_outputs_keep_the_best_candidates(cap: int) -> None:
    output = random_output(8400, 2, 5)
    output[4] = np.random.default_rng(1).permutation(8400) / 10000
    found, everything = decode(output[:5], 0.0, cap), decode_rows_reference(output[:5], 0.0)
    mine, best = np.argsort(-found[1]), np.argsort(-everything[1])[:cap]
    assert_same(tuple(a[mine] for a in found), tuple(a[best] for a in everything))


def test_it_is_appended_to_what_is_there() -> None:
    output = random_output(10, 3, 2)
    boxes, scores, class_ids = buffers(30)
    rows, best = np.empty(30, np.int32), np.empty(10, np.float32)
    count = decode_rows(output, 0.0, best, boxes, scores, class_ids, rows, 0)
    count = decode_rows(output, 0.0, best, boxes, scores, class_ids, rows, count)
    assert count == 20
    np.testing.assert_array_equal(boxes[:10], boxes[10:20])


def test_arrays_that_do_not_fit_are_refused() -> None:
    found, rows = buffers(3), np.empty(3, np.int32)
    with pytest.raises(ValueError, match="output"):
        decode_rows(np.zeros((4, 9), np.float32), 0.5, np.empty(9, np.float32), *found, rows, 0)


@pytest.mark.parametrize("cap", [1, 7, 500, 2100, 3000])
def test_each_candidate_comes_with_the_anchor_that_it_is_of(cap: int) -> None:
    output = random_output(2100, 4, 3)
    boxes, scores, class_ids = buffers(cap)
    rows, best = np.full(cap, -1, np.int32), np.empty(2100, np.float32)
    count = decode_rows(output, 0.5, best, boxes, scores, class_ids, rows, 0)
    anchors = rows[:count]
    assert len(np.unique(anchors)) == count
    np.testing.assert_array_equal(scores[:count], output[4 + class_ids[:count], anchors])
    left_top = (output[:2, anchors] - output[2:4, anchors] / 2).T
    np.testing.assert_array_equal(boxes[:count, :2], left_top)
