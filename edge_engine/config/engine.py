"""What a YAML file says, as typed structs; every error names file, line, key, expected and found.

Paths in a configuration are relative to the working directory of the process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from edge_engine.places import LineConfig, PlaceName, ZoneConfig
from edge_engine.yaml_source import Document, parse, read_text
from edge_engine.yaml_struct import NUMBERS_TOO, LabelName, LabelNames, Names, build

_PORT = r"(\*|[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST = r"([^\s/:\[\]]+|\[[0-9a-fA-F:.]+(%[\w.-]+)?\])"
_ENDPOINT = rf"^(tcp://{_HOST}:{_PORT}|ipc://.+)\Z"
_FRAMES = r"^(all|every:[1-9][0-9]{0,5}|none)\Z"
_ADDRESS = rf"^{_HOST}:{_PORT}\Z"
_ENDPOINTS = "tcp://HOST:PORT (0 to 65535, or *) or ipc://PATH"

SourceText = Annotated[str, Meta(min_length=1, description="a source's URI", extra=NUMBERS_TOO)]
_STREAM_NAMES = "a stream's name of up to 64 letters, digits, - or _"
StreamName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description=_STREAM_NAMES)]
Milliseconds = Annotated[int, Meta(ge=1, le=600_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Metres = Annotated[float, Meta(ge=0.01, le=1000)]
Pixels = Annotated[float, Meta(ge=1, le=100_000)]
Side = Annotated[int, Meta(ge=2, le=65_535)]
Deviation = Annotated[float, Meta(ge=0, le=90)]
Core = Annotated[int, Meta(ge=0, le=4095)]
CoreList = Annotated[tuple[Core, ...], Meta(min_length=1, description="a list of cores such as [2, 3]")]
ModelName = Annotated[str, Meta(min_length=1, description="a zoo model's name or an ONNX file")]
Address = Annotated[str, Meta(pattern=_ADDRESS, description="HOST:PORT (0 to 65535, or *)")]
Origin = Annotated[
    str, Meta(pattern=r"^https?://[^/\s]+\Z", description="a web site such as http://robot.local")
]
_MAVLINK = rf"^((udpout|udpin|tcp):{_HOST}:[0-9]{{1,5}}|/[^:]+)\Z"
_MAVLINKS = "udpout:HOST:PORT, udpin:HOST:PORT, tcp:HOST:PORT or a serial device such as /dev/ttyACM0"
ViewAngle = Annotated[float, Meta(ge=1, le=170)]
FilePath = Annotated[str, Meta(min_length=1, description="a file's path")]
_TOPIC = "letters, digits, - or _, in levels with / between them"
TopicPrefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z", description=_TOPIC)]
Endpoint = Annotated[str, Meta(pattern=_ENDPOINT, description=_ENDPOINTS)]


class TrackingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How objects keep their identity (tracking.tracker). Thresholds have ByteTrack's names.

    Detections of `track_high_thresh` or more (null: those that the stream publishes anyway) look for their
    tracks first, and begin new ones from `new_track_thresh` (null: the same) on; those of `track_low_thresh`
    or more only continue what is being seen. `match_thresh`: the highest cost, 1 - IoU · score, of a pair. A
    new track is confirmed by its `confirm_after`th picture without a break (ByteTrack: 2). Who was not seen
    for `max_lost_ms` is forgotten. `across_classes`: an object may change its class. `recovery`: who was lost
    is also looked for where it was last seen, and its motion made good (OC-SORT). `publish_lost`: lost ones
    are published where they are expected, with the state `lost` and score 0. Not `enabled`: for a stream that
    is not to be tracked where all others are.
    """

    enabled: bool = True
    track_high_thresh: Share | None = None
    track_low_thresh: Share = 0.1
    new_track_thresh: Share | None = None
    match_thresh: Share = 0.8
    confirm_after: Annotated[int, Meta(ge=1, le=100)] = 4
    max_lost_ms: Milliseconds = 1000
    across_classes: bool = False
    recovery: bool = False
    publish_lost: bool = False


class IntrinsicsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calibrated lens, as OpenCV has it: focal lengths and centre in pixels of pictures of that `size`, and
    the distortion: k1, k2, p1, p2[, k3[, k4, k5, k6]] of a `pinhole`, k1 to k4 of a `fisheye`."""

    fx: Pixels
    fy: Pixels
    cx: Pixels
    cy: Pixels
    size: Annotated[tuple[Side, Side], Meta(description="width and height in pixels, such as [640, 480]")]
    model: Literal["pinhole", "fisheye"] = "pinhole"
    distortion: Annotated[tuple[float, ...], Meta(max_length=8, description="a list of up to 8 numbers")] = ()


class CameraConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stream's camera sees where, so that objects get metres and degrees (geometry/).

    The lens: `intrinsics`, a calibration's `file` (ROS's, OpenCV's), or only the horizontal angle of view,
    `hfov_deg`. The mounting: the lens is `height_m` above the ground; yaw to the left, pitch down and roll to
    the right, from looking forward, are positive. `heights_m`: how tall things of a label are, for when their
    foot isn't seen on the ground. The rest are standard deviations: `pixel_std_px` of a box's sides (null: a
    twentieth of its height), `heights_std` a share of `heights_m`.
    """

    intrinsics: IntrinsicsConfig | None = None
    file: Annotated[str, Meta(min_length=1, description="a calibration file's path")] | None = None
    hfov_deg: ViewAngle | None = None
    height_m: Metres
    pitch_deg: Annotated[float, Meta(ge=-90, le=90)] = 0.0
    roll_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    yaw_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    heights_m: dict[LabelName, Metres] = {}
    hfov_std_deg: Deviation = 3.0
    height_std_m: Deviation = 0.02
    pitch_std_deg: Deviation = 1.0
    roll_std_deg: Deviation = 1.0
    yaw_std_deg: Deviation = 1.0
    pixel_std_px: Deviation | None = None
    heights_std: Share = 0.07


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One camera or file. `pace`: a file plays at its own rate, like a camera.

    A result older than `max_age_ms` is not valid any more; a live engine never publishes it. Of a camera:
    `open_deadline_ms` is how long its first picture may take, `frame_deadline_ms` how long any other one (by
    default a second, or six of its own periods) before it is given up and opened anew; `reconnect`: `lost`
    looks again for a camera that has been there, `always` also for one that isn't there at the start, `never`
    ends the stream. `still_after_ms`: a camera whose pictures have not changed at all, or have been black,
    for so long is not valid; null for one that rightly sees nothing move, such as a screen. A client is told
    that fewer than `min_fps` results a second are a fault. `classes`, thresholds and `tracking`: as in
    Config, for this stream. `camera`: what it sees where. `zones` and `lines`: where objects are counted
    (places.py), by name; lines need tracking.
    """

    source: SourceText
    pace: bool = True
    loop: bool = False
    max_age_ms: Milliseconds = 500
    open_deadline_ms: Milliseconds = 5000
    frame_deadline_ms: Milliseconds | None = None
    reconnect: Literal["lost", "always", "never"] = "lost"
    still_after_ms: Milliseconds | None = 1000
    min_fps: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    classes: LabelNames | None = None
    score_threshold: Share | None = None
    label_thresholds: dict[LabelName, Share] = {}
    tracking: TrackingConfig | None = None
    camera: CameraConfig | None = None
    zones: dict[PlaceName, ZoneConfig] = {}
    lines: dict[PlaceName, LineConfig] = {}


class ZeroMqConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where results are published; port * takes a free one. An address that other machines reach needs
    `keys`, the folder of those that may listen, made by `edge-engine keygen`, or `insecure`: whoever is in
    the network may.
    """

    endpoint: Endpoint = "tcp://127.0.0.1:5555"
    keys: Annotated[str, Meta(min_length=1, description="a folder of edge-engine keygen")] | None = None
    insecure: bool = False


class ControlConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the engine may be told what to do (control/); the keys' `controllers` may. The rest as in
    ZeroMqConfig."""

    endpoint: Endpoint = "tcp://127.0.0.1:5556"
    keys: Annotated[str, Meta(min_length=1, description="a folder of edge-engine keygen")] | None = None
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
    frames: Annotated[str, Meta(pattern=_FRAMES, description="all, every:N or none")] = "all"
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

    connection: Annotated[str, Meta(pattern=_MAVLINK, description=_MAVLINKS)]
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


class RealtimeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Linux: the cores that the engine's threads are bound to, and their SCHED_FIFO priority.

    Inference runs one below it, so that it never holds up a camera's stamp. `awake`: no core of the machine
    goes to sleep between frames, which costs power.
    """

    cores: CoreList | None = None
    priority: Annotated[int, Meta(ge=2, le=99)] | None = None
    awake: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole engine. `frames` and `seconds` end a run early; None for the rest means: as the model says,
    or as the hint says. `spinning`, `pinned`, `optimisation` and `batch` are those of
    models.providers.Setting; a batch takes pictures of several streams at once. `trim`: the padding of a
    letterbox is left out where the model can do without. `labels`, or `labels_file` with one a line, name the
    model's classes anew; `classes` are the only ones that are published, and `label_thresholds` are scores
    that single ones need, in place of `score_threshold` (models.choice). `tracking: {}` gives objects
    ids, with the defaults; none are given without. `standby_models` are loaded as well, so that `control` can
    switch to them without a gap; what is asked of `model` must make sense for them, but its labels are its
    own."""

    streams: Annotated[
        dict[StreamName, StreamConfig], Meta(min_length=1, description="at least one named stream")
    ]
    model: ModelName = "nanodet-g"
    standby_models: Annotated[tuple[ModelName, ...], Meta(description="a list of models")] = ()
    policy: Literal["live", "lossless"] = "live"
    hint: Literal["auto", "latency", "throughput"] = "auto"
    provider: Annotated[str, Meta(min_length=1, description="auto or a provider's name")] = "auto"
    workers: Annotated[int, Meta(ge=1, le=64)] | None = None
    threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    spinning: bool | None = None
    pinned: bool | None = None
    optimisation: Literal["basic", "extended", "all"] | None = None
    trim: bool = True
    batch: Annotated[int, Meta(ge=1, le=64)] = 1
    labels: Names | None = None
    labels_file: Annotated[str, Meta(min_length=1, description="a text file's path")] | None = None
    classes: LabelNames | None = None
    score_threshold: Share | None = None
    label_thresholds: dict[LabelName, Share] = {}
    iou_threshold: Share | None = None
    tracking: TrackingConfig | None = None
    frames: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(gt=0)] | None = None
    realtime: RealtimeConfig = RealtimeConfig()
    outputs: OutputsConfig = OutputsConfig()
    control: ControlConfig | None = None


S = TypeVar("S", bound=msgspec.Struct)


def tracking_of(config: Config, stream: StreamConfig | None = None) -> TrackingConfig | None:
    """A stream's own terms, else those of all; None where it isn't tracked."""
    tracking = (stream.tracking if stream is not None else None) or config.tracking
    return tracking if tracking is not None and tracking.enabled else None


def load_config(path: str | Path) -> Config:
    """A configuration from a YAML file; ConfigError in one line when it can't be used."""
    return parse_config(read_text(Path(path)), str(path))


def parse_config(text: str, name: str) -> Config:
    """The same from text; `name` stands for the file in errors."""
    return build(Config, parse(text, name))


def revalidate(struct: S) -> S:
    """A changed struct, checked like one from a file."""
    document = Document("command line", msgspec.to_builtins(struct))
    return build(type(struct), document)
