"""Pixels as the camera gave them, and the cheapest road from each format to a model's input.

A format is one small class with the two questions that are ever asked of a picture: "write yourself,
resized, into this place" (preprocessing, no frame-size allocation) and "show yourself whole" (people).
"""

from __future__ import annotations

import math
import threading
from typing import Any, Literal, NamedTuple, Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import CorruptFrameError

Colour = Literal["RGB", "BGR"]
Image = NDArray[np.uint8]


class Region(NamedTuple):
    """A part of a picture, in its pixels; left and top are even, so that halved chroma planes can be cut."""

    left: int
    top: int
    width: int
    height: int


class Pixels(Protocol):
    """A picture in its native format; immutable, readable from any thread."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        ...

    def resize_into(self, target: Image, colour: Colour, region: Region | None = None) -> None:
        """Fill `target`, uint8 [height, width, 3], with a region or the whole picture, bilinear."""
        ...

    def bgr(self) -> Image:
        """The whole picture as a new or shared array, uint8 [height, width, 3]; do not write to it."""
        ...


class BgrPixels:
    """A packed BGR picture: uint8 [height, width, 3]."""

    def __init__(self, image: Image) -> None:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise CorruptFrameError(
                f"expected a uint8 picture [height, width, 3], got {image.dtype} {list(image.shape)}"
            )
        self._image = image
        self.size = (int(image.shape[1]), int(image.shape[0]))

    def resize_into(self, target: Image, colour: Colour, region: Region | None = None) -> None:
        image = self._image if region is None else _cut(self._image, region)
        cv2.resize(image, (target.shape[1], target.shape[0]), dst=target)
        if colour == "RGB":
            cv2.cvtColor(target, cv2.COLOR_BGR2RGB, dst=target)

    def bgr(self) -> Image:
        return self._image


def _cut(plane: Image, region: Region) -> Image:
    """A view."""
    left, top, width, height = region
    return plane[top : top + height, left : left + width]


class JpegPixels:
    """A JPEG still packed as it came; decoded at the smallest of 1, 1/2, 1/4, 1/8 that is large enough.

    `size` is as stored: EXIF orientation is not applied, so that pixels and boxes agree with it.
    """

    def __init__(self, data: bytes, size: tuple[int, int]) -> None:
        self._data = np.frombuffer(data, np.uint8)
        self.size = size

    def resize_into(self, target: Image, colour: Colour, region: Region | None = None) -> None:
        size = self.size if region is None else (region.width, region.height)
        reduced = _decode_jpeg(self._data, _reduction(size, target))
        if region is not None:
            region = _scaled(region, reduced.shape[1] / self.size[0], reduced.shape[0] / self.size[1])
        BgrPixels(reduced).resize_into(target, colour, region)

    def bgr(self) -> Image:
        return _decode_jpeg(self._data, cv2.IMREAD_COLOR)


def _reduction(size: tuple[int, int], target: Image) -> int:
    """The cv2.imread flag of the coarsest decode that still has target's pixels in both directions."""
    scale = min(size[0] // target.shape[1], size[1] // target.shape[0])
    if scale >= 8:
        return cv2.IMREAD_REDUCED_COLOR_8
    if scale >= 4:
        return cv2.IMREAD_REDUCED_COLOR_4
    if scale >= 2:
        return cv2.IMREAD_REDUCED_COLOR_2
    return cv2.IMREAD_COLOR


def _scaled(region: Region, x: float, y: float) -> Region:
    """Of the same picture made smaller or larger, to the nearest pixels; at least one."""
    left, top = int(region.left * x + 0.5), int(region.top * y + 0.5)
    right, bottom = (region.left + region.width) * x + 0.5, (region.top + region.height) * y + 0.5
    return Region(left, top, max(int(right) - left, 1), max(int(bottom) - top, 1))


def _decode_jpeg(data: NDArray[np.uint8], flags: int) -> Image:
    try:
        image = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:  # no data at all, or a size that isn't plausible
        image = None
    if image is None:
        raise CorruptFrameError(f"a JPEG of {data.size} bytes can't be decoded")
    return np.asarray(image, np.uint8)


class AvPixels:
    """A decoded FFmpeg frame in whatever format the decoder made; planes are read in place."""

    def __init__(self, frame: av.VideoFrame) -> None:
        if frame.width == 0 or frame.height == 0:
            raise CorruptFrameError("the decoder gave a frame without pixels")
        self._frame = frame
        self.size = (frame.width, frame.height)

    def resize_into(self, target: Image, colour: Colour, region: Region | None = None) -> None:
        if _is_bt601_yuv420p(self._frame):
            _resize_yuv420p(self._frame, target, colour, region)
        elif region is None:
            _resize_swscale(self._frame, target, colour)
        else:
            _resize_region_swscale(self._frame, target, colour, region)

    def bgr(self) -> Image:
        return np.asarray(self._frame.to_ndarray(format="bgr24"), np.uint8)


# FFmpeg's AVColorSpace and AVColorRange numbers; "unspecified" is read as BT.601 limited, as swscale does.
_BT601_SPACES = {2, 5, 6}
_LIMITED_RANGES = {0, 1}


def _is_bt601_yuv420p(frame: av.VideoFrame) -> bool:
    """Whether OpenCV's I420 conversion, which knows BT.601 limited range alone, gives the right colours."""
    return (
        frame.format.name == "yuv420p"
        and int(frame.colorspace) in _BT601_SPACES
        and int(frame.color_range) in _LIMITED_RANGES
    )


def _resize_yuv420p(frame: av.VideoFrame, target: Image, colour: Colour, region: Region | None) -> None:
    """Resize the three planes, then convert the small picture: each source byte is read at most once."""
    height, width = target.shape[:2]
    rows, columns = height + height % 2, width + width % 2  # chroma is halved
    small = _scratch(rows * 3 // 2, columns)
    chroma = small[rows:].reshape(2, rows // 2, columns // 2)
    luma, u, v = (_plane(plane)[:, : plane.width] for plane in frame.planes)
    if region is not None:
        halved = Region(*(-(-length // 2) for length in region))
        luma, u, v = _cut(luma, region), _cut(u, halved), _cut(v, halved)
    cv2.resize(luma, (width, height), dst=small[:height, :width])
    cv2.resize(u, (columns // 2, rows // 2), dst=chroma[0])
    cv2.resize(v, (columns // 2, rows // 2), dst=chroma[1])
    code = cv2.COLOR_YUV2RGB_I420 if colour == "RGB" else cv2.COLOR_YUV2BGR_I420
    if (rows, columns) == (height, width):
        cv2.cvtColor(small, code, dst=target)
    else:
        target[:] = cv2.cvtColor(small, code, dst=_scratch(rows, columns, 3))[:height, :width]


_threads = threading.local()


def _scratch(*shape: int) -> Image:
    """This thread's own small picture, made once per shape and overwritten at each use."""
    known: dict[tuple[int, ...], Image] = _threads.__dict__.setdefault("pictures", {})
    if shape not in known:
        known[shape] = np.empty(shape, np.uint8)
    return known[shape]


def _plane(plane: Any) -> Image:  # noqa: ANN401 - PyAV's types hide that a plane is a buffer
    """A view on one plane's lines, each with its padding at the end: uint8 [height, line_size]."""
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return np.asarray(lines[: plane.height], np.uint8)


def _resize_swscale(frame: av.VideoFrame, target: Image, colour: Colour) -> None:
    """Every other format: swscale resizes and converts in one pass, then one copy of the small picture."""
    target[:] = _swscaled(frame, target.shape[1], target.shape[0], colour)


def _resize_region_swscale(frame: av.VideoFrame, target: Image, colour: Colour, region: Region) -> None:
    """swscale takes whole pictures: made as small as the region allows, the region is cut out then.

    The whole has even sides, which swscale is two to three times as fast with.
    """
    height, width = target.shape[:2]
    x, y = min(width / region.width, 1), min(height / region.height, 1)
    columns, rows = (2 * math.ceil(length / 2) for length in (frame.width * x, frame.height * y))
    whole = _swscaled(frame, columns, rows, colour)
    scaled = _scaled(region, whole.shape[1] / frame.width, whole.shape[0] / frame.height)
    cv2.resize(_cut(whole, scaled), (width, height), dst=target)


def _swscaled(frame: av.VideoFrame, width: int, height: int, colour: Colour) -> Image:
    fmt = "rgb24" if colour == "RGB" else "bgr24"
    small = frame.reformat(width=width, height=height, format=fmt, interpolation="BILINEAR")
    return _plane(small.planes[0])[:, : width * 3].reshape(height, width, 3)
