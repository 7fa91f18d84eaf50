from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.errors import CorruptFrameError
from edge_engine.sources.planes import Plane, copy_planes, lines_of, view_plane


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 20), st.integers(0, 20))
def test_a_plane_is_read_from_where_it_lies(rows: int, row_bytes: int, padding: int, offset: int) -> None:
    stride = row_bytes + padding
    data = np.random.default_rng(0).integers(0, 256, offset + rows * stride, np.uint8)
    seen = view_plane(data.tobytes(), offset, stride, Plane(rows, row_bytes))
    assert (seen == data[offset:].reshape(rows, stride)[:, :row_bytes]).all()
    until_last_pixel = data.tobytes()[: len(data) - padding]
    view_plane(until_last_pixel, offset, stride, Plane(rows, row_bytes))
    with pytest.raises(CorruptFrameError, match=f"of {len(until_last_pixel) - 1} bytes, where"):
        view_plane(until_last_pixel[:-1], offset, stride, Plane(rows, row_bytes))


def test_lines_that_overlap_are_no_picture() -> None:
    with pytest.raises(CorruptFrameError):
        view_plane(bytes(1000), 0, 9, Plane(10, 10))


def test_planes_are_copied_past_the_padding_of_frames() -> None:
    frame = av.VideoFrame(33, 3, "yuv420p")
    planes = [np.full(shape, value, np.uint8) for value, shape in enumerate([(3, 33), (2, 17), (2, 17)])]
    copy_planes(planes, frame)
    for value, plane in enumerate(planes):
        assert (lines_of(frame, value, plane.shape[1]) == value).all()
