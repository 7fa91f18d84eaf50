"""The message format: encode, decode, check.

A message is one ZeroMQ frame:

    topic  NUL  payload  crc32

`topic` is `result/<stream>`, `health/<stream>` or `describe/<stream>`: first, so that ZeroMQ's
prefix filter works. `payload` is MessagePack, a map with named fields. `crc32` is zlib's CRC-32 of
everything before it, 4 bytes, big-endian. One frame, not several: CONFLATE would tear them apart.

Stamps are nanoseconds: `*_ns` of the publishing machine's CLOCK_MONOTONIC, `*_utc_ns` since 1970. `clock`
names the former: who has another one asks the publisher for its time (ClockRequest), and so learns how far
the two are apart. Fields are only ever added, with defaults, so that older clients go on working.
"""

from __future__ import annotations

import zlib
from typing import Literal, TypeAlias, TypeVar

import msgspec

from edge_engine.clock import NS_PER_S

WIRE_VERSION = 1
_CRC_BYTES = 4

HEARTBEAT_NS = NS_PER_S // 2
"""From one health message of a stream to the next, at most."""


class WireError(ValueError):
    """These bytes are no message of ours: damaged."""


class ForeignError(WireError):
    """These bytes are whole, but nothing that we know: of another program, or of a newer version."""


class Counters(msgspec.Struct, frozen=True):
    """The stream's ledger: captured = published + in_flight + Σ dropped.

    `published` counts this message too, so that a receiver finds gaps by it.
    """

    captured: int
    published: int
    in_flight: int
    dropped: dict[str, int]


class Mask(msgspec.Struct, frozen=True):
    """COCO's uncompressed run lengths: column by column of a grid of `size` (rows, columns) over the whole
    picture, first how many cells are outside, then how many inside, and so on."""

    size: tuple[int, int]
    counts: list[int]


class GeometryRow(msgspec.Struct, frozen=True):
    """Where an object is in the robot's axes: x forward, y left, z up (REP-103), from the point on the ground
    below the lens. Each number has its standard deviation, and is None where it can't be known.

    `bearing_deg` from forward, positive to the left, and `elevation_deg` from the horizon, positive up, of
    the box's middle as the camera sees it. `distance_m` over the ground to the object's foot, whose place is
    `position_m`, with the covariance of its errors in m², 3x3; `distance_by`: where the foot meets the
    `ground`, or the object's known `height`.
    """

    bearing_deg: float | None
    bearing_std_deg: float | None
    elevation_deg: float | None
    elevation_std_deg: float | None
    distance_m: float | None
    distance_std_m: float | None
    position_m: tuple[float, float, float] | None = None
    position_covariance: tuple[tuple[float, float, float], ...] | None = None
    distance_by: Literal["ground", "height"] | None = None


class ObjectRow(msgspec.Struct, frozen=True):
    """One recognised object: box `xyxy` in source pixels (left, top, right, bottom), score 0..1.

    `keypoints`: x, y in source pixels and score each, named in `describe`; `mask`: which part it covers.

    Of a tracked stream: `track_id`, from 1 up, given once per stream and session and to one object;
    `track_state`: `new` (first seen a few pictures ago), `confirmed`, or `lost` (known, but not seen in this
    picture: the box is where it is expected, its score 0); `velocity` of the box's centre, x and y, in source
    pixels per second, and the covariance of its errors, [[xx, xy], [yx, yy]].

    `geometry`, where the stream's camera is described.
    """

    xyxy: tuple[float, float, float, float]
    score: float
    class_id: int
    label: str
    keypoints: list[tuple[float, float, float]] = []
    mask: Mask | None = None
    track_id: int | None = None
    track_state: Literal["new", "confirmed", "lost"] | None = None
    velocity: tuple[float, float] | None = None
    velocity_covariance: tuple[tuple[float, float], tuple[float, float]] | None = None
    geometry: GeometryRow | None = None


class TagRow(msgspec.Struct, frozen=True):
    """What the whole picture shows: one of the best classes, or a tag; score 0..1."""

    score: float
    class_id: int
    label: str


class SegmentationRows(msgspec.Struct, frozen=True):
    """A class per cell of a grid of `size` (rows, columns) over the whole picture, row by row as runs of
    equal cells: `class_ids` and how many cells `counts` each run has. `shares`: of the picture, by label.
    Classes that aren't asked for are 255 (65535 where there are more than 255 labels) and have no share."""

    size: tuple[int, int]
    class_ids: list[int]
    counts: list[int]
    shares: dict[str, float]


class ResultMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What was recognised in one frame. Don't act on it once `valid_until_ns` has passed, nor when it isn't
    `valid`: then `reason` says what is wrong with the camera, such as a picture that has stood still."""

    version: int = WIRE_VERSION
    stream: str
    seq: int
    session: str
    captured_ns: int
    captured_utc_ns: int
    published_ns: int
    valid_until_ns: int
    size: tuple[int, int]
    model: str
    stages_ms: dict[str, float]
    counters: Counters
    objects: list[ObjectRow]
    tags: list[TagRow] = []
    segmentation: SegmentationRows | None = None
    valid: bool = True
    reason: str = ""
    clock: str = ""


class HealthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeat, twice a second, and at once when the stream's state changes. It stops when a stage
    hangs: when a frame takes more than 0.8 s, and four times as long as usual.

    `state`: opening, running, stalled, reconnecting, ended or failed, since `since_ns`, for that `reason`;
    `reconnects`: how often the source was lost; `missed`: pictures that never reached the engine, as far as
    the source knows. `alarms`: what the engine can't do at the moment beside recognising, such as writing a
    file, by output.
    """

    version: int = WIRE_VERSION
    stream: str
    session: str
    published_ns: int
    counters: Counters
    state: str = "running"
    reason: str = ""
    since_ns: int = 0
    reconnects: int = 0
    missed: int = 0
    alarms: dict[str, str] = {}
    clock: str = ""


class DescribeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream's results are made of; sent again to each new subscriber.

    `classes` are the labels that are published, none for all of them; a label of `label_thresholds` needs
    that score, any other `score_threshold`. `min_fps`: fewer results a second are a fault. `clock_port`: the
    TCP port of the publisher's host that answers ClockRequests; 0 for none.
    """

    version: int = WIRE_VERSION
    stream: str
    session: str
    model: str
    task: str
    labels: tuple[str, ...]
    max_age_ms: int
    keypoint_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    score_threshold: float = 0.0
    label_thresholds: dict[str, float] = {}
    min_fps: float = 0.0
    clock: str = ""
    clock_port: int = 0


class ClockRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Sent from a DEALER socket, sealed like any message, with the topic `clock`; `sent_ns` is the asker's
    own CLOCK_MONOTONIC, and comes back."""

    sent_ns: int


class ClockReply(msgspec.Struct, frozen=True, kw_only=True):
    """When the publisher got the request and when it answered, by the clock of that name."""

    asked_ns: int
    received_ns: int
    answered_ns: int
    clock: str


Message: TypeAlias = ResultMessage | HealthMessage | DescribeMessage

_KINDS: dict[str, type[Message]] = {
    "result": ResultMessage,
    "health": HealthMessage,
    "describe": DescribeMessage,
}
_TOPICS = {kind: name for name, kind in _KINDS.items()}
_DECODERS = {name: msgspec.msgpack.Decoder(kind) for name, kind in _KINDS.items()}
_encoder = msgspec.msgpack.Encoder()
_CLOCK_TOPIC = "clock"
C = TypeVar("C", ClockRequest, ClockReply)


def topic_of(message: Message) -> str:
    return f"{_TOPICS[type(message)]}/{message.stream}"


def encode(message: Message) -> bytes:
    """The message as one ZeroMQ frame."""
    return _seal(topic_of(message), message)


def decode(data: bytes) -> Message:
    """The message in one ZeroMQ frame; WireError says why there is none."""
    topic, payload = _unseal(data)
    decoder = _DECODERS.get(topic.partition("/")[0])
    if decoder is None:
        raise ForeignError(f"unknown topic {topic[:40]!r}")
    try:
        message = decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise ForeignError(f"payload of {topic[:40]!r}: {error}") from None
    if message.version > WIRE_VERSION:
        raise ForeignError(f"version {message.version} is newer than this client's {WIRE_VERSION}")
    if topic != topic_of(message):
        raise ForeignError(f"topic {topic[:40]!r} with a message of stream {message.stream[:40]!r}")
    return message


def encode_clock(message: ClockRequest | ClockReply) -> bytes:
    return _seal(_CLOCK_TOPIC, message)


def decode_clock(data: bytes, kind: type[C]) -> C:
    """Raises WireError."""
    topic, payload = _unseal(data)
    if topic != _CLOCK_TOPIC:
        raise ForeignError(f"topic {topic[:40]!r}; expected {_CLOCK_TOPIC!r}")
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise ForeignError(f"payload of {_CLOCK_TOPIC!r}: {error}") from None


def _seal(topic: str, message: msgspec.Struct) -> bytes:
    body = topic.encode() + b"\0" + _encoder.encode(message)
    return body + zlib.crc32(body).to_bytes(_CRC_BYTES, "big")


def _unseal(data: bytes) -> tuple[str, bytes]:
    """Topic and payload."""
    body, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    if len(crc) < _CRC_BYTES or zlib.crc32(body) != int.from_bytes(crc, "big"):
        raise WireError(f"checksum mismatch in {len(data)} bytes")
    topic, separator, payload = body.partition(b"\0")
    if not separator:
        raise ForeignError(f"no topic in {len(data)} bytes")
    return topic.decode(errors="replace"), payload
