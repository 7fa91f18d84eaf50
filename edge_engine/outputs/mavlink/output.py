"""MavlinkSink: fresh results to an autopilot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymavlink.dialects.v20 import common

from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.config import MavlinkConfig, MavlinkLandingConfig, MavlinkObstaclesConfig
from edge_engine.errors import ConfigError
from edge_engine.outputs.mavlink.autopilot_clock import AutopilotClock
from edge_engine.outputs.mavlink.link import Link, NobodyYetError, open_link
from edge_engine.outputs.mavlink.sectors import SECTOR_DEG, SECTORS, UNKNOWN, Sectors, sectors_cm
from edge_engine.outputs.mavlink.view import angles_of
from edge_engine.outputs.output import Circumstances, Output
from edge_engine.outputs.queued import Published, Pulse, QueuedOutput
from edge_engine.result import Result

_LOOK_S = 0.1
_MOST_WAITING = 16  # what waits longer is too old to be sent
_MOST_READS = 100


def open_output(config: MavlinkConfig, circumstances: Circumstances) -> Output:
    """Neither a live nor a lossless engine waits for an autopilot. Raises ConfigError."""
    if config.obstacles is not None:
        for stream in config.obstacles.hfov_deg:
            _check(circumstances, "obstacles.hfov_deg", stream, config.obstacles.labels or ())
            if circumstances.config.streams[stream].camera is None:
                raise ConfigError(
                    f"outputs.mavlink.obstacles: stream {stream} has no `camera`; expected one, for distances"
                )
    if config.landing is not None:
        _check(circumstances, "landing", config.landing.stream, (config.landing.label,))
    return QueuedOutput(
        "mavlink",
        config.connection,
        MavlinkSink(config),
        waits=False,
        most_waiting=_MOST_WAITING,
        look_s=_LOOK_S,
    )


def _check(circumstances: Circumstances, key: str, stream: str, labels: Sequence[str]) -> None:
    described = circumstances.descriptions.get(stream)
    if described is None:
        known = ", ".join(circumstances.descriptions)
        raise ConfigError(f"outputs.mavlink.{key}: there is no stream {stream}; known: {known}")
    for label in labels:
        if label not in described.labels:
            raise ConfigError(f"outputs.mavlink.{key}: {described.model} knows no label {label!r}")


class _Seen(NamedTuple):
    """What one stream last saw around the vehicle."""

    sectors: Sectors
    captured_ns: int
    valid_until_ns: int


class MavlinkSink:
    def __init__(self, config: MavlinkConfig) -> None:
        self._config = config
        self._link: Link | None = None
        self._mavlink = common.MAVLink(None, config.system_id, config.component_id)
        self._clock = AutopilotClock()
        self._streams = _streams(config)
        self._valid_ns: dict[str, int] = {}
        self._seen: dict[str, _Seen] = {}
        self._next_ns: dict[str, int] = {}

    def write(self, published: Sequence[Published], pulse: Pulse) -> None:
        try:
            if self._link is None:
                self._open()
            self._listen()
            if self._is_due("heartbeat", 1000):
                self._say_alive()
            for each in published:
                self._take(each.result)
        except NobodyYetError:
            raise
        except OSError:
            self.close()
            raise

    def _open(self) -> None:
        self._link = open_link(self._config.connection, self._config.baud)
        self._mavlink = common.MAVLink(self._link, self._config.system_id, self._config.component_id)
        self._mavlink.robust_parsing = True
        self._clock = AutopilotClock()

    def _listen(self) -> None:
        assert self._link is not None
        for _ in range(_MOST_READS):
            data = self._link.read()
            if not data:
                return
            for message in self._mavlink.parse_buffer(data) or ():
                if message.get_type() == "TIMESYNC":
                    self._clock.hear(message.tc1, message.ts1, monotonic_ns())

    def _is_due(self, what: str, every_ms: int) -> bool:
        now_ns = monotonic_ns()
        if now_ns < self._next_ns.get(what, 0):
            return False
        self._next_ns[what] = now_ns + every_ms * NS_PER_MS
        return True

    def _say_alive(self) -> None:
        self._mavlink.heartbeat_send(
            common.MAV_TYPE_ONBOARD_CONTROLLER, common.MAV_AUTOPILOT_INVALID, 0, 0, self._state()
        )
        self._mavlink.timesync_send(0, self._clock.ask(monotonic_ns()))

    def _state(self) -> int:
        """Standing by until each stream has given something valid, critical when one gives no more."""
        stale_ns = monotonic_ns() - self._config.stale_after_ms * NS_PER_MS
        since = [self._valid_ns.get(stream) for stream in self._streams]
        if any(valid_ns is not None and valid_ns < stale_ns for valid_ns in since):
            return int(common.MAV_STATE_CRITICAL)
        return int(common.MAV_STATE_STANDBY if None in since else common.MAV_STATE_ACTIVE)

    def _take(self, result: Result) -> None:
        if result.frame.doubt or monotonic_ns() > result.valid_until_ns:
            return
        self._valid_ns[result.stream] = result.published_ns
        obstacles, landing = self._config.obstacles, self._config.landing
        if obstacles is not None and result.stream in obstacles.hfov_deg:
            self._seen[result.stream] = _around(result, obstacles)
            if self._is_due("obstacles", self._config.interval_ms):
                self._say_obstacles(obstacles)
        if landing is not None and result.stream == landing.stream:
            self._say_landing_target(result, landing)

    def _say_obstacles(self, config: MavlinkObstaclesConfig) -> None:
        """What all streams see, as old as the oldest of it."""
        now_ns = monotonic_ns()
        fresh = [seen for seen in self._seen.values() if now_ns <= seen.valid_until_ns]
        if not fresh:
            return
        self._mavlink.obstacle_distance_send(
            self._clock.time_usec(min(seen.captured_ns for seen in fresh)),
            common.MAV_DISTANCE_SENSOR_UNKNOWN,
            np.minimum.reduce([seen.sectors for seen in fresh]).tolist(),
            SECTOR_DEG,
            _cm(config.min_distance_m),
            _cm(config.max_distance_m),
            increment_f=0.0,
            angle_offset=0.0,
            frame=common.MAV_FRAME_BODY_FRD,
        )

    def _say_landing_target(self, result: Result, config: MavlinkLandingConfig) -> None:
        """The surest one, if there is any. A distance of 0 is an unknown one."""
        boxes_xyxy = result.objects.boxes_xyxy[_chosen(result, (config.label,))]
        if not len(boxes_xyxy) or not self._is_due("landing", self._config.interval_ms):
            return
        (angles,) = angles_of(boxes_xyxy[:1], result.frame.size, config.hfov_deg)
        left, top, right, bottom = angles.tolist()
        distance_m = 0.0
        if config.size_m is not None:
            distance_m = config.size_m / (math.tan(right) - math.tan(left))
        self._mavlink.landing_target_send(
            self._clock.time_usec(result.frame.captured_ns),
            0,
            common.MAV_FRAME_BODY_FRD,
            math.atan((math.tan(left) + math.tan(right)) / 2),
            math.atan((math.tan(top) + math.tan(bottom)) / 2),
            distance_m,
            right - left,
            bottom - top,
            type=common.LANDING_TARGET_TYPE_VISION_OTHER,
            position_valid=0,
        )

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None


def _streams(config: MavlinkConfig) -> set[str]:
    """Those that anything is said of."""
    around = set(config.obstacles.hfov_deg) if config.obstacles is not None else set()
    return around | ({config.landing.stream} if config.landing is not None else set())


def _chosen(result: Result, labels: Sequence[str] | None) -> NDArray[np.intp]:
    """The objects that are seen and asked for, surest first."""
    objects = result.objects
    is_asked = objects.are_seen()
    if labels is not None:
        asked = [class_id for class_id, label in enumerate(result.labels) if label in labels]
        is_asked &= np.isin(objects.class_ids, asked)
    return np.flatnonzero(is_asked)


def _around(result: Result, config: MavlinkObstaclesConfig) -> _Seen:
    """Nothing is known to be anywhere in a picture that the camera's calibration doesn't fit."""
    frame, geometry, sectors = result.frame, result.objects.geometry, np.full(SECTORS, UNKNOWN, np.uint16)
    if geometry is not None:
        chosen = _chosen(result, config.labels)
        angles = angles_of(result.objects.boxes_xyxy[chosen], frame.size, config.hfov_deg[result.stream])
        sectors = sectors_cm(
            -geometry.bearings_deg[chosen],
            np.degrees(angles[:, 2] - angles[:, 0]),
            geometry.distances_m[chosen],
            _cm(config.min_distance_m),
            _cm(config.max_distance_m),
        )
    return _Seen(sectors, frame.captured_ns, result.valid_until_ns)


def _cm(metres: float) -> int:
    return round(metres * 100)
