"""OpenCvCameraSource: a camera of macOS or Windows, through OpenCV. Untested there."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import cv2

from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import SourceError
from edge_engine.pixels import BgrPixels, JpegPixels, Pixels
from edge_engine.sources.jpeg import jpeg_size
from edge_engine.sources.pool import BufferPool
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri

MAX_STAMP_AGE_NS = 2 * NS_PER_S
"""A driver's stamp older than this, or from the future, is on another clock and not used."""

_RAW_PIXELS_AT_MOST = 640 * 480
"""USB 2 carries larger pictures at full rate only when packed, so those are asked for as MJPEG."""


class OpenCvCameraSource:
    """Options `size` and `fps` are asked for; `description` says what the camera took.

    Stamps are the driver's, from when the picture's data arrived, where it gives them on the monotonic
    clock; else from when the picture was handed over. Pictures that come as MJPEG stay packed, to be decoded
    once, at the scale that is needed. Pacing and looping mean nothing to a camera.
    A file's path may stand for the device: then OpenCV reads the file, as fast as it is asked.
    """

    is_live = True
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("size", "fps")
        self._device = Path(f"/dev/video{uri.target}" if uri.target.isdecimal() else uri.target)
        self._target: int | str = int(uri.target) if uri.target.isdecimal() else uri.target
        self._size = uri.size()
        self._fps = uri.rate()
        self._name = str(self._device) if uri.target.isdecimal() else uri.text
        self.description = self._name
        self._interrupted = threading.Event()
        self._capture: cv2.VideoCapture | None = None
        self._pool: BufferPool | None = None

    def expected_size(self) -> Size | None:
        """What it is asked for; a camera that gives another shows that with its first picture."""
        return self._size

    def open(self) -> None:
        # Silent: what goes wrong is said once, by us.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        if sys.platform == "linux":
            _check_device(self._device, self._name)
        capture = cv2.VideoCapture(self._target, self._backend())
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"{self._name}: can't be opened as a camera; another program may hold it, or it is no "
                f"capture device; {_cameras_there()}"
            )
        self._configure(capture)
        self._capture = capture
        self.description = self._describe(capture)

    def _backend(self) -> int:
        is_v4l2 = sys.platform == "linux" and self._device.is_char_device()
        return cv2.CAP_V4L2 if is_v4l2 else cv2.CAP_ANY

    def _configure(self, capture: cv2.VideoCapture) -> None:
        """Asks; a camera takes the nearest it can. The format comes first: it decides which sizes exist."""
        if self._size is not None:
            if self._size[0] * self._size[1] > _RAW_PIXELS_AT_MOST:
                capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        if self._fps is not None:
            capture.set(cv2.CAP_PROP_FPS, self._fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if self._backend() == cv2.CAP_V4L2 and _fourcc(capture) == "MJPG":
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)

    def _describe(self, capture: cv2.VideoCapture) -> str:
        size, fps = _size_of(capture), capture.get(cv2.CAP_PROP_FPS)
        wished = "" if self._size in (None, size) else f" (asked for {_show(self._size)})"
        faster = "" if self._fps in (None, fps) else f" (asked for {self._fps:g})"
        return f"{self._device}: {_show(size)}{wished} {_fourcc(capture)} at {fps:g} fps{faster}"

    def read(self) -> Grab | None:
        if self._interrupted.is_set():
            return None
        if self._capture is None:
            raise SourceError(f"{self._name}: read before it was opened")
        is_there = self._capture.grab()
        captured_ns, captured_utc_ns = self._stamp(self._capture)
        if self._interrupted.is_set():
            return None
        pixels = self._retrieve(self._capture) if is_there else None
        if pixels is None:
            raise SourceError(f"{self._name}: lost: it gives no pictures any more; is it still plugged in?")
        return Grab(pixels, captured_ns, captured_utc_ns)

    def _retrieve(self, capture: cv2.VideoCapture) -> Pixels | None:
        """The grabbed picture: packed, or in a pooled buffer, or in a new one when the size has changed."""
        if self._pool is None:
            self._pool = BufferPool(_size_of(capture))
        is_good, image = capture.retrieve(self._pool.take())
        if not is_good:
            return None
        if image.ndim == 2 or image.shape[0] == 1:  # bytes, not lines of pixels
            packed = image.tobytes()
            return JpegPixels(packed, jpeg_size(packed))
        pixels = BgrPixels(image)  # type: ignore[arg-type]
        if pixels.size != self._pool.size:
            self._pool = BufferPool(pixels.size)
        return pixels

    def _stamp(self, capture: cv2.VideoCapture) -> tuple[int, int]:
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        stamp_ns = int(capture.get(cv2.CAP_PROP_POS_MSEC) * NS_PER_MS)
        if not 0 <= now_ns - stamp_ns < MAX_STAMP_AGE_NS:
            return now_ns, now_utc_ns
        return stamp_ns, now_utc_ns - (now_ns - stamp_ns)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = None
        self._pool = None

    def interrupt(self) -> None:
        """A read that waits in the driver ends with its next picture, or the driver's own time limit."""
        self._interrupted.set()


def _check_device(device: Path, name: str) -> None:
    if not device.exists():
        raise SourceError(f"{name}: no such camera; {_cameras_there()}")
    if not os.access(device, os.R_OK | (os.W_OK if device.is_char_device() else 0)):
        raise SourceError(
            f"{name}: no permission to use it; add yourself to its group: sudo usermod -aG video $USER, "
            f"then log in again"
        )


def _cameras_there() -> str:
    there = sorted(str(path) for path in Path("/dev").glob("video*"))
    if there:
        return f"there is {', '.join(there)}"
    return (
        "there is no /dev/video* at all: is it plugged in, and passed through to this machine or container?"
    )


def _fourcc(capture: cv2.VideoCapture) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    return code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")


def _size_of(capture: cv2.VideoCapture) -> Size:
    return int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def _show(size: Size | None) -> str:
    return "any size" if size is None else f"{size[0]}x{size[1]}"
