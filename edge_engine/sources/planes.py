"""Planes: a picture's planes, wherever in somebody's memory they lie, copied into FFmpeg's frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import av
import cv2
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


def copy_half_planar(planes: Sequence[Image], frame: av.VideoFrame, *, is_u_first: bool) -> None:
    """NV12 or NV21, a plane of luma and one of U and V in turns, into a yuv420p frame."""
    copy_planes(planes[:1], frame)
    chroma = planes[1].reshape(planes[1].shape[0], -1, 2)
    targets = [lines_of(frame, plane, chroma.shape[1]) for plane in (1, 2)]
    cv2.split(chroma, targets if is_u_first else targets[::-1])


def copy_packed(lines: Image, picture: Image, code: int | None) -> None:
    """Packed pixels into BGR: `code` is OpenCV's of the conversion, None for pixels that are BGR already."""
    height, width = picture.shape[:2]
    pixels = lines if lines.shape[1] == width else lines.reshape(height, width, -1)
    if code is None:
        np.copyto(picture, pixels)
    else:
        cv2.cvtColor(pixels, code, dst=picture)


def lines_of(frame: av.VideoFrame, index: int, row_bytes: int) -> Image:
    """A view on the pixels of one of the frame's planes, to be written to: uint8 [rows, row_bytes]."""
    plane = frame.planes[index]
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return np.asarray(lines[: plane.height, :row_bytes], np.uint8)
