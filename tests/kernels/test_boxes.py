"""decode_boxes finds what the plain numpy twin finds, and the best when there is too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.boxes import decode_boxes
from tests.reference.boxes import decode_boxes_reference

Head = tuple[NDArray[np.float32], NDArray[np.float32]]
Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def buffers(cap: int) -> Decoded:
    return np.full((cap, 4), -1, np.float32), np.full(cap, -1, np.float32), np.full(cap, -1, np.int32)


def decode(scores: NDArray[np.float32], boxes: NDArray[np.float32], threshold: float, cap: int) -> Decoded:
    out = buffers(cap)
    count = decode_boxes(scores, boxes, threshold, *out, 0)
    return out[0][:count], out[1][:count], out[2][:count]


def random_head(anchors: int, classes: int, seed: int) -> Head:
    """Some of the boxes inside out."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 600, (anchors, 2))
    boxes = np.concatenate([first, first + rng.uniform(-10, 90, (anchors, 2))], axis=1)
    return rng.random((classes, anchors), np.float32), boxes.astype(np.float32)


def assert_same(found: Decoded, expected: Decoded) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(deadline=None, max_examples=100)
@given(
    anchors=st.integers(1, 2500),
    classes=st.integers(1, 20),
    threshold=st.sampled_from([0.0, 0.3, 0.99, 1.1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(anchors: int, classes: int, threshold: float, seed: int) -> None:
    head = random_head(anchors, classes, seed)
    assert_same(decode(*head, threshold, anchors * classes + 1), decode_boxes_reference(*head, threshold))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_odd_numbers_are_as_the_reference_has_them(value: float) -> None:
    scores, boxes = random_head(900, 4, 1)
    scores[1, ::3] = value
    boxes[::7, 2] = value
    assert_same(decode(scores, boxes, 0.5, 4000), decode_boxes_reference(scores, boxes, 0.5))


@pytest.mark.parametrize("cap", [1, 2, 7, 500, 2000])
def test_full_outputs_keep_the_best_candidates(cap: int) -> None:
    head = random_head(3000, 2, 5)
    found, everything = decode(*head, 0.0, cap), decode_boxes_reference(*head, 0.0)
    mine, best = np.argsort(-found[1]), np.argsort(-everything[1], kind="stable")[:cap]
    np.testing.assert_array_equal(found[1][mine], everything[1][best])


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="boxes"):
        decode_boxes(np.zeros((3, 9), np.float32), np.zeros((8, 4), np.float32), 0.5, *buffers(3), 0)
