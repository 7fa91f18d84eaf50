"""Letterbox: boxes go into the model's input and back, for every fit, odd size and shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.letterbox import Fit, Letterbox

sizes = st.tuples(st.integers(1, 8000), st.integers(1, 8000))
input_sizes = st.tuples(st.integers(8, 640), st.integers(8, 640)).map(lambda s: (s[0] * 2, s[1] * 2))
fits: st.SearchStrategy[Fit] = st.sampled_from(["centre", "top-left", "stretch"])


@given(sizes, input_sizes, fits)
def test_the_picture_lies_inside_the_input_with_even_sides(
    source: tuple[int, int], size: tuple[int, int], fit: Fit
) -> None:
    box = Letterbox.fit(source, size, fit)
    assert box.left >= 0
    assert box.top >= 0
    assert box.left + box.width <= size[0]
    assert box.top + box.height <= size[1]
    assert (box.width % 2, box.height % 2) == (0, 0)
    assert min(box.width, box.height) >= 2
    if fit == "stretch":
        assert (box.width, box.height) == size


@given(sizes, input_sizes, fits, st.data())
def test_boxes_come_back_within_half_a_pixel(
    source: tuple[int, int], size: tuple[int, int], fit: Fit, data: st.DataObject
) -> None:
    width, height = source
    corners = st.tuples(st.floats(0, width, width=32), st.floats(0, height, width=32))
    (x1, y1), (x2, y2) = data.draw(corners), data.draw(corners)
    boxes = np.array([[min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]], np.float32)
    box = Letterbox.fit(source, size, fit)
    assert np.abs(box.to_source(box.to_input(boxes)) - boxes).max() <= 0.5


def test_boxes_are_clipped_to_the_picture() -> None:
    box = Letterbox.fit((100, 50), (416, 416), "centre")
    assert box.to_source(np.array([[-50, -50, 999, 999]], np.float32)).tolist() == [[0, 0, 100, 50]]


def test_no_boxes_stay_no_boxes() -> None:
    assert Letterbox.fit((10, 10), (32, 32), "centre").to_source(np.empty((0, 4), np.float32)).shape == (0, 4)
