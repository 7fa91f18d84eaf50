"""Planes: a picture's planes, wherever in somebody's memory they lie, copied into FFmpeg's frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import av
import numpy as np

from edge_engine.errors import CorruptFrameError
from edge_engine.pixels import Image


class Plane(NamedTuple):
    """How many lines, and how many bytes in each of them are pixels."""

    rows: int
    row_bytes: int


def view_plane(data: memoryview | bytes, offset: int, stride: int, plane: Plane) -> Image:
    """Its pixels where they lie, uint8 [rows, row_bytes]: from byte `offset`, lines `stride` bytes apart.

    Raises CorruptFrameError where there is less than that.
    """
    end = offset + (plane.rows - 1) * stride + plane.row_bytes
    if stride < plane.row_bytes or end > len(data):
        raise CorruptFrameError(f"a buffer of {len(data)} bytes, where its format needs {end}")
    return np.ndarray((plane.rows, plane.row_bytes), np.uint8, data, offset, (stride, 1))


def copy_planes(planes: Sequence[Image], frame: av.VideoFrame) -> None:
    """Each into the frame's plane of that number."""
    for index, plane in enumerate(planes):
        np.copyto(lines_of(frame, index, plane.shape[1]), plane)


def lines_of(frame: av.VideoFrame, index: int, row_bytes: int) -> Image:
    """A view on the pixels of one of the frame's planes, to be written to: uint8 [rows, row_bytes]."""
    plane = frame.planes[index]
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return np.asarray(lines[: plane.height, :row_bytes], np.uint8)
