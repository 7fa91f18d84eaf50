"""Sealing: a payload as one ZeroMQ frame, `topic NUL payload crc32`, and back."""

from __future__ import annotations

import zlib

import msgspec

_CRC_BYTES = 4
_encoder = msgspec.msgpack.Encoder()

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a payload that isn't what it should be."""


class WireError(ValueError):
    """These bytes are no message of ours: damaged."""


class ForeignError(WireError):
    """These bytes are whole, but nothing that we know: of another program, or of a newer version."""


def seal(topic: str, message: msgspec.Struct) -> bytes:
    body = topic.encode() + b"\0" + _encoder.encode(message)
    return body + zlib.crc32(body).to_bytes(_CRC_BYTES, "big")


def unseal(data: bytes) -> tuple[str, bytes]:
    """Topic and payload."""
    body, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    if len(crc) < _CRC_BYTES or zlib.crc32(body) != int.from_bytes(crc, "big"):
        raise WireError(f"checksum mismatch in {len(data)} bytes")
    topic, separator, payload = body.partition(b"\0")
    if not separator:
        raise ForeignError(f"no topic in {len(data)} bytes")
    return topic.decode(errors="replace"), payload
