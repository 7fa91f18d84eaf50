"""FrameSender: pictures from another process to an engine's `zmq:` source, and their format.

A picture is one ZeroMQ message of two frames, from a PUB socket to a SUB socket:

    topic NUL header crc32      pixels

`header` is MessagePack, a map with the fields of PictureHeader; `crc32` is zlib's of all before it in its
frame, 4 bytes, big-endian. The pixels are packed without gaps between lines, or are a JPEG.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import msgspec
import zmq

from edge_engine.clock import clock_id, monotonic_ns, utc_ns
from edge_engine.wire.sealing import UNREADABLE, WireError, seal, unseal

TOPIC = "picture"
# Of a receiver that doesn't keep up the newest are dropped: it gets no backlog.
_SEND_QUEUE = 2


class PictureHeader(msgspec.Struct, frozen=True, kw_only=True):
    """`format`: `jpeg`, or one of FFmpeg's names such as bgr24; `size`: (width, height); `seq` counts what
    the sender sends, from 0. `captured_ns` is the sender's CLOCK_MONOTONIC, and `clock` tells whether that is
    the receiver's too.
    """

    version: int = 1
    seq: int
    format: str
    size: tuple[int, int]
    captured_ns: int
    captured_utc_ns: int
    clock: str


class HeaderError(ValueError):
    """These bytes are no header of a picture."""


def encode_header(header: PictureHeader, topic: str = TOPIC) -> bytes:
    return seal(topic, header)


def decode_header(data: bytes) -> PictureHeader:
    """Raises HeaderError."""
    try:
        _, payload = unseal(data)
        return _decoder.decode(payload)
    except (WireError, *UNREADABLE) as error:
        raise HeaderError(f"a picture's header: {error}") from None


_decoder = msgspec.msgpack.Decoder(PictureHeader)


class FrameSender:
    """Sends pictures from an endpoint that it binds, or connects to. One thread uses it.

    with FrameSender("tcp://127.0.0.1:5600") as sender:
        sender.send(image)                           # the engine's source: zmq:tcp://127.0.0.1:5600
    """

    def __init__(self, endpoint: str, *, bind: bool = True, topic: str = TOPIC) -> None:
        """Raises zmq.ZMQError for an endpoint that can't be had."""
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
        if bind:
            self._socket.bind(endpoint)
        else:
            self._socket.connect(endpoint)
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._topic = topic
        self._seq = 0
        self._clock = clock_id()

    def send(
        self,
        picture: Any,  # noqa: ANN401 - whatever is a buffer
        *,
        size: tuple[int, int] | None = None,
        pixel_format: str = "bgr24",
        captured_ns: int | None = None,
    ) -> None:
        """An array uint8 [height, width, 3] in BGR, or any buffer with its `size` (width, height) and format.

        `captured_ns` of CLOCK_MONOTONIC; now, if None. Never waits: without a receiver it is gone.
        """
        if size is None:
            height, width = picture.shape[:2]
            size = width, height
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        stamp_ns = now_ns if captured_ns is None else captured_ns
        header = PictureHeader(
            seq=self._seq,
            format=pixel_format,
            size=size,
            captured_ns=stamp_ns,
            captured_utc_ns=now_utc_ns - (now_ns - stamp_ns),
            clock=self._clock,
        )
        self._seq += 1
        self._socket.send_multipart([encode_header(header, self._topic), memoryview(picture)])

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> FrameSender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
