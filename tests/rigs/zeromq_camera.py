"""A process that sends pictures to an engine: `python -m tests.rigs.zeromq_camera [--fps R]`, READY <port>.

The counter in each picture (test_pattern.read_counter) is CLOCK_MONOTONIC in milliseconds, modulo 2**32.
Lines on stdin: `format NAME`, `foreign` (another machine's clock, an hour ahead), `noise` (messages that
are no pictures), `quit`.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

import av
import cv2
import zmq

from edge_engine.sender import FrameSender
from tests.rigs.rtsp_server import picture

FORMAT = "bgr24"


class State:
    pixel_format = FORMAT
    is_foreign = False
    is_noisy = False


def send(sender: FrameSender, state: State) -> None:
    now_ns = time.monotonic_ns()
    image = picture((640, 480), now_ns // 1_000_000 & 0xFFFFFFFF)
    stamp_ns = now_ns + (3600 * 10**9 if state.is_foreign else 0)
    sender._clock = "another" if state.is_foreign else sender._clock
    if state.pixel_format == "bgr24":
        sender.send(image, captured_ns=stamp_ns)
    elif state.pixel_format == "jpeg":
        data = bytes(cv2.imencode(".jpg", image)[1])
        sender.send(data, size=(640, 480), pixel_format="jpeg", captured_ns=stamp_ns)
    else:
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        raw = frame.to_ndarray(format=state.pixel_format)
        sender.send(raw, size=(640, 480), pixel_format=state.pixel_format, captured_ns=stamp_ns)


def obey(state: State) -> None:
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "format":
            state.pixel_format = rest[0]
        state.is_foreign |= word == "foreign"
        state.is_noisy |= word == "noise"
        if word == "quit":
            return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fps", type=float, default=25)
    arguments = parser.parse_args()
    state = State()
    with FrameSender(f"tcp://127.0.0.1:{arguments.port or '*'}") as sender:
        print("READY", sender.endpoint.rpartition(":")[2], flush=True)  # noqa: T201
        listening = threading.Thread(target=obey, args=(state,), daemon=True)
        listening.start()
        socket: zmq.Socket[bytes] = sender._socket
        while listening.is_alive():
            send(sender, state)
            if state.is_noisy:
                socket.send_multipart([b"picture\0noise", b"x"])
                socket.send(b"picture\0alone")
            time.sleep(1 / arguments.fps)


if __name__ == "__main__":
    main()
