"""decode_anchors finds what the plain numpy twin finds, whatever makes its scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.anchors import Activation, decode_anchors
from edge_engine.kernels.logits import least_logit
from tests.reference.anchors import decode_anchors_reference

Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]
Head = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

VARIANCES = np.array([0.1, 0.15, 0.2, 0.25], np.float32)


def random_head(n: int, columns: int, seed: int, spread: float) -> Head:
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=(n, columns)) * spread).astype(np.float32)
    offsets = rng.normal(size=(n, 4)).astype(np.float32)
    return values, offsets, rng.uniform(1, 200, (n, 4)).astype(np.float32)


def decode(
    head: Head, activation: Activation, background: int, is_yxhw: bool, threshold: float, cap: int = 9000
) -> Decoded:
    out = np.empty((cap, 4), np.float32), np.empty(cap, np.float32), np.empty(cap, np.int32)
    count = decode_anchors(*head, VARIANCES, activation, background, is_yxhw, threshold, *out, 0)
    return out[0][:count], out[1][:count], out[2][:count]


def reference(
    head: Head, activation: Activation, background: int, is_yxhw: bool, threshold: float
) -> Decoded:
    name = activation.name.lower()
    return decode_anchors_reference(*head, VARIANCES.tolist(), name, background, is_yxhw, threshold)


def assert_same(found: Decoded, expected: Decoded) -> None:
    np.testing.assert_array_equal(found[2], expected[2])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-3)


@settings(deadline=None, max_examples=200)
@given(
    n=st.integers(1, 300),
    columns=st.integers(2, 25),
    activation=st.sampled_from(Activation),
    background=st.sampled_from(["first", "last", "none"]),
    is_yxhw=st.booleans(),
    threshold=st.sampled_from([-1.0, 0.0, 1e-6, 0.05, 0.3, 0.5, 0.9, 0.9999999, 1.0, 1.1]),
    spread=st.sampled_from([0.0, 0.3, 3.0, 40.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(
    n: int,
    columns: int,
    activation: Activation,
    background: str,
    is_yxhw: bool,
    threshold: float,
    spread: float,
    seed: int,
) -> None:
    column = {"first": 0, "last": columns - 1, "none": -1}[background]
    terms = random_head(n, columns, seed, spread), activation, column, is_yxhw, threshold
    assert_same(decode(*terms), reference(*terms))


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_odd_values_are_as_the_reference_has_them(activation: Activation, value: float) -> None:
    values, offsets, anchors = random_head(300, 5, 1, 2)
    values[::3, 2] = value
    offsets[::7, 3] = value
    terms = (values, offsets, anchors), activation, 0, False, 0.3
    found, expected = decode(*terms), reference(*terms)
    np.testing.assert_array_equal(found[2], expected[2])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("cap", [1, 7, 500])
def test_full_outputs_keep_the_best_candidates(cap: int) -> None:
    terms = random_head(400, 6, 5, 3), Activation.SOFTMAX, 0, False, 0.0
    found, everything = decode(*terms, cap=cap), reference(*terms)
    np.testing.assert_allclose(np.sort(found[1]), np.sort(everything[1])[-cap:], rtol=1e-6)


def test_an_anchor_without_offsets_is_its_box() -> None:
    head = np.float32([[0, 9]]), np.zeros((1, 4), np.float32), np.float32([[50, 40, 20, 10]])
    boxes, _, class_ids = decode(head, Activation.SOFTMAX, 0, False, 0.5)
    assert (boxes.tolist(), class_ids.tolist()) == ([[40, 35, 60, 45]], [0])


def test_arrays_that_do_not_fit_are_refused() -> None:
    values, offsets, anchors = random_head(9, 3, 1, 1)
    with pytest.raises(ValueError, match="offsets"):
        decode((values, offsets[:8], anchors), Activation.NONE, -1, False, 0.5)


@settings(deadline=None)
@given(st.floats(1e-7, 1.0))
def test_no_sigmoid_below_the_least_logit_reaches_the_threshold(threshold: float) -> None:
    below = np.nextafter(np.float32(least_logit(threshold)), np.float32(-np.inf))
    assert np.float32(1 / (1 + np.exp(-np.float64(below)))) < np.float32(threshold)


def test_impossible_thresholds_have_a_least_logit_too() -> None:
    assert least_logit(math.nan) == math.inf
    assert least_logit(0) == least_logit(-1) == -math.inf
    assert math.isfinite(least_logit(2))
