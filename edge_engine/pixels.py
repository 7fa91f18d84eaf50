"""Pixels as the camera gave them, and the cheapest road from each format to a model's input.

A format is one small class with the two questions that are ever asked of a picture: "write yourself,
resized, into this place" (preprocessing, no frame-size allocation) and "show yourself whole" (people).
"""

from __future__ import annotations

import math
import threading
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import CorruptFrameError
from edge_engine.jpeg_decoder import REDUCTIONS, decode_jpeg, reduced_size

Colour = Literal["RGB", "BGR"]
Image = NDArray[np.uint8]
Part: TypeAlias = tuple[float, ...]
"""Left, top, width and height, in pixels of a picture."""


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
        _resize_bgr(self._image, region or Region(0, 0, *self.size), target, colour)

    def bgr(self) -> Image:
        return self._image


def _cut(plane: Image, region: Region) -> Image:
    """A view."""
    left, top, width, height = region
    return plane[top : top + height, left : left + width]


class JpegPixels:
    """A JPEG still packed as it came; decoded at the smallest of 1, 1/2, 1/4, 1/8 that is large enough.

    `size` is as stored: EXIF orientation is not applied, so that pixels and boxes agree with it. `packed`
    is the JPEG itself.
    """

    def __init__(self, data: bytes, size: tuple[int, int]) -> None:
        self.packed = data
        self.size = size

    def resize_into(self, target: Image, colour: Colour, region: Region | None = None) -> None:
        region = region or Region(0, 0, *self.size)
        reduction = _reduction((region.width, region.height), target)
        reduced = _room(reduced_size(self.size, reduction))
        decode_jpeg(self.packed, reduced)
        _resize_bgr(reduced, tuple(length / reduction for length in region), target, colour)

    def bgr(self) -> Image:
        whole = np.empty((self.size[1], self.size[0], 3), np.uint8)
        decode_jpeg(self.packed, whole)
        return whole


def _reduction(size: tuple[int, int], target: Image) -> int:
    """Of the coarsest decode that still has target's pixels in both directions."""
    scale = min(size[0] // target.shape[1], size[1] // target.shape[0])
    return max(reduction for reduction in REDUCTIONS if reduction <= max(scale, 1))


def _resize_bgr(image: Image, part: Part, target: Image, colour: Colour) -> None:
    _resize_part(image, part, target)
    if colour == "RGB":
        cv2.cvtColor(target, cv2.COLOR_BGR2RGB, dst=target)


def _resize_part(image: Image, part: Part, target: Image) -> None:
    """Fill target with a part of a picture, bilinear. Its edges may lie within pixels, as those of a picture
    that was made smaller do: cut at the nearest pixel, boxes would be off by half of one."""
    left, top, width, height = part
    size = (target.shape[1], target.shape[0])
    if all(float(length).is_integer() for length in part):
        cv2.resize(_cut(image, Region(*map(int, part))), size, dst=target)
        return
    x, y = width / size[0], height / size[1]
    to_image = np.array([[x, 0, left + x / 2 - 0.5], [0, y, top + y / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(image, to_image, size, dst=target, flags=how, borderMode=cv2.BORDER_REPLICATE)


class AvPixels:
    """A decoded FFmpeg frame, `frame`, in whatever format the decoder made; planes are read in place."""

    def __init__(self, frame: av.VideoFrame) -> None:
        if frame.width == 0 or frame.height == 0:
            raise CorruptFrameError("the decoder gave a frame without pixels")
        self.frame = frame
        self.size = (frame.width, frame.height)

    def resize_into(self, target: Image, colour: Colour, region: Region | None = None) -> None:
        if is_bt601_yuv420p(self.frame):
            _resize_yuv420p(self.frame, target, colour, region)
        elif region is None:
            _resize_swscale(self.frame, target, colour)
        else:
            _resize_region_swscale(self.frame, target, colour, region)

    def bgr(self) -> Image:
        return np.asarray(self.frame.to_ndarray(format="bgr24"), np.uint8)


# FFmpeg's AVColorSpace and AVColorRange numbers; "unspecified" is read as BT.601 limited, as swscale does.
_BT601_SPACES = {2, 5, 6}
_LIMITED_RANGES = {0, 1}


def is_bt601_yuv420p(frame: av.VideoFrame) -> bool:
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
    luma, u, v = (plane_lines(plane)[:, : plane.width] for plane in frame.planes)
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


def _room(size: tuple[int, int]) -> Image:
    """This thread's own place for a BGR picture of that width and height, overwritten at each use, in one as
    large as the largest so far.
    """
    count = 3 * size[0] * size[1]
    known: Image | None = _threads.__dict__.get("room")
    if known is None or known.size < count:
        known = _threads.__dict__["room"] = np.empty(count, np.uint8)
    return known[:count].reshape(size[1], size[0], 3)


def plane_lines(plane: Any) -> Image:  # noqa: ANN401 - PyAV's types hide that a plane is a buffer
    """A view on one of a frame's planes, each line with its padding at the end: uint8 [height, line_size]."""
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return np.asarray(lines[: plane.height], np.uint8)


def _resize_swscale(frame: av.VideoFrame, target: Image, colour: Colour) -> None:
    """Every other format: swscale resizes and converts in one pass, then one copy of the small picture."""
    target[:] = _swscaled(frame, target.shape[1], target.shape[0], colour)


def _resize_region_swscale(frame: av.VideoFrame, target: Image, colour: Colour, region: Region) -> None:
    """swscale takes whole pictures: made as small as the region allows, the region is cut out then.

    Made smaller it has even sides, which swscale is two to three times as fast with; no side is made longer,
    which would blur what is in few pixels.
    """
    height, width = target.shape[:2]
    x, y = min(width / region.width, 1), min(height / region.height, 1)
    columns, rows = (min(2 * math.ceil(s * n / 2), n) for s, n in ((x, frame.width), (y, frame.height)))
    whole = _swscaled(frame, columns, rows, colour)
    x, y = columns / frame.width, rows / frame.height
    _resize_part(whole, (region.left * x, region.top * y, region.width * x, region.height * y), target)


def _swscaled(frame: av.VideoFrame, width: int, height: int, colour: Colour) -> Image:
    fmt = "rgb24" if colour == "RGB" else "bgr24"
    try:
        small = frame.reformat(width=width, height=height, format=fmt, interpolation="BILINEAR")
    except av.ArgumentError:  # swscale makes no side more than some hundred times smaller
        whole = np.asarray(frame.to_ndarray(format=fmt), np.uint8)
        return np.asarray(cv2.resize(whole, (width, height)), np.uint8)
    return plane_lines(small.planes[0])[:, : width * 3].reshape(height, width, 3)
