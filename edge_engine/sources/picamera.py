"""PicameraSource: a Raspberry Pi's camera, through picamera2."""

from __future__ import annotations

import threading
import time
from concurrent.futures import TimeoutError as NotYet
from typing import Any, TypeAlias

from edge_engine.clock import NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import ConfigError, SourceError, one_line
from edge_engine.pixels import AvPixels
from edge_engine.sources.planes import Plane, copy_planes, view_plane
from edge_engine.sources.pool import FramePool
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri

Untyped: TypeAlias = Any
"""picamera2 comes with the system, and is not there when types are checked."""

DEFAULT_SIZE = (1280, 720)
DEFAULT_FPS = 30.0
MAX_STAMP_AGE_NS = 2 * NS_PER_S

_POLL_S = 0.1
_US_PER_S = 1_000_000
_BT601, _LIMITED = 5, 1  # FFmpeg's AVColorSpace and AVColorRange numbers


class PicameraSource:
    """Options `size` and `fps`, 1280x720 at 30 unless given; `description` says what the camera took.

    Pictures are I420 of BT.601, at every size: the form that is cheapest to resize. Each is copied and its
    buffer given back at once. Stamps are the sensor's: when its first row was exposed, as libcamera says.

    The reader's thread calls all but `interrupt`. Not run on a Raspberry Pi: tested with a stand-in for
    picamera2, written from its source (0.3.38).
    """

    is_live = True
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("size", "fps")
        if not uri.target.isdecimal():
            raise ConfigError(f"source {uri.text}: expected a camera's number, such as picamera:0")
        self._number = int(uri.target)
        self._name = uri.text
        self._asked = uri.size() or DEFAULT_SIZE
        self._fps = uri.rate() or DEFAULT_FPS
        self._interrupted = threading.Event()
        self._camera: Untyped = None
        self._last_ns = 0
        self.description = self._name

    def expected_size(self) -> Size | None:
        return self._asked

    def open(self) -> None:
        picamera2, libcamera = _load(self._name)
        self._mapped_array = picamera2.MappedArray
        try:
            self._camera = picamera2.Picamera2(self._number)
            self._configure(libcamera)
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            self.close()
            raise SourceError(
                f"{self._name}: can't be opened: {one_line(error)}; is it connected (rpicam-hello "
                f"--list-cameras), and does no other program hold it?"
            ) from error
        self._job = self._camera.capture_request(wait=False)

    def _configure(self, libcamera: Untyped) -> None:
        """Asks; libcamera takes the nearest that the camera can."""
        period_us = round(_US_PER_S / self._fps)
        wished = self._camera.create_video_configuration(
            main={"size": self._asked, "format": "YUV420"},
            colour_space=libcamera.ColorSpace.Smpte170m(),
            controls={"FrameDurationLimits": (period_us, period_us)},
        )
        self._camera.configure(wished)
        taken = self._camera.camera_configuration()["main"]
        self._size, self._stride = tuple(taken["size"]), int(taken["stride"])
        self._frames = FramePool(self._size, "yuv420p")
        width, height = self._size
        model = self._camera.camera_properties.get("Model", "camera")
        asked = "" if self._size == self._asked else f" (asked for {self._asked[0]}x{self._asked[1]})"
        self.description = f"{self._name}: {model} {width}x{height}{asked} I420 at {self._fps:g} fps"

    def read(self) -> Grab | None:
        if self._camera is None:
            raise SourceError(f"{self._name}: read before it was opened")
        request = self._next_request()
        if request is None:
            return None
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        self._job = self._camera.capture_request(wait=False)
        try:
            captured_ns = self._stamp(request.get_metadata().get("SensorTimestamp"), now_ns)
            pixels = self._copy(request)
        finally:
            request.release()
        return Grab(pixels, captured_ns, now_utc_ns - (now_ns - captured_ns))

    def _next_request(self) -> Untyped:
        """None when interrupted."""
        while not self._interrupted.is_set():
            try:
                return self._job.get_result(timeout=_POLL_S)
            except NotYet:
                continue
        return None

    def _copy(self, request: Untyped) -> AvPixels:
        width, height = self._size
        luma, chroma = Plane(height, width), Plane(-(-height // 2), -(-width // 2))
        u_at = height * self._stride
        v_at = u_at + chroma.rows * (self._stride // 2)
        frame = self._frames.take()
        frame.colorspace, frame.color_range = _BT601, _LIMITED
        with self._mapped_array(request, "main", reshape=False) as buffer:
            data = memoryview(buffer.array)
            places = (
                (0, self._stride, luma),
                (u_at, self._stride // 2, chroma),
                (v_at, self._stride // 2, chroma),
            )
            copy_planes([view_plane(data, *place) for place in places], frame)
        return AvPixels(frame)

    def _stamp(self, sensor_ns: int | None, now_ns: int) -> int:
        age_ns = None if sensor_ns is None else sensor_age_ns(sensor_ns)
        stamp_ns = now_ns if age_ns is None else now_ns - age_ns
        self._last_ns = stamp_ns if stamp_ns > self._last_ns else now_ns
        return self._last_ns

    def close(self) -> None:
        if self._camera is not None:
            self._camera.cancel_all_and_flush()  # or a request that never comes would hold up the rest
            self._camera.close()
        self._camera = None

    def interrupt(self) -> None:
        """A wait for a picture ends within a tenth of a second."""
        self._interrupted.set()


def sensor_age_ns(sensor_ns: int) -> int | None:
    """How long ago the sensor's stamp was; None where no clock explains it.

    libcamera documents CLOCK_BOOTTIME; what drivers give is CLOCK_MONOTONIC. They differ by the time that the
    machine was suspended, so no more than one of them fits, or it is no matter which.
    """
    for clock in (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME):
        age_ns = time.clock_gettime_ns(clock) - sensor_ns
        if 0 <= age_ns < MAX_STAMP_AGE_NS:
            return age_ns
    return None


def _load(name: str) -> tuple[Untyped, Untyped]:
    """Raises SourceError, telling what to install, where picamera2 is missing."""
    try:
        import libcamera
        import picamera2
    except (ImportError, ValueError) as error:  # ValueError: it was built for another version of numpy
        raise SourceError(
            f"{name}: needs picamera2 ({one_line(error)}): sudo apt install python3-picamera2; in a virtual "
            f"environment: one made by the system's Python with --system-site-packages"
        ) from error
    return picamera2, libcamera
