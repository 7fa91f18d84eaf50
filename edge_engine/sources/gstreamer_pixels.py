"""GStreamer's samples as Pixels, each copied once into a buffer that is used again.

Copied, since a camera driver has few buffers, which it needs back at once; and on the way into a form from
which a picture is cheapest to resize: NV12 into I420, RGB of any order into BGR.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2

from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.pixels import AvPixels, BgrPixels, Image, JpegPixels, Pixels
from edge_engine.sources.gstreamer_binding import GObject, GStreamer, mapped
from edge_engine.sources.jpeg import jpeg_size
from edge_engine.sources.planes import Plane, copy_half_planar, copy_packed, copy_planes, view_plane
from edge_engine.sources.pool import BufferPool, FramePool

_TO_I420 = ("I420", "YV12", "NV12", "NV21")
_TO_BGR = {
    "BGR": None,
    "RGB": cv2.COLOR_RGB2BGR,
    "BGRx": cv2.COLOR_BGRA2BGR,
    "BGRA": cv2.COLOR_BGRA2BGR,
    "RGBx": cv2.COLOR_RGBA2BGR,
    "RGBA": cv2.COLOR_RGBA2BGR,
    "GRAY8": cv2.COLOR_GRAY2BGR,
}
_AS_THEY_ARE = {
    "YUY2": "yuyv422",
    "UYVY": "uyvy422",
    "YVYU": "yvyu422",
    "Y42B": "yuv422p",
    "Y444": "yuv444p",
    "NV16": "nv16",
    "GRAY16_LE": "gray16le",
    "I420_10LE": "yuv420p10le",
    "P010_10LE": "p010le",
}
"""GStreamer's raw formats, all that are read, and FFmpeg's names of those that are copied as they are."""

READABLE = f"video/x-raw,format={{{','.join([*_TO_I420, *_TO_BGR, *_AS_THEY_ARE])}}};image/jpeg"
"""As caps."""

# FFmpeg's AVColorSpace and AVColorRange numbers, by GstVideoColorMatrix and GstVideoColorRange.
_SPACES = {2: 4, 3: 1, 4: 5, 5: 7, 6: 9}
_RANGES = {1: 2, 2: 1}


class _Place(NamedTuple):
    """Each plane's first byte, and from one of its lines to the next: in bytes."""

    offsets: list[int]
    strides: list[int]


class SampleReader:
    """One thread reads. It follows caps that change between samples; `description` tells the last ones."""

    def __init__(self, gstreamer: GStreamer, name: str) -> None:
        self._video = gstreamer.video
        self._is_damaged = gstreamer.gst.BufferFlags.CORRUPTED
        self._name = name
        self._caps: GObject = None
        self._format = ""
        self.description = ""

    def follow(self, sample: GObject) -> None:
        """Raises SourceError for caps that can't be read."""
        caps = sample.get_caps()
        if caps is None:
            raise SourceError(f"{self._name}: its end gives data without saying of what format")
        if self._caps is not None and caps.is_equal(self._caps):
            return
        if complaint := unreadable(caps):
            raise SourceError(f"{self._name}: {complaint}")
        structure = caps.get_structure(0)
        self._format = ""
        if structure.get_name() == "video/x-raw":
            self._format = structure.get_string("format")
            self._lay_out(caps)
        self.description = _describe(structure)
        self._caps = caps

    def _lay_out(self, caps: GObject) -> None:
        if self._format not in (*_TO_I420, *_TO_BGR, *_AS_THEY_ARE):
            raise SourceError(
                f"{self._name}: its end gives {self._format} pictures, which aren't read; add ! videoconvert"
            )
        info = self._video.VideoInfo.new_from_caps(caps)
        finfo = info.finfo
        self._size = info.width, info.height
        self._planes = _planes(finfo, self._size)
        self._place = _Place(list(info.offset), list(info.stride))
        self._order = list(finfo.plane[:3])
        self._is_u_first = finfo.poffset[1] == 0
        self._space = _SPACES.get(int(info.colorimetry.matrix), 2)
        self._range = _RANGES.get(int(info.colorimetry.range), 0)
        if self._format in _TO_BGR:
            self._pictures = BufferPool(self._size)
        else:
            self._frames = FramePool(self._size, _AS_THEY_ARE.get(self._format, "yuv420p"))

    def read(self, sample: GObject) -> Pixels:
        """Raises CorruptFrameError for a buffer that a driver or decoder has marked as damaged, or that holds
        less than its caps say.
        """
        self.follow(sample)
        buffer = sample.get_buffer()
        if buffer.has_flags(self._is_damaged):
            raise CorruptFrameError("marked as damaged by the driver or decoder")
        with mapped(buffer) as data:
            if not self._format:
                packed = bytes(data)
                return JpegPixels(packed, jpeg_size(packed))
            offsets, strides = self._place_in(buffer)
            planes = [
                view_plane(data, offset, stride, plane)
                for offset, stride, plane in zip(offsets, strides, self._planes, strict=False)
            ]
            return self._bgr(planes[0]) if self._format in _TO_BGR else self._frame(planes)

    def _place_in(self, buffer: GObject) -> _Place:
        """Where its planes are: as it says itself, else as its format always has them."""
        meta = self._video.buffer_get_video_meta(buffer)
        return self._place if meta is None else _Place(meta.offset, meta.stride)

    def _bgr(self, lines: Image) -> BgrPixels:
        picture = self._pictures.take()
        copy_packed(lines, picture, _TO_BGR[self._format])
        return BgrPixels(picture)

    def _frame(self, planes: list[Image]) -> AvPixels:
        frame = self._frames.take()
        frame.colorspace, frame.color_range = self._space, self._range
        if self._format not in _TO_I420:
            copy_planes(planes, frame)
        elif len(planes) == 3:
            copy_planes([planes[index] for index in self._order], frame)
        else:
            copy_half_planar(planes, frame, is_u_first=self._is_u_first)
        return AvPixels(frame)


def unreadable(caps: GObject) -> str:
    """What is wrong with caps that hold no picture in the processor's memory, and what to put behind them."""
    kinds = [
        (caps.get_structure(index).get_name(), caps.get_features(index).to_string())
        for index in range(caps.get_size())
    ]
    if caps.is_any() or any(name == "image/jpeg" or (name, kept) == _ORDINARY for name, kept in kinds):
        return ""
    named = (name if kept == "memory:SystemMemory" else f"{name}({kept})" for name, kept in kinds)
    shown = ", ".join(dict.fromkeys(named))
    expected = "expected pictures in ordinary memory, or as JPEG"
    return f"its end gives {shown or 'nothing'}; {expected}: add {_cure(shown)}"


_ORDINARY = ("video/x-raw", "memory:SystemMemory")


def _cure(shown: str) -> str:
    if "NVMM" in shown:
        return "! nvvidconv ! video/x-raw,format=NV12"
    if "memory:GLMemory" in shown:
        return "! gldownload"
    if "video/x-raw" in shown:
        return "an element that downloads them, such as vapostproc"
    return "a decoder, such as ! decodebin"


def _describe(structure: GObject) -> str:
    pixel_format = structure.get_string("format") or "JPEG"
    (_, width), (_, height) = structure.get_int("width"), structure.get_int("height")
    is_timed, rate, per = structure.get_fraction("framerate")
    size = f"{width}x{height} " if width and height else ""
    return f"{size}{pixel_format}" + (f" at {rate / per:g} fps" if is_timed and rate else "")


def _planes(finfo: GObject, size: tuple[int, int]) -> list[Plane]:
    """Each plane's pixels, from its components': an odd side's half is rounded up."""
    planes: dict[int, Plane] = {}
    for index, step, w_sub, h_sub in zip(
        finfo.plane, finfo.pixel_stride, finfo.w_sub, finfo.h_sub, strict=True
    ):
        if step == 0:  # no such component
            continue
        rows, row_bytes = -(-size[1] // 2**h_sub), -(-size[0] // 2**w_sub) * step
        planes[index] = Plane(rows, max(row_bytes, planes.get(index, Plane(0, 0)).row_bytes))
    return [planes[index] for index in sorted(planes)]
