"""decode_yunet and decode_scrfd find what the plain numpy twins find, and which row it came from."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from edge_engine.kernels.faces import decode_scrfd, decode_yunet
from edge_engine.models.families.candidates import Candidates
from tests.reference.faces import Faces, scrfd_reference, yunet_reference

Array = NDArray[np.float32]

# Few distinct values, so that odd ones and thresholds that are just reached are common.
NUMBERS = st.sampled_from([0, 0.25, 0.5, 0.81, 1, 1.5, -1, 90, 3e38, np.nan, np.inf, -np.inf]).map(np.float32)
THRESHOLDS = st.sampled_from([0.0, 0.5, 0.6, 0.9, 1.0, 1.1, np.nan])


class Head(NamedTuple):
    """One stride's outputs of either detector: `more` is YuNet's objectness."""

    scores: Array
    more: Array
    boxes: Array
    points: Array
    width: int
    stride: int


@st.composite
def odd(draw: st.DrawFn) -> Head:
    width, cells = draw(st.integers(1, 5)), draw(st.integers(1, 20))
    arrays = [draw(hnp.arrays(np.float32, (cells, columns), elements=NUMBERS)) for columns in (1, 1, 4, 10)]
    return Head(*arrays, width, draw(st.sampled_from([8, 16, 32])))


@st.composite
def ordinary(draw: st.DrawFn) -> Head:
    cells = draw(st.integers(1, 300))
    return random_head(cells, draw(st.integers(1, 20)), draw(st.integers(0, 2**32 - 1)))


def random_head(cells: int, width: int, seed: int, stride: int = 8) -> Head:
    rng = np.random.default_rng(seed)
    parts = rng.random((cells, 1)), rng.random((cells, 1)), rng.normal(size=(cells, 4))
    arrays = [part.astype(np.float32) for part in (*parts, rng.normal(size=(cells, 10)))]
    return Head(*arrays, width, stride)


def yunet(head: Head, threshold: float, found: Candidates, first_row: int = 0, count: int = 0) -> int:
    grid = head.width, head.stride, first_row, threshold
    buffers = found.boxes_xyxy, found.scores, found.class_ids, found.rows
    return decode_yunet(head.scores, head.more, head.boxes, *grid, *buffers, count)


def scrfd(head: Head, threshold: float, found: Candidates, first_row: int = 0, count: int = 0) -> int:
    grid = 2, head.width, head.stride, first_row, threshold
    buffers = found.boxes_xyxy, found.scores, found.class_ids, found.rows
    return decode_scrfd(head.scores, head.boxes, *grid, *buffers, count)


def yunet_twin(head: Head, threshold: float, first_row: int = 0) -> Faces:
    grid = head.width, head.stride, first_row, threshold
    with np.errstate(all="ignore"):
        return yunet_reference(head.scores[:, 0], head.more[:, 0], head.boxes, head.points, *grid)


def scrfd_twin(head: Head, threshold: float, first_row: int = 0) -> Faces:
    grid = 2, head.width, head.stride, first_row, threshold
    with np.errstate(all="ignore"):
        return scrfd_reference(head.scores[:, 0], head.boxes, head.points, *grid)


Decode = Callable[..., int]
Twin = Callable[..., Faces]
BOTH = pytest.mark.parametrize(("decode", "twin"), [(yunet, yunet_twin), (scrfd, scrfd_twin)])


def assert_same(found: Candidates, first: int, count: int, expected: Faces) -> None:
    held = slice(first, count)
    np.testing.assert_array_equal(found.rows[held], expected.rows)
    np.testing.assert_array_equal(found.scores[held], expected.scores)
    np.testing.assert_array_equal(found.class_ids[held], 0)
    np.testing.assert_allclose(found.boxes_xyxy[held], expected.boxes_xyxy, rtol=1e-6, atol=1e-4)


@BOTH
@settings(deadline=None, max_examples=200)
@given(head=st.one_of(odd(), ordinary()), threshold=THRESHOLDS, first_row=st.integers(0, 10_000))
def test_finds_what_the_reference_finds(
    decode: Decode, twin: Twin, head: Head, threshold: float, first_row: int
) -> None:
    found = Candidates(cap=400)
    count = decode(head, threshold, found, first_row)
    assert_same(found, 0, count, twin(head, threshold, first_row))


@BOTH
def test_grids_are_appended_one_to_another(decode: Decode, twin: Twin) -> None:
    first, second = random_head(60, 6, 1), random_head(15, 3, 2, stride=16)
    found = Candidates(cap=100)
    count = decode(first, 0.3, found)
    total = decode(second, 0.3, found, 60, count)
    assert_same(found, 0, count, twin(first, 0.3))
    assert_same(found, count, total, twin(second, 0.3, 60))


@BOTH
@pytest.mark.parametrize("cap", [1, 2, 7, 50, 299, 300])
def test_full_outputs_keep_the_best_with_their_rows(decode: Decode, twin: Twin, cap: int) -> None:
    head, found = random_head(300, 20, 5), Candidates(cap=cap)
    count = decode(head, 0.0, found)
    everything = twin(head, 0.0)
    assert count == cap
    mine, best = np.argsort(-found.scores), np.argsort(-everything.scores)[:cap]
    np.testing.assert_array_equal(found.rows[mine], everything.rows[best])
    np.testing.assert_array_equal(found.scores[mine], everything.scores[best])
    np.testing.assert_allclose(found.boxes_xyxy[mine], everything.boxes_xyxy[best], rtol=1e-6, atol=1e-4)


@BOTH
def test_arrays_that_do_not_fit_are_refused(decode: Decode, twin: Twin) -> None:
    head = random_head(9, 3, 1)
    with pytest.raises(ValueError, match="scores"):
        decode(head._replace(scores=head.scores[:-1]), 0.5, Candidates(cap=9))
    with pytest.raises(ctypes.ArgumentError):
        decode(head._replace(boxes=head.boxes.astype(np.float64)), 0.5, Candidates(cap=9))
