"""Cells: what is left of grids when the input is trimmed, against painting it on a picture of the input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.models.cells import Trimming
from edge_engine.models.narrow import reshaped

TRIMMINGS = [
    Trimming((640, 640), (640, 384)),
    Trimming((640, 640), (384, 640)),
    Trimming((416, 416), (416, 256)),
    Trimming((416, 416), (352, 416)),
    Trimming((640, 480), (640, 384)),
]
trimmings = st.sampled_from(TRIMMINGS)


def painted(trimming: Trimming, strides: tuple[int, ...], by_anchor: int, by_cell: int) -> np.ndarray:
    """For each row of grids laid end to end, whether its cell begins within the trimmed input."""
    rows = []
    for stride in strides:
        columns, lines = (side // stride for side in trimming.whole)
        inside = np.zeros((by_anchor, lines, columns, by_cell), bool)
        inside[:, : trimming.trimmed[1] // stride, : trimming.trimmed[0] // stride] = True
        rows.append(inside.ravel())
    return np.flatnonzero(np.concatenate(rows))


@given(
    trimmings,
    st.sampled_from([(8, 16, 32), (8,), (16,), (32,), (16, 32)]),
    st.sampled_from([(1, 1), (3, 1), (1, 3), (1, 2)]),
)
def test_the_cells_that_are_left_are_those_within_the_trimmed_input(
    trimming: Trimming, strides: tuple[int, ...], anchors: tuple[int, int]
) -> None:
    expected = painted(trimming, strides, *anchors)
    before = sum(trimming.whole[0] * trimming.whole[1] // s**2 for s in strides) * anchors[0] * anchors[1]
    ways = [kept.tolist() for kept in trimming.kept(before, len(expected))]
    assert expected.tolist() in ways


@given(trimmings, st.sampled_from([4, 8, 16, 32]))
def test_a_grids_trimmed_side_shrinks_with_the_input(trimming: Trimming, stride: int) -> None:
    axis = 1 if trimming.is_lower else 0
    assert trimming.side(trimming.whole[axis] // stride) == trimming.trimmed[axis] // stride


@pytest.mark.parametrize("length", [1, 3, 7, 85, 255])
def test_a_length_that_no_grid_has_is_none_of_them(length: int) -> None:
    assert Trimming((640, 640), (640, 384)).side(length) is None


@given(trimmings, st.sampled_from([8, 16, 32]), st.integers(1, 5), st.integers(1, 5), st.integers(0, 5))
def test_a_reshape_of_the_cells_that_are_left_is_what_is_left_of_the_reshape(
    trimming: Trimming, stride: int, heads: int, depth: int, kind: int
) -> None:
    """The whole is reshaped and cut, and the cut is reshaped to what `reshaped` says: the same numbers."""
    columns, lines = (side // stride for side in trimming.whole)
    left_columns, left_lines = (side // stride for side in trimming.trimmed)
    channels, cells = heads * depth, lines * columns
    forms = [
        (1, channels, lines, columns),
        (1, channels, cells),
        (1, heads, depth, lines, columns),
        (1, heads, depth, cells),
        (channels, cells),
        (heads, depth * cells),
    ]
    whole = np.arange(channels * cells).reshape(forms[0])
    left = whole[:, :, :left_lines, :left_columns]
    target = forms[kind]
    shape = reshaped(whole.shape, left.shape, target, trimming)
    assert shape is not None
    again = reshaped(target, tuple(shape), forms[0], trimming)
    assert again == list(left.shape), "and back"
    np.testing.assert_array_equal(left.reshape(shape).reshape(left.shape), left)
    if kind in (1, 3, 4):
        places = painted(trimming, (stride,), 1, 1)
        np.testing.assert_array_equal(left.reshape(shape), whole.reshape(target)[..., places])
