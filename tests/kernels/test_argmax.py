"""argmax_planes and argmax_pixels find what the plain numpy twin finds."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.argmax import _BLOCK, argmax_pixels, argmax_planes
from edge_engine.kernels.native.argmax import BLOCK
from tests.reference.argmax import argmax_reference

KERNELS = [(argmax_planes, 0), (argmax_pixels, -1)]


def random_scores(classes: int, grid: tuple[int, int], axis: int, seed: int) -> NDArray[np.float32]:
    """In steps, so that some are equal."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(-20, 20, (classes, *grid)) / np.float32(4)
    return np.ascontiguousarray(np.moveaxis(scores, 0, axis), np.float32)


def found(kernel: Callable[..., None], scores: NDArray[np.float32], axis: int, dtype: type) -> NDArray[Any]:
    grid = scores.shape[1:] if axis == 0 else scores.shape[:-1]
    class_ids = np.full(grid, 7, dtype)
    kernel(scores, class_ids)
    return class_ids


@settings(deadline=None, max_examples=60)
@given(
    classes=st.integers(1, 60),
    grid=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    kernel=st.sampled_from(KERNELS),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(
    classes: int,
    grid: tuple[int, int],
    kernel: tuple[Callable[..., None], int],
    dtype: type[np.unsignedinteger],
    seed: int,
) -> None:
    function, axis = kernel
    scores = random_scores(classes, grid, axis, seed)
    np.testing.assert_array_equal(found(function, scores, axis, dtype), argmax_reference(scores, axis))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("kernel", "axis"), KERNELS)
def test_odd_scores_are_as_the_reference_has_them(
    kernel: Callable[..., None], axis: int, value: float
) -> None:
    scores = random_scores(21, (33, 65), axis, 3)
    scores[::2, ::3, ::2] = value
    scores[:4] = value
    np.testing.assert_array_equal(found(kernel, scores, axis, np.uint8), argmax_reference(scores, axis))


@pytest.mark.parametrize(("kernel", "axis"), KERNELS)
def test_more_than_256_classes_need_and_get_a_wider_grid(kernel: Callable[..., None], axis: int) -> None:
    scores = random_scores(300, (5, 9), axis, 1)
    np.moveaxis(scores, axis, 0)[299, 2, 3] = 99
    assert found(kernel, scores, axis, np.uint16)[2, 3] == 299
    with pytest.raises(ValueError, match="300 classes"):
        found(kernel, scores, axis, np.uint8)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="grid"):
        argmax_planes(np.zeros((3, 4, 5), np.float32), np.zeros((5, 4), np.uint8))
    with pytest.raises(ctypes.ArgumentError):
        argmax_pixels(np.zeros((4, 5, 3), np.float64), np.zeros((4, 5), np.uint8))


def test_the_scratch_is_as_large_as_the_kernel_wants_it() -> None:
    assert _BLOCK == BLOCK
