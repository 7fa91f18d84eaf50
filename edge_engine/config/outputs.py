"""Outputs: where results go."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_engine.config.values import (
    Address,
    AutopilotConnection,
    Endpoint,
    FilePath,
    KeysFolder,
    Milliseconds,
    Origin,
    RecordedFrames,
    StreamName,
    TopicPrefix,
    ViewAngle,
)
from edge_engine.yaml.struct import NUMBERS_TOO, Names


class ZeroMqConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where results are published; port * takes a free one. An address that other machines reach needs
    `keys`, the folder of those that may listen, made by `edge-engine keygen`, or `insecure`: whoever is in
    the network may.
    """

    endpoint: Endpoint = "tcp://127.0.0.1:5555"
    keys: KeysFolder | None = None
    insecure: bool = False


class JsonlConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Results as lines of a file, appended. At `max_mb` it is renamed, and of those `files` are kept."""

    path: FilePath
    max_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    files: Annotated[int, Meta(ge=1, le=1000)] = 5


class McapConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording for Foxglove and for edge-engine replay: results, and of each stream `all` frames, one of
    N (`every:N`) or `none`. At `max_mb` the file is renamed, and of those `files` are kept; so is one that
    is there at the start. `compression` costs processor time, and JPEGs become no smaller by it."""

    path: FilePath
    frames: RecordedFrames = "all"
    compression: Literal["none", "lz4", "zstd"] = "lz4"
    max_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    files: Annotated[int, Meta(ge=1, le=1000)] = 5

    @property
    def every(self) -> int:
        """One of so many frames is recorded; 0 for none."""
        if self.frames == "none":
            return 0
        return int(self.frames.removeprefix("every:")) if self.frames != "all" else 1


class WebSocketConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same messages for browsers, and a page that shows them; port * takes a free one. An address that
    other machines reach needs `insecure`: whoever is in the network may watch. `origins` are the web sites
    whose pages may, beside the engine's own."""

    endpoint: Address = "127.0.0.1:8765"
    origins: tuple[Origin, ...] = ()
    insecure: bool = False


class MqttTlsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files in PEM format: who vouches for the broker (null: those whom the system trusts); this engine's own
    certificate and its key, where the broker asks for one."""

    ca: FilePath | None = None
    cert: FilePath | None = None
    key: FilePath | None = None


class MqttConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker (its topics: outputs.mqtt). `port`: 1883, or 8883 with `tls`. The password stands here, in a
    file, or in a variable of the environment. `prefix` is this engine's alone, and its name to the broker.
    `discovery`: the prefix of Home Assistant's discovery, `homeassistant` unless it was changed there.

    Counts are told at most every `interval_ms`, whole results every `result_every_ms` (null: never). A
    stream without a valid result for `stale_after_ms` is offline; a broker that is silent for `keepalive_s`
    is asked, and after twice that given up.
    """

    host: Annotated[str, Meta(min_length=1, description="a broker's name or address")]
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    username: Annotated[str, Meta(min_length=1, description="a user's name", extra=NUMBERS_TOO)] | None = None
    password: str | None = None
    password_file: FilePath | None = None
    password_env: Annotated[str, Meta(min_length=1, description="a variable's name")] | None = None
    tls: MqttTlsConfig | None = None
    prefix: TopicPrefix = "edge_engine"
    discovery: TopicPrefix | None = None
    qos: Literal[0, 1] = 0
    keepalive_s: Annotated[int, Meta(ge=1, le=3600)] = 10
    interval_ms: Milliseconds = 200
    stale_after_ms: Milliseconds = 2000
    result_every_ms: Milliseconds | None = None

    def __repr__(self) -> str:
        """Nothing that a log may show has the password."""
        return f"MqttConfig(host={self.host!r}, port={self.port}, prefix={self.prefix!r})"


class MavlinkObstaclesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`hfov_deg`: the horizontal angle of view of each stream that looks around, for how wide things are; how
    far they are tells its `camera`. Of these `labels` (null: of all). What is farther than `max_distance_m`
    isn't told of; what is nearer than `min_distance_m` counts as that near."""

    hfov_deg: Annotated[dict[StreamName, ViewAngle], Meta(min_length=1, description="angles by stream")]
    labels: Names | None = None
    min_distance_m: Annotated[float, Meta(ge=0.01, le=600)] = 0.2
    max_distance_m: Annotated[float, Meta(ge=0.01, le=600)] = 20.0


class MavlinkLandingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The landing pad is what has this `label` in this `stream`, whose camera looks straight down with the
    picture's top forward, with a horizontal angle of view of `hfov_deg`. With the pad's width `size_m` its
    distance is told too."""

    stream: StreamName
    label: Annotated[str, Meta(min_length=1, description="a label's name")]
    hfov_deg: ViewAngle
    size_m: Annotated[float, Meta(gt=0, le=100)] | None = None


class MavlinkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An autopilot (outputs.mavlink). `connection` as pymavlink has it; `baud` of a serial port. The engine
    is a component of the vehicle `system_id`; 191 is MAV_COMP_ID_ONBOARD_COMPUTER. Each message is sent at
    most every `interval_ms`; a stream without a valid result for `stale_after_ms` makes the heartbeat's state
    critical."""

    connection: AutopilotConnection
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115_200
    system_id: Annotated[int, Meta(ge=1, le=255)] = 1
    component_id: Annotated[int, Meta(ge=1, le=255)] = 191
    obstacles: MavlinkObstaclesConfig | None = None
    landing: MavlinkLandingConfig | None = None
    interval_ms: Milliseconds = 100
    stale_after_ms: Milliseconds = 2000


class OutputsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where results go; none at all is fine for a program that embeds the engine."""

    zeromq: ZeroMqConfig | None = None
    jsonl: JsonlConfig | None = None
    mcap: McapConfig | None = None
    websocket: WebSocketConfig | None = None
    mqtt: MqttConfig | None = None
    mavlink: MavlinkConfig | None = None

    @property
    def need_pixels(self) -> bool:
        """Whether a result must still have its picture when it is published."""
        return self.mcap is not None and self.mcap.every > 0
