"""What an engine publishes, and how it tells the time.

Stamps are nanoseconds: `*_ns` of the publishing machine's CLOCK_MONOTONIC, `*_utc_ns` since 1970. `clock`
names the former: who has another one asks the publisher for its time (ClockRequest), and so learns how far
the two are apart.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

import msgspec

from edge_engine.clock import NS_PER_S
from edge_engine.wire.sealing import UNREADABLE, ForeignError, seal, unseal

WIRE_VERSION = 1

HEARTBEAT_NS = NS_PER_S // 2
"""From one health message of a stream to the next, at most."""


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


class VisitsRow(msgspec.Struct, frozen=True):
    """Of a zone in a tracked stream: by label, how many came and went since the session began (what counts as
    what is at the head of zones/), and how long those that are inside have been there by now."""

    entered: dict[str, int]
    appeared: dict[str, int]
    exited: dict[str, int]
    lost_inside: dict[str, int]
    longest_dwell_ms: float
    mean_dwell_ms: float


class ZoneRow(msgspec.Struct, frozen=True):
    """`objects`: which of the message's objects have their anchor inside in this picture, by their places in
    the list from 0. `inside`: how many there are, by label; in a tracked stream those that are settled there,
    and then `visits` are counted. `density_per_megapixel`: of these, in the zone's part of the picture;
    `density_per_m2`: where the configuration has its area."""

    name: str
    objects: list[int]
    inside: dict[str, int]
    density_per_megapixel: float
    density_per_m2: float | None = None
    visits: VisitsRow | None = None


class LineRow(msgspec.Struct, frozen=True):
    """By label, how many crossed since the session began, as seen by who goes along the line."""

    name: str
    left_to_right: dict[str, int]
    right_to_left: dict[str, int]


class EventRow(msgspec.Struct, frozen=True):
    """Somebody came into the zone or left it, or crossed the line, whose name is `place`.

    `number` counts a stream's events in this session, from 1, without gaps. The stamps are those of the
    picture by which it counts; it happened `ago_ms` before. `dwell_ms`: of one that left, how long it was
    inside.
    """

    number: int
    kind: Literal["entered", "exited", "appeared", "lost_inside", "crossed"]
    place: str
    track_id: int
    label: str
    score: float
    xyxy: tuple[float, float, float, float]
    seq: int
    captured_ns: int
    captured_utc_ns: int
    ago_ms: float
    direction: Literal["left_to_right", "right_to_left"] | None = None
    dwell_ms: float | None = None


class ResultMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What was recognised in one frame. Don't act on it once `valid_until_ns` has passed, nor when it isn't
    `valid`: then `reason` says what is wrong with the camera, such as a picture that has stood still.
    `zones` and `lines` are those of the configuration; `events`: what came to count by this picture."""

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
    zones: list[ZoneRow] = []
    lines: list[LineRow] = []
    events: list[EventRow] = []


class EventMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one result, sent right after it, when there are any. One message, so that many at a time
    don't overflow a subscriber's queue. `valid` as in the result."""

    version: int = WIRE_VERSION
    stream: str
    session: str
    published_ns: int
    events: list[EventRow]
    valid: bool = True
    clock: str = ""


class HealthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeat, twice a second, and at once when the stream's state changes. It stops when a stage
    hangs: when a frame takes more than 0.8 s, and four times as long as usual.

    `state`: opening, running, stalled, reconnecting, ended or failed, since `since_ns`, for that `reason`;
    `reconnects`: how often the source was lost; `missed`: pictures that never reached the engine, as far as
    the source knows. `alarms`: what the engine can't do at the moment beside recognising, such as writing a
    file, by output. `paused`: nothing is recognised, because somebody has asked for that.
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
    paused: bool = False


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


Message: TypeAlias = ResultMessage | EventMessage | HealthMessage | DescribeMessage

_KINDS: dict[str, type[Message]] = {
    "result": ResultMessage,
    "event": EventMessage,
    "health": HealthMessage,
    "describe": DescribeMessage,
}
_TOPICS = {kind: name for name, kind in _KINDS.items()}
_DECODERS = {name: msgspec.msgpack.Decoder(kind) for name, kind in _KINDS.items()}
_CLOCK_TOPIC = "clock"
C = TypeVar("C", ClockRequest, ClockReply)


def topic_of(message: Message) -> str:
    return f"{_TOPICS[type(message)]}/{message.stream}"


def encode(message: Message) -> bytes:
    """The message as one ZeroMQ frame."""
    return seal(topic_of(message), message)


def decode(data: bytes) -> Message:
    """The message in one ZeroMQ frame; WireError says why there is none."""
    topic, payload = unseal(data)
    decoder = _DECODERS.get(topic.partition("/")[0])
    if decoder is None:
        raise ForeignError(f"unknown topic {topic[:40]!r}")
    try:
        message = decoder.decode(payload)
    except UNREADABLE as error:
        raise ForeignError(f"payload of {topic[:40]!r}: {error}") from None
    if message.version > WIRE_VERSION:
        raise ForeignError(f"version {message.version} is newer than this client's {WIRE_VERSION}")
    if topic != topic_of(message):
        raise ForeignError(f"topic {topic[:40]!r} with a message of stream {message.stream[:40]!r}")
    return message


def encode_clock(message: ClockRequest | ClockReply) -> bytes:
    return seal(_CLOCK_TOPIC, message)


def decode_clock(data: bytes, kind: type[C]) -> C:
    """Raises WireError."""
    topic, payload = unseal(data)
    if topic != _CLOCK_TOPIC:
        raise ForeignError(f"topic {topic[:40]!r}; expected {_CLOCK_TOPIC!r}")
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except UNREADABLE as error:
        raise ForeignError(f"payload of {_CLOCK_TOPIC!r}: {error}") from None
