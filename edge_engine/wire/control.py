"""What an engine may be told and asked, from a DEALER socket, and how it answers.

A request has the topic `control`, an id that the asker chooses, and one command; the reply brings the id
back. A command with a field that is not known is refused: half of what was meant may be worse than nothing.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from edge_engine.wire.messages import WIRE_VERSION, ResultMessage
from edge_engine.wire.sealing import UNREADABLE, ForeignError, seal, unseal
from edge_engine.wire.summary import Summary

LONGEST_REQUEST = 64 * 1024
"""Bytes; whoever sends more loses its connection."""

_TOPIC = "control"

StreamName = Annotated[str, Meta(min_length=1, max_length=64)]
Label = Annotated[str, Meta(min_length=1, max_length=200)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pause"):
    """The stream's camera is read on, but nothing is recognised. Pausing what is paused is no error."""

    stream: StreamName


class Resume(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resume"):
    stream: StreamName


class SetThresholds(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_thresholds"
):
    """The scores from which on a stream's objects are published, 0..1; as in a configuration, a
    `score_threshold` sets aside the `label_thresholds` from before, and without one these add up."""

    stream: StreamName
    score_threshold: Share | None = None
    label_thresholds: Annotated[dict[Label, Share], Meta(max_length=1000)] = {}


class SetClasses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_classes"):
    """The labels that a stream publishes, by name or number; none stands for all."""

    stream: StreamName
    classes: Annotated[tuple[Label, ...], Meta(max_length=1000)]


class UseModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="use_model"):
    """Another of the models that the configuration has loaded, by the name that it gives there."""

    name: Annotated[str, Meta(min_length=1, max_length=1000)]


class TakeSnapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="snapshot"):
    """The next picture that is recognised. `longest_side`: made smaller where it is longer, in pixels."""

    stream: StreamName
    longest_side: Annotated[int, Meta(ge=16, le=16_384)] | None = None
    quality: Annotated[int, Meta(ge=1, le=100)] = 85


class GetStatistics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="statistics"):
    pass


Command: TypeAlias = Pause | Resume | SetThresholds | SetClasses | UseModel | TakeSnapshot | GetStatistics


class ControlRequest(msgspec.Struct, frozen=True, kw_only=True):
    version: int = WIRE_VERSION
    id: int
    command: Command


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as a JPEG, and the result that belongs to it; None of a paused stream. `size` is the
    source's, in pixels, in which the result's boxes are; the stamps are a ResultMessage's."""

    stream: str
    seq: int
    captured_ns: int
    captured_utc_ns: int
    size: tuple[int, int]
    jpeg: bytes
    result: ResultMessage | None = None
    clock: str = ""


class ControlReply(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`: it was done; else `error` says in a line why not, and nothing was changed."""

    version: int = WIRE_VERSION
    id: int
    ok: bool
    error: str = ""
    snapshot: Snapshot | None = None
    statistics: Summary | None = None


class BadCommandError(ForeignError):
    """A request whose `id` is known, and whose command is none."""

    def __init__(self, request_id: int, why: str) -> None:
        super().__init__(why)
        self.id = request_id


class _Envelope(msgspec.Struct, frozen=True):
    id: Annotated[int, Meta(ge=0)]
    command: msgspec.Raw
    version: int = WIRE_VERSION


_envelopes = msgspec.msgpack.Decoder(_Envelope)
_commands = msgspec.msgpack.Decoder(Command)
_replies = msgspec.msgpack.Decoder(ControlReply)


def command_name(command: Command) -> str:
    """Its tag on the wire."""
    return str(type(command).__struct_config__.tag)


def encode_control(message: ControlRequest | ControlReply) -> bytes:
    return seal(_TOPIC, message)


def decode_request(data: bytes) -> ControlRequest:
    """Raises WireError; BadCommandError where the asker can be told."""
    payload = _payload(data)
    try:
        envelope = _envelopes.decode(payload)
    except UNREADABLE as error:
        raise ForeignError(f"no request: {error}") from None
    if envelope.version > WIRE_VERSION:
        newer = f"version {envelope.version} is newer than this engine's {WIRE_VERSION}"
        raise BadCommandError(envelope.id, newer)
    try:
        command = _commands.decode(envelope.command)
    except UNREADABLE as error:
        raise BadCommandError(envelope.id, f"no command: {error}") from None
    return ControlRequest(id=envelope.id, command=command, version=envelope.version)


def decode_reply(data: bytes) -> ControlReply:
    """Raises WireError."""
    try:
        return _replies.decode(_payload(data))
    except UNREADABLE as error:
        raise ForeignError(f"no reply: {error}") from None


def _payload(data: bytes) -> bytes:
    topic, payload = unseal(data)
    if topic != _TOPIC:
        raise ForeignError(f"topic {topic[:40]!r}; expected {_TOPIC!r}")
    return payload
