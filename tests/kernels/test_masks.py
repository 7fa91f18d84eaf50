"""cut_masks finds the cells that the plain numpy twin finds, whatever the boxes."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from edge_engine.kernels.masks import cut_masks
from tests.reference.masks import cut_masks_reference, logits_of

Case = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], tuple[int, int]]

EDGES = st.sampled_from(
    [0, 1, 2, 3, 5.5, 8, 15.9, 16, 17, 40, 64, 1e9, -4, -1e9, 1e-30, 3e38, np.inf, -np.inf]
)


def random_case(n: int, prototypes: int, size: tuple[int, int], stride: int, seed: int) -> Case:
    """Whole numbers, whose sums are exact in float32, and often 0."""
    rng = np.random.default_rng(seed)
    width, height = size
    coefficients = rng.integers(-2, 3, (n, prototypes)).astype(np.float32)
    protos = rng.integers(-2, 3, (prototypes, height, width)).astype(np.float32)
    input_size = (width * stride, height * stride)
    corners = rng.uniform(-0.2, 1.2, (n, 2, 2)) * input_size
    corners = np.where(rng.random((n, 2, 2)) < 0.3, np.round(corners), corners)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)
    return coefficients, protos, boxes, input_size


@settings(deadline=None, max_examples=150)
@given(
    n=st.integers(0, 12),
    prototypes=st.integers(1, 40),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    stride=st.sampled_from([1, 2, 4, 8]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(
    n: int, prototypes: int, size: tuple[int, int], stride: int, seed: int
) -> None:
    case = random_case(n, prototypes, size, stride, seed)
    np.testing.assert_array_equal(cut_masks(*case), cut_masks_reference(*case))


@settings(deadline=None, max_examples=150)
@given(hnp.arrays(np.float32, (4, 4), elements=EDGES.map(np.float32)))
def test_any_boxes_are_cut_as_the_reference_cuts_them(boxes: NDArray[np.float32]) -> None:
    coefficients, protos, _, input_size = random_case(4, 3, (16, 10), 4, 1)
    case = coefficients, protos, boxes, input_size
    np.testing.assert_array_equal(cut_masks(*case), cut_masks_reference(*case))


def test_fractions_differ_from_the_reference_only_where_the_sum_is_nearly_zero() -> None:
    rng = np.random.default_rng(5)
    _, _, boxes, input_size = random_case(60, 32, (160, 96), 4, 5)
    coefficients = rng.normal(size=(60, 32)).astype(np.float32)
    protos = rng.normal(size=(32, 96, 160)).astype(np.float32)
    found, expected = (
        cut(coefficients, protos, boxes, input_size) for cut in (cut_masks, cut_masks_reference)
    )
    is_clear = np.abs(logits_of(coefficients, protos)) > 1e-4
    np.testing.assert_array_equal(found[is_clear], expected[is_clear])
    assert found.any(axis=(1, 2)).sum() > 50


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_odd_prototypes_are_as_the_reference_has_them(value: float) -> None:
    coefficients, protos, boxes, input_size = random_case(20, 8, (30, 20), 4, 2)
    protos[3, ::2] = value
    protos[4, ::3] = -value
    case = coefficients, protos, boxes, input_size
    with np.errstate(invalid="ignore"):
        expected = cut_masks_reference(*case)
    np.testing.assert_array_equal(cut_masks(*case), expected)


def test_boxes_that_are_no_numbers_have_empty_masks() -> None:
    coefficients, protos, boxes, input_size = random_case(5, 8, (30, 20), 4, 2)
    boxes[:] = np.nan
    assert not cut_masks(coefficients, protos, boxes, input_size).any()


def test_a_cell_belongs_to_the_box_that_holds_its_centre() -> None:
    ones = np.ones((1, 1), np.float32)
    protos = np.ones((1, 4, 4), np.float32)
    mask = cut_masks(ones, protos, np.array([[2, 6, 10, 10.5]], np.float32), (16, 16))
    assert mask[0].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_arrays_that_do_not_fit_are_refused() -> None:
    coefficients, protos, boxes, input_size = random_case(3, 8, (10, 10), 4, 2)
    with pytest.raises(ValueError, match="protos"):
        cut_masks(coefficients[:, :7], protos, boxes, input_size)
    with pytest.raises(ValueError, match="boxes"):
        cut_masks(coefficients, protos, boxes[:2], input_size)
    with pytest.raises(ctypes.ArgumentError):
        cut_masks(coefficients, protos.astype(np.float64), boxes, input_size)
