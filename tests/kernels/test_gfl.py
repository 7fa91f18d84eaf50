"""decode_gfl finds what the plain numpy twin finds, and the best when there is too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.gfl import decode_gfl, decode_joint_gfl
from tests.reference.gfl import decode_gfl_reference

Head = tuple[NDArray[np.float32], NDArray[np.float32]]
Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def buffers(cap: int) -> Decoded:
    return np.full((cap, 4), -1, np.float32), np.full(cap, -1, np.float32), np.full(cap, -1, np.int32)


def decode(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    width: int,
    stride: int,
    threshold: float,
    cap: int = 4096,
) -> Decoded:
    boxes, best, class_ids = buffers(cap)
    count = decode_gfl(scores, distances, width, stride, threshold, boxes, best, class_ids, 0)
    return boxes[:count], best[:count], class_ids[:count]


def random_head(cells: int, classes: int, reg_max: int, seed: int, spread: float = 3) -> Head:
    rng = np.random.default_rng(seed)
    scores = rng.random((cells, classes)).astype(np.float32)
    return scores, (rng.normal(size=(cells, 4 * (reg_max + 1))) * spread).astype(np.float32)


def assert_same(found: Decoded, expected: Decoded) -> None:
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[2], expected[2])


@settings(deadline=None, max_examples=100)
@given(
    width=st.integers(1, 9),
    height=st.integers(1, 9),
    classes=st.integers(1, 20),
    reg_max=st.integers(1, 16),
    stride=st.sampled_from([4, 8, 16, 32, 64]),
    threshold=st.sampled_from([0.0, 0.3, 0.9, 1.1]),
    spread=st.sampled_from([0, 1, 30, 1e4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(
    width: int,
    height: int,
    classes: int,
    reg_max: int,
    stride: int,
    threshold: float,
    spread: float,
    seed: int,
) -> None:
    scores, distances = random_head(width * height, classes, reg_max, seed, spread)
    expected = decode_gfl_reference(scores, distances, width, stride, threshold)
    assert_same(decode(scores, distances, width, stride, threshold), expected)


def test_a_certain_distribution_gives_that_many_strides_from_the_cells_centre() -> None:
    distances = np.zeros((6, 44), np.float32)
    for side, bin_ in enumerate([1, 2, 3, 10]):
        distances[4, side * 11 + bin_] = 1000
    scores = np.zeros((6, 2), np.float32)
    scores[4, 1] = 0.5
    boxes, _, class_ids = decode(scores, distances, 3, 8, 0.5)
    assert boxes.tolist() == [[12 - 8, 12 - 16, 12 + 24, 12 + 80]]  # cell 4: row 1, column 1
    assert class_ids.tolist() == [1]


def test_every_class_above_the_threshold_is_a_candidate() -> None:
    scores = np.array([[0.4, 0.39, 0.8]], np.float32)
    _, found, class_ids = decode(scores, np.zeros((1, 32), np.float32), 1, 8, 0.4)
    assert class_ids.tolist() == [0, 2]
    assert found.tolist() == scores[0, [0, 2]].tolist()


def test_scores_that_are_no_number_are_no_candidates() -> None:
    scores = np.array([[np.nan, 0.1, 0.9]], np.float32)
    assert decode(scores, np.zeros((1, 32), np.float32), 1, 8, 0.5)[2].tolist() == [2]


def test_a_second_grid_is_appended_to_the_first() -> None:
    first, second = random_head(12, 3, 7, seed=1), random_head(6, 3, 7, seed=2)
    out = buffers(100)
    count = decode_gfl(*first, 4, 8, 0.5, *out, 0)
    count = decode_gfl(*second, 3, 16, 0.5, *out, count)
    parts = zip(
        decode_gfl_reference(*first, 4, 8, 0.5), decode_gfl_reference(*second, 3, 16, 0.5), strict=True
    )
    assert_same(tuple(array[:count] for array in out), tuple(np.concatenate(part) for part in parts))


@pytest.mark.parametrize("cap", [1, 2, 7, 64, 359, 360, 361])
def test_full_outputs_keep_the_best_candidates(cap: int) -> None:
    grids = [random_head(80, 3, 7, seed=3), random_head(40, 3, 7, seed=4)]  # 360 candidates
    out = buffers(cap)
    count = decode_gfl(*grids[0], 10, 8, 0.0, *out, 0)
    count = decode_gfl(*grids[1], 8, 16, 0.0, *out, count)
    assert count == min(cap, 360)

    expected = [
        np.concatenate(part)
        for part in zip(
            decode_gfl_reference(*grids[0], 10, 8, 0.0),
            decode_gfl_reference(*grids[1], 8, 16, 0.0),
            strict=True,
        )
    ]
    best = np.argsort(-expected[1], kind="stable")[:count]
    mine = np.argsort(-out[1][:count], kind="stable")
    assert_same(tuple(array[:count][mine] for array in out), tuple(array[best] for array in expected))


def test_nothing_above_the_threshold_leaves_the_outputs_alone() -> None:
    out = buffers(5)
    assert decode_gfl(*random_head(30, 4, 7, seed=5), 6, 8, 2.0, *out, 3) == 3
    for array, untouched in zip(out, buffers(5), strict=True):
        np.testing.assert_array_equal(array, untouched)


@settings(deadline=None, max_examples=50)
@given(
    width=st.integers(1, 9),
    height=st.integers(1, 9),
    classes=st.integers(1, 20),
    reg_max=st.integers(1, 16),
    cell_offset=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_the_same_when_scores_and_distributions_lie_in_one_array(
    width: int, height: int, classes: int, reg_max: int, cell_offset: float, seed: int
) -> None:
    head = random_head(width * height, classes, reg_max, seed)
    out = buffers(4096)
    count = decode_joint_gfl(np.concatenate(head, axis=1), classes, width, 16, 0.5, *out, 0, cell_offset)
    expected = decode_gfl_reference(*head, width, 16, 0.5, cell_offset)
    assert_same(tuple(array[:count] for array in out), expected)


def test_a_cells_point_is_where_it_is_said_to_be() -> None:
    distances = np.full((4, 32), -1000, np.float32)
    distances[:, 1::8] = 0  # one stride to each side
    scores = np.float32([[0], [0], [0], [1]])
    for cell_offset, box in ((0.0, [0, 0, 16, 16]), (0.5, [4, 4, 20, 20])):
        boxes, *others = buffers(1)
        assert decode_gfl(scores, distances, 2, 8, 0.5, boxes, *others, 0, cell_offset) == 1
        assert boxes.tolist() == [box]


def test_boxes_without_an_area_or_of_no_numbers_are_no_candidates() -> None:
    distances = np.zeros((3, 32), np.float32)
    distances[0, [0, 16]] = 1000  # nothing to the left, nothing to the right
    distances[1, 9] = np.nan
    assert decode(np.ones((3, 1), np.float32), distances, 3, 8, 0.5)[0].tolist() == [[-8, -24, 48, 32]]
