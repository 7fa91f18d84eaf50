"""A real sender of MPEG-TS: H.264 with B-frames and sound, over TCP to whoever connects or over UDP.

    python -m tests.rigs.ts_sender tcp|udp [--port P] [--fps R] [--bframes N]

The counter in each picture (test_pattern.read_counter) is CLOCK_MONOTONIC in milliseconds, modulo 2**32. Over
UDP it sends to 127.0.0.1 whether anybody is there or not. Says `READY <port>`, and ends with its stdin.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np

from tests.rigs.rtsp_server import picture

_DATAGRAM = 7 * 188  # bytes: as many whole packets as fit
_CLOCK = 90_000


class Wire:
    """What PyAV writes to."""

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send

    def write(self, data: bytes) -> int:
        for at in range(0, len(data), _DATAGRAM):
            self._send(bytes(data[at : at + _DATAGRAM]))
        return len(data)


def send(wire: Wire, fps: int, bframes: int) -> None:
    """A picture each period, until the wire fails."""
    container: Any = av.open(
        wire, "w", format="mpegts", buffer_size=_DATAGRAM, options={"flush_packets": "1"}
    )
    video, sound = container.add_stream("libx264", rate=fps), container.add_stream("mp2", rate=48_000)
    video.width, video.height, video.pix_fmt = 640, 480, "yuv420p"
    video.codec_context.time_base = Fraction(1, _CLOCK)
    video.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={fps}:repeat-headers=1:bframes={bframes}:b-adapt=0",
    }
    start_ns = time.monotonic_ns()
    for number in range(10**9):
        time.sleep(max(0.0, start_ns / 1e9 + number / fps - time.monotonic()))
        now_ns = time.monotonic_ns()
        image = picture((640, 480), now_ns // 1_000_000 & 0xFFFFFFFF)
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = (now_ns - start_ns) * _CLOCK // 10**9, Fraction(1, _CLOCK)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 48_000 // fps), np.int16), layout="stereo")
        silence.sample_rate, silence.pts = 48_000, number * 48_000 // fps
        for packet in [*video.encode(frame), *sound.encode(silence)]:
            container.mux(packet)


def serve(listener: socket.socket, fps: int, bframes: int) -> None:
    while True:
        connection, _ = listener.accept()
        try:
            send(Wire(connection.sendall), fps, bframes)
        except OSError:
            connection.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("transport", choices=["tcp", "udp"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--bframes", type=int, default=0)
    arguments = parser.parse_args()
    how = arguments.fps, arguments.bframes
    if arguments.transport == "tcp":
        listener = socket.create_server(("127.0.0.1", arguments.port))
        port = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, *how), daemon=True).start()
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", arguments.port))
            port = free.getsockname()[1]
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wire = Wire(lambda data: out.sendto(data, ("127.0.0.1", port)))
        threading.Thread(target=send, args=(wire, *how), daemon=True).start()
    print("READY", port, flush=True)  # noqa: T201
    sys.stdin.read()


if __name__ == "__main__":
    main()
