"""ZeroMqSource: pictures that another process sends (sender.py has the format, and the sender)."""

from __future__ import annotations

import threading

import av
import numpy as np
import zmq

from edge_engine.clock import clock_id, monotonic_ns, utc_ns
from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.pixels import AvPixels, BgrPixels, JpegPixels, Pixels
from edge_engine.sender import TOPIC, HeaderError, PictureHeader, decode_header
from edge_engine.sources.jpeg import jpeg_size
from edge_engine.sources.source import Grab
from edge_engine.sources.stamps import Timeline
from edge_engine.sources.uri import Size, SourceUri

RAW_FORMATS = ("bgr24", "rgb24", "gray", "yuv420p", "nv12", "yuyv422")
_TOO_LONG = 2**16  # a side, in pixels
_RECEIVE_QUEUE = 4
_MOST_AT_ONCE = 16  # of a sender that is faster than pictures can be taken
_LONGEST_MESSAGE = 2**28
_LOOK_MS = 50
"""So often a wait looks whether it was interrupted."""


class ZeroMqSource:
    """Options: `bind` 1 where the senders connect, `topic` for one sender's pictures among others'.

    Stamps are the sender's on the same machine; from another one they are laid on this clock by the fastest
    that came (stamps.py). Of several that wait the newest is taken; `missed` counts those, and the gaps in
    the sender's numbers.
    """

    is_live = True

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("bind", "topic")
        self._endpoint, self._name = uri.target, uri.text
        self._binds = uri.options.get("bind", "0")
        if self._binds not in ("0", "1"):
            raise ConfigError(f"source {uri.text}: bind must be 1 or 0, not {self._binds!r}")
        self._topic = uri.options.get("topic", TOPIC).encode() + b"\0"
        self._interrupted = threading.Event()
        self._socket: zmq.Socket[bytes] | None = None
        self._timeline = Timeline()
        self._clock = clock_id()
        self._seq = -1
        self.missed = 0
        self.description = self._name

    def expected_size(self) -> Size | None:
        """None: each picture tells."""
        return None

    def open(self) -> None:
        self._socket = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _RECEIVE_QUEUE)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_MESSAGE)
        self._socket.subscribe(self._topic)
        try:
            if self._binds == "1":
                self._socket.bind(self._endpoint)
            else:
                self._socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(
                f"{self._name}: {zmq.strerror(error.errno or 0)}; expected an endpoint such as "
                "zmq:tcp://127.0.0.1:5600, free to be bound with #bind=1"
            ) from None

    def read(self) -> Grab | None:
        if self._socket is None:
            raise SourceError(f"{self._name}: read before it was opened")
        while not self._socket.poll(_LOOK_MS):
            if self._interrupted.is_set():
                return None
        header, pixels = self._newest(self._socket)
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        captured_ns = self._stamp(header, now_ns)
        return Grab(pixels_of(header, pixels), captured_ns, now_utc_ns - (now_ns - captured_ns))

    def _newest(self, socket: zmq.Socket[bytes]) -> tuple[PictureHeader, zmq.Frame]:
        """Of those that wait. CorruptFrameError for one that is no picture."""
        for _ in range(_MOST_AT_ONCE):
            frames = socket.recv_multipart(copy=False)
            if not socket.poll(0):
                break
        if len(frames) != 2:
            raise CorruptFrameError(f"a message of {len(frames)} frames; expected a header and a picture")
        try:
            header = decode_header(frames[0].bytes)
        except HeaderError as error:
            raise CorruptFrameError(str(error)) from None
        if self._seq < header.seq - 1 and self._seq >= 0:
            self.missed += header.seq - self._seq - 1
        self._seq = header.seq
        return header, frames[1]

    def _stamp(self, header: PictureHeader, now_ns: int) -> int:
        """A sender that was started on the same kernel shares this clock."""
        is_ours = header.clock and header.clock == self._clock
        self._timeline.arrived(header.captured_ns, header.captured_ns if is_ours else now_ns)
        return self._timeline.captured_ns(header.captured_ns, now_ns)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def interrupt(self) -> None:
        self._interrupted.set()


def pixels_of(header: PictureHeader, frame: zmq.Frame) -> Pixels:
    """Read where they lie: the message lives as long as its pixels. Raises CorruptFrameError."""
    data = np.frombuffer(frame.buffer, np.uint8)
    width, height = header.size
    if header.format == "jpeg":
        packed = data.tobytes()
        return JpegPixels(packed, jpeg_size(packed))
    if header.format not in RAW_FORMATS:
        known = ", ".join(("jpeg", *RAW_FORMATS))
        raise CorruptFrameError(f"pictures as {header.format[:40]!r}; expected one of {known}")
    is_plausible = 0 < width < _TOO_LONG and 0 < height < _TOO_LONG
    shape = _shape(header.format, width, height) if is_plausible else None
    if shape is None or data.size != np.prod(shape, dtype=np.int64):
        raise CorruptFrameError(f"{data.size} bytes are no {header.format} picture of {width}x{height}")
    image = data.reshape(shape)
    if header.format == "bgr24":
        return BgrPixels(image)
    return AvPixels(av.VideoFrame.from_ndarray(image, format=header.format))


def _shape(pixel_format: str, width: int, height: int) -> tuple[int, ...] | None:
    """As numpy has them for FFmpeg; None for odd sides where chroma is halved."""
    if pixel_format in ("bgr24", "rgb24"):
        return height, width, 3
    if pixel_format == "gray":
        return height, width
    if pixel_format == "yuyv422":
        return (height, width, 2) if width % 2 == 0 else None
    return (height * 3 // 2, width) if width % 2 == height % 2 == 0 else None
