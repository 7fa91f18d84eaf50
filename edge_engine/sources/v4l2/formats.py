"""V4L2's pixel formats as Pixels: each buffer copied once, into a picture that is used again.

Layouts: the kernel's userspace API, "Image Formats". Copied, since the driver needs its few buffers back at
once, and on the way into a form from which a picture is cheapest to resize: NV12 into I420, RGB into BGR.
"""

from __future__ import annotations

import cv2

from edge_engine.errors import CorruptFrameError
from edge_engine.pixels import AvPixels, BgrPixels, Image, JpegPixels, Pixels
from edge_engine.sources.jpeg import is_jpeg, jpeg_size
from edge_engine.sources.planes import Plane, copy_half_planar, copy_packed, copy_planes, view_plane
from edge_engine.sources.pool import BufferPool, FramePool
from edge_engine.sources.v4l2.api import PixFormat, fourcc_text

PACKED = ("MJPG", "JPEG")
_TO_BGR = {"BGR3": None, "RGB3": cv2.COLOR_RGB2BGR, "GREY": cv2.COLOR_GRAY2BGR}
_PACKED_YUV = {"YUYV": "yuyv422", "UYVY": "uyvy422", "YVYU": "yvyu422", "Y16": "gray16le"}
_TO_I420 = ("NV12", "NV21", "YU12", "YV12")
READABLE = ("YUYV", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12", "RGB3", "BGR3", *PACKED, "GREY", "Y16")
"""By preference, where the camera's own choice can't be read."""

# V4L2's colour spaces, and by them or by its Y'CbCr encodings FFmpeg's AVColorSpace; 5 is BT.601.
_JPEG_COLOURS = 7
_SPACE_OF_COLOURS = {2: 7, 3: 1, 10: 9, 12: 1}
_SPACE_OF_ENCODING = {1: 5, 2: 1, 3: 5, 4: 1, 6: 9, 8: 7}


class PictureReader:
    """Reads buffers of one negotiated format. One thread reads."""

    def __init__(self, pix: PixFormat) -> None:
        self._format = fourcc_text(pix.pixelformat)
        self._size = width, height = int(pix.width), int(pix.height)
        self._layout = _layout(self._format, width, height, int(pix.bytesperline))
        self._space = _SPACE_OF_ENCODING.get(pix.ycbcr_enc) or _SPACE_OF_COLOURS.get(pix.colorspace, 5)
        is_full = pix.quantization == 1 or (pix.quantization == 0 and pix.colorspace == _JPEG_COLOURS)
        self._range = 2 if is_full else 1
        self._pictures = BufferPool(self._size)
        self._frames = FramePool(self._size, _PACKED_YUV.get(self._format, "yuv420p"))

    def read(self, data: memoryview) -> Pixels:
        """`data`: as many bytes as the driver filled. Raises CorruptFrameError for too few."""
        if self._format in PACKED:
            if not is_jpeg(packed := bytes(data)):
                raise CorruptFrameError("no JPEG where the camera promised one")
            return JpegPixels(packed, jpeg_size(packed))
        planes = [view_plane(data, offset, stride, plane) for offset, stride, plane in self._layout]
        return self._bgr(planes[0]) if self._format in _TO_BGR else self._frame(planes)

    def _bgr(self, lines: Image) -> BgrPixels:
        picture = self._pictures.take()
        copy_packed(lines, picture, _TO_BGR[self._format])
        return BgrPixels(picture)

    def _frame(self, planes: list[Image]) -> AvPixels:
        frame = self._frames.take()
        frame.colorspace, frame.color_range = self._space, self._range
        if len(planes) == 2:
            copy_half_planar(planes, frame, is_u_first=self._format == "NV12")
        else:
            copy_planes([planes[0], *planes[:0:-1]] if self._format == "YV12" else planes, frame)
        return AvPixels(frame)


def _layout(name: str, width: int, height: int, stride: int) -> list[tuple[int, int, Plane]]:
    """Each plane's first byte, and bytes from one line to the next. Empty for packed pictures."""
    if name in PACKED:
        return []
    if name in _TO_I420:
        stride = max(stride, width)
        rows, columns, chroma_at = -(-height // 2), -(-width // 2), stride * height
        luma = (0, stride, Plane(height, width))
        if name.startswith("NV"):
            return [luma, (chroma_at, stride, Plane(rows, 2 * columns))]
        half = -(-stride // 2)
        chroma = Plane(rows, columns)
        return [luma, (chroma_at, half, chroma), (chroma_at + half * rows, half, chroma)]
    row_bytes = width * {"GREY": 1, "BGR3": 3, "RGB3": 3}.get(name, 2)
    return [(0, max(stride, row_bytes), Plane(height, row_bytes))]
