"""Frames: a picture as it came, into a recording's messages, and back bit for bit.

A JPEG stays the JPEG that it was. Other pictures keep their pixels as they are, the padding of their lines
left out. yuv420p, which Foxglove doesn't know, is written as nv12, whose bytes are the same in another order;
where that can't be, and for every other format that Foxglove doesn't know, plane follows plane.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import av
import cv2
import msgspec
import numpy as np

from edge_engine.errors import CorruptFrameError
from edge_engine.frame import Frame
from edge_engine.pixels import AvPixels, BgrPixels, Image, JpegPixels, Pixels
from edge_engine.recording.chroma import UNKNOWN, ChromaLocations, located
from edge_engine.recording.planes import planes_of, tight_planes
from edge_engine.recording.protobuf import RawImage

_FOXGLOVE = {
    "bgr24": "bgr8",
    "bgra": "bgra8",
    "gray": "mono8",
    "gray16le": "mono16",
    "nv12": "nv12",
    "rgb24": "rgb8",
    "rgba": "rgba8",
    "uyvy422": "uyvy",
    "yuyv422": "yuyv",
}
"""Foxglove's words for FFmpeg's pixel formats of the same bytes."""

_HALVED = ("yuv420p", "yuvj420p")


class Colours(NamedTuple):
    """FFmpeg's numbers: AVColorSpace, AVColorRange, AVColorPrimaries, AVColorTransferCharacteristic."""

    space: int
    range: int
    primaries: int
    transfer: int


class FrameMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a recorded picture was. It lies in the message that follows, of the same stream.

    `kind`: a packed `jpeg`, packed `bgr`, or a `decoded` frame of FFmpeg's, of that `pixel_format` and those
    `colours`, with its chroma there (chroma.py). `shown_ns`: when it is of, by the recording's own clock if
    it was one, by CLOCK_MONOTONIC else.
    """

    version: int = 1
    stream: str
    seq: int
    session: str
    captured_ns: int
    captured_utc_ns: int
    shown_ns: int
    size: tuple[int, int]
    kind: Literal["jpeg", "bgr", "decoded"]
    pixel_format: str = ""
    colours: Colours | None = None
    chroma_location: str = UNKNOWN
    clock: str = ""


def described(frame: Frame, session: str, clock: str, locations: ChromaLocations) -> FrameMessage:
    """Of a frame that has its pixels."""
    pixels = _recordable(frame.pixels)
    decoded = pixels.frame if isinstance(pixels, AvPixels) else None
    return FrameMessage(
        stream=frame.stream,
        seq=frame.seq,
        session=session,
        captured_ns=frame.captured_ns,
        captured_utc_ns=frame.captured_utc_ns,
        shown_ns=frame.shown_ns,
        size=frame.size,
        kind="jpeg" if isinstance(pixels, JpegPixels) else "bgr" if decoded is None else "decoded",
        pixel_format=decoded.format.name if decoded else "",
        colours=_colours(decoded) if decoded else None,
        chroma_location=locations.of(frame.stream, decoded) if decoded else UNKNOWN,
        clock=clock,
    )


def _recordable(pixels: Pixels | None) -> Pixels:
    """What can't be kept as it is, a palette's indices or a picture on another device, becomes BGR."""
    assert pixels is not None
    if isinstance(pixels, (BgrPixels, JpegPixels)):
        return pixels
    if isinstance(pixels, AvPixels) and _is_plain(pixels.frame.format):
        return pixels
    return BgrPixels(pixels.bgr())


def _is_plain(layout: av.VideoFormat) -> bool:
    return bool(layout.components) and not layout.has_palette


def _colours(frame: av.VideoFrame) -> Colours:
    return Colours(
        int(frame.colorspace), int(frame.color_range), int(frame.color_primaries), int(frame.color_trc)
    )


def image_of(pixels: Pixels | None) -> bytes | RawImage:
    """A JPEG's bytes, or the planes of any other picture."""
    known = _recordable(pixels)
    if isinstance(known, JpegPixels):
        return known.packed
    if not isinstance(known, AvPixels):
        image = known.bgr()
        return RawImage(known.size, _FOXGLOVE["bgr24"], 3 * known.size[0], image.tobytes())
    name, planes = known.frame.format.name, tight_planes(known.frame)
    step = planes[0].shape[1]
    if _fits_nv12(name, known.size):
        halves = cv2.merge([planes[1], planes[2]])
        return RawImage(known.size, "nv12", step, planes[0].tobytes() + halves.tobytes())
    data = b"".join(plane.tobytes() for plane in planes)
    return RawImage(known.size, _FOXGLOVE.get(name, name), step, data)


def _fits_nv12(pixel_format: str, size: tuple[int, int]) -> bool:
    return pixel_format in _HALVED and size[0] % 2 == size[1] % 2 == 0


def pixels_of(message: FrameMessage, data: bytes) -> Pixels:
    """The picture as it was, of an image message's `data`. Raises CorruptFrameError where it is too short."""
    width, height = message.size
    if message.kind == "jpeg":
        return JpegPixels(data, message.size)
    bytes_of = np.frombuffer(data, np.uint8)
    if message.kind == "bgr":
        _expect(bytes_of.size, 3 * width * height)
        return BgrPixels(bytes_of.reshape(height, width, 3))
    return AvPixels(_decoded(message, bytes_of))


def _decoded(message: FrameMessage, data: Image) -> av.VideoFrame:
    layout = planes_of(message.pixel_format, message.size)
    _expect(data.size, sum(plane.rows * plane.row_bytes for plane in layout))
    frame = av.VideoFrame(*message.size, message.pixel_format)
    planes = tight_planes(frame)
    if _fits_nv12(message.pixel_format, message.size):
        luma, halves = planes[:1], planes[1:]
        cv2.split(data[luma[0].size :].reshape(*halves[0].shape, 2), halves)
        planes = luma
    _fill(planes, data)
    if message.colours is not None:
        frame.colorspace, frame.color_range = message.colours.space, message.colours.range
        frame.color_primaries, frame.color_trc = message.colours.primaries, message.colours.transfer
    return frame if message.chroma_location == UNKNOWN else located(frame, message.chroma_location)


def _fill(planes: list[Image], data: Image) -> None:
    """One after the other."""
    at = 0
    for plane in planes:
        np.copyto(plane, data[at : at + plane.size].reshape(plane.shape))
        at += plane.size


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise CorruptFrameError(f"{found} bytes of pixels, where the picture has {wanted}")
