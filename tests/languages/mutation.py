"""Messages harmed at random, most of them with a checksum that is right again: those reach the decoders."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

_HEADS = bytes.fromhex("00 7f 80 90 a0 c0 c1 c2 c4 c6 c9 ca cb cf d3 d8 db dd df ff")
_WITH_THE_OLD_CHECKSUM = 0.05


def mutated(messages: Sequence[bytes], count: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    return [_mutated(chance.choice(messages), chance) for _ in range(count)]


def _mutated(message: bytes, chance: random.Random) -> bytes:
    body = bytearray(message[:-4])
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        _harm(body, chance)
    if chance.random() < _WITH_THE_OLD_CHECKSUM:
        return bytes(body) + message[-4:]
    return bytes(body) + zlib.crc32(body).to_bytes(4, "big")


def _harm(body: bytearray, chance: random.Random) -> None:
    """A bit, a byte that begins another MessagePack type, bytes that are missing, or bytes twice."""
    at, some = chance.randrange(len(body) or 1), chance.randint(1, 8)
    match chance.randrange(4):
        case 0:
            body[at : at + 1] = bytes(byte ^ 1 << chance.randrange(8) for byte in body[at : at + 1])
        case 1:
            body[at : at + 1] = bytes([chance.choice(_HEADS)])
        case 2:
            del body[at : at + some]
        case _:
            body[at:at] = body[chance.randrange(len(body) or 1) :][:some]
