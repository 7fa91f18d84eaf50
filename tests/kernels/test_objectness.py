"""decode_objectness finds what the plain numpy twin finds, and the best when there is too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.objectness import decode_objectness
from tests.reference.objectness import decode_objectness_reference

Cells = NDArray[np.float32] | None
Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def buffers(cap: int) -> Decoded:
    return np.full((cap, 4), -1, np.float32), np.full(cap, -1, np.float32), np.full(cap, -1, np.int32)


def decode(
    output: NDArray[np.float32], classes: int, cells: Cells, threshold: float, cap: int = 9000
) -> Decoded:
    boxes, scores, class_ids = buffers(cap)
    rows = np.full(cap, -1, np.int32)
    count = decode_objectness(output, classes, cells, threshold, boxes, scores, class_ids, rows, 0)
    of_classes = output[rows[:count], 5 + class_ids[:count]] if classes else np.float32(1)
    np.testing.assert_array_equal(output[rows[:count], 4] * of_classes, scores[:count], "each has its anchor")
    return boxes[:count], scores[:count], class_ids[:count]


def random_output(anchors: int, classes: int, seed: int, *, extra: int = 0) -> NDArray[np.float32]:
    """Scores in steps, so that some are equal; some boxes without an area."""
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(-3, 600, (anchors, 4))
    scores = rng.integers(0, 50, (anchors, 1 + classes)) / 50
    return np.concatenate([boxes, scores, rng.uniform(2, 9, (anchors, extra))], axis=1).astype(np.float32)


def random_cells(anchors: int, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return np.stack([*rng.integers(0, 80, (2, anchors)), rng.choice([8, 16, 32], anchors)], 1).astype(
        np.float32
    )


def assert_same(found: Decoded, expected: Decoded, *, to: float = 0) -> None:
    np.testing.assert_allclose(found[0], expected[0], rtol=to, atol=to)
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(one, other)


@settings(deadline=None, max_examples=100)
@given(
    anchors=st.integers(1, 2000),
    classes=st.integers(0, 90),
    extra=st.sampled_from([0, 0, 1, 32]),
    threshold=st.sampled_from([0.0, 0.3, 0.9, 1.1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(
    anchors: int, classes: int, extra: int, threshold: float, seed: int
) -> None:
    output = random_output(anchors, classes, seed, extra=extra)
    assert_same(
        decode(output, classes, None, threshold),
        decode_objectness_reference(output, classes, None, threshold),
    )


@settings(deadline=None, max_examples=50)
@given(anchors=st.integers(1, 2000), classes=st.integers(0, 90), seed=st.integers(0, 2**32 - 1))
def test_raw_boxes_are_decoded_as_the_reference_decodes_them(anchors: int, classes: int, seed: int) -> None:
    output, cells = random_output(anchors, classes, seed), random_cells(anchors, seed)
    output[:, :4] = np.random.default_rng(seed).normal(size=(anchors, 4)) * 2
    expected = decode_objectness_reference(output, classes, cells, 0.2)
    assert_same(decode(output, classes, cells, 0.2), expected, to=1e-4)  # sides near 0 cancel out


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("cells", [None, random_cells(900, 3)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, in the reference
def test_odd_numbers_are_as_the_reference_has_them(value: float, column: int, cells: Cells) -> None:
    output = random_output(900, 4, 1)
    output[:, :4] /= 100
    output[::3, column] = value
    found = decode(output, 4, cells, 0.1)
    assert_same(found, decode_objectness_reference(output, 4, cells, 0.1), to=1e-5)
    assert all(np.isfinite(array).all() for array in found)


def test_sizes_too_large_for_a_float_are_no_boxes() -> None:
    output, cells = random_output(50, 2, 1), random_cells(50, 1)
    output[:, 2:4] = 100
    assert len(decode(output, 2, cells, 0.0)[1]) == 0


@pytest.mark.parametrize("threshold", [np.nan, np.inf])
def test_an_impossible_threshold_finds_nothing(threshold: float) -> None:
    assert len(decode(random_output(100, 3, 1), 3, None, threshold)[1]) == 0


@pytest.mark.parametrize("cap", [1, 2, 7, 500, 8399, 8400])
def test_full_outputs_keep_the_best_candidates(cap: int) -> None:
    output = random_output(8400, 0, 5)
    output[:, 2:4] = 5
    output[:, 4] = np.random.default_rng(1).permutation(8400) / 10000
    found, everything = decode(output, 0, None, 0.0, cap), decode_objectness_reference(output, 0, None, 0.0)
    mine, best = np.argsort(-found[1]), np.argsort(-everything[1])[:cap]
    assert_same(tuple(a[mine] for a in found), tuple(a[best] for a in everything))


def test_it_is_appended_to_what_is_there() -> None:
    output = np.full((10, 8), 0.5, np.float32)
    boxes, scores, class_ids = buffers(30)
    rows = np.full(30, -1, np.int32)
    count = decode_objectness(output, 3, None, 0.1, boxes, scores, class_ids, rows, 0)
    count = decode_objectness(output, 3, None, 0.1, boxes, scores, class_ids, rows, count)
    assert count == 20
    np.testing.assert_array_equal(boxes[:10], boxes[10:20])
    assert rows[:20].tolist() == [*range(10)] * 2


@pytest.mark.parametrize(("columns", "classes", "cells"), [(7, 3, 9), (4, 0, 9), (7, 2, 8), (7, -1, 9)])
def test_arrays_that_do_not_fit_are_refused(columns: int, classes: int, cells: int) -> None:
    boxes, scores, class_ids = buffers(3)
    output, grid = np.zeros((9, columns), np.float32), np.zeros((cells, 3), np.float32)
    with pytest.raises(ValueError, match="output"):
        decode_objectness(output, classes, grid, 0.5, boxes, scores, class_ids, class_ids, 0)
