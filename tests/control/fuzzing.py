"""Messages that no engine should carry out: mutated, random, of wrong types, extreme sizes and numbers."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import msgspec

from edge_engine.wire import (
    LONGEST_REQUEST,
    Command,
    ControlRequest,
    GetStatistics,
    Pause,
    Resume,
    SetClasses,
    SetThresholds,
    TakeSnapshot,
    UseModel,
    WireError,
    decode_request,
    encode_control,
)

CHANGES: list[Command] = [
    Pause(stream="front"),
    Resume(stream="front"),
    SetThresholds(stream="front", score_threshold=0.9, label_thresholds={"person": 0.95}),
    SetClasses(stream="front", classes=("cat", "7")),
    UseModel(name="blazeface"),
]
COMMANDS: list[Command] = [*CHANGES, TakeSnapshot(stream="front", longest_side=64), GetStatistics()]
_NUMBERS = [0, -1, 1, 2**31, 2**63 - 1, -(2**63), 2**64 - 1, 1e308, -1e-308, float("nan"), float("inf"), 0.5]
_TEXTS = ["", "front", "\0", "\n", "x" * 65, "x" * 60_000, "\ud7ff", "🚗", "../../etc", "%s%n", "front\0"]


def sealed(payload: bytes, topic: bytes = b"control") -> bytes:
    body = topic + b"\0" + payload
    return body + zlib.crc32(body).to_bytes(4, "big")


def is_request(data: bytes) -> bool:
    """Whether it is whole and would be carried out."""
    try:
        decode_request(data)
    except WireError:
        return False
    return True


def harmful(seed: int) -> Iterator[bytes]:
    """Without end, none of which is a request."""
    chance = random.Random(seed)
    whole = [encode_control(ControlRequest(id=i, command=command)) for i, command in enumerate(COMMANDS)]
    before = whole[0]
    while True:
        made = _made(chance, whole, before)
        if len(made) <= LONGEST_REQUEST and not is_request(made):
            before = made
            yield made


def _made(chance: random.Random, whole: list[bytes], before: bytes) -> bytes:
    message = chance.choice(whole)
    kind = chance.randrange(8)
    if kind == 0:
        return chance.randbytes(chance.choice([0, 1, 4, 5, 16, 300]))
    if kind == 1:  # as the network might
        return _flipped(chance, message)
    if kind == 2:  # as a bad client might: the checksum is right
        return sealed(_flipped(chance, message[8:-4]))
    if kind == 3:
        return sealed(message[8:-4][: chance.randrange(len(message) - 12)])
    if kind == 4:
        return sealed(message[8:-4], chance.choice([b"clock", b"result/front", b"", b"CONTROL", b"x" * 300]))
    if kind == 5:  # once more, with an end
        return before + chance.randbytes(3)
    if kind == 6 and chance.random() < 0.01:
        return sealed(chance.choice([b"\x91", b"\x81\xa1a", b"\xdd\xff\xff\xff\xff", b"\xc0"]) * 10_000)
    return sealed(msgspec.msgpack.encode(_with_other_values(chance, message)))


def _flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _with_other_values(chance: random.Random, message: bytes) -> object:
    request = msgspec.msgpack.decode(message[8:-4])
    fields = request["command"] if chance.random() < 0.8 else request
    name = chance.choice([*fields, "version", "new"])
    fields[name] = _value(chance, depth=3)
    return request


def _value(chance: random.Random, depth: int) -> object:
    kind = chance.randrange(6 if depth else 3)
    if kind == 0:
        return chance.choice(_NUMBERS)
    if kind == 1:
        return chance.choice(_TEXTS) if chance.random() < 0.05 else chance.choice(_TEXTS[:5])
    if kind == 2:
        return chance.choice([None, True, False, b"", b"\xff" * 9])
    if kind == 3:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {str(_value(chance, 0)): _value(chance, depth - 1) for _ in range(chance.randrange(4))}
