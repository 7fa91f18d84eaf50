"""MAVLink: what an autopilot's side, pymavlink in another process, gets to hear."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.config import (
    CameraConfig,
    MavlinkConfig,
    MavlinkLandingConfig,
    MavlinkObstaclesConfig,
    OutputsConfig,
)
from edge_engine.errors import ConfigError
from edge_engine.geometry.camera import CameraGeometry
from edge_engine.outputs.mavlink.output import open_output
from edge_engine.outputs.mavlink.sectors import SECTORS, UNKNOWN, sectors_cm
from edge_engine.outputs.output import Output
from tests.outputs.made import COUNTS, LABELS, circumstances, objects, result
from tests.rigs.autopilot import AHEAD_S
from tests.rigs.peer import Peer, wait_until

ACTIVE, CRITICAL = 4, 5
CAMERA = CameraConfig(hfov_deg=90, height_m=1)
BODY_FRD = 12

things = st.lists(
    st.tuples(st.floats(-720, 720), st.floats(0, 180), st.one_of(st.just(math.nan), st.floats(0, 100))),
    max_size=8,
)


def config(connection: str) -> MavlinkConfig:
    return MavlinkConfig(
        connection=connection,
        system_id=7,
        component_id=196,
        obstacles=MavlinkObstaclesConfig(hfov_deg={"front": 90.0}, labels=("person", "car")),
        landing=MavlinkLandingConfig(stream="down", label="car", hfov_deg=90.0, size_m=1.0),
        interval_ms=10,
        stale_after_ms=500,
    )


def opened(connection: str) -> Output:
    asked = config(connection)
    return open_output(asked, circumstances(OutputsConfig(mavlink=asked), "front", "down", camera=CAMERA))


def last(peer: Peer, name: str) -> dict[str, Any] | None:
    said: dict[str, Any] | None = json.loads(peer.ask(f"last {name}"))
    return said


@pytest.fixture(params=["udpin", "tcpin"])
def autopilot(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with Peer("autopilot", request.param) as peer:
        yield peer


@pytest.fixture
def output(autopilot: Peer, request: pytest.FixtureRequest) -> Iterator[Output]:
    kind = "tcp" if "tcpin" in request.node.name else "udpout"
    output = opened(f"{kind}:127.0.0.1:{autopilot.port}")
    yield output
    output.close()


def test_a_landing_target_is_where_it_is_in_the_picture(output: Output, autopilot: Peer) -> None:
    """At 90° the focal length is half of the width: 320 pixels to the right are 45°."""
    pad = objects([("person", (0, 0, 9, 9)), ("car", (480, 80, 640, 240))])

    def target() -> dict[str, Any] | None:
        output.publish(result("down", pad), COUNTS)
        return last(autopilot, "LANDING_TARGET")

    assert wait_until(target)
    said = target()
    assert said is not None
    assert said["angle_x"] == pytest.approx(math.atan(240 / 320))
    assert said["angle_y"] == pytest.approx(math.atan(-80 / 320))
    assert said["distance"] == pytest.approx(2.0), "a metre is 160 of 320 pixels wide"
    assert (said["frame"], said["position_valid"], said["is_version_2"]) == (BODY_FRD, 0, True)
    assert (said["system"], said["component"]) == (7, 196)


def test_stamps_are_of_the_capture_by_the_autopilots_clock_once_it_is_known(
    output: Output, autopilot: Peer
) -> None:
    pad = objects([("car", (0, 0, 9, 9))])

    def off_s() -> float:
        sent = result("down", pad, age_ms=100)
        output.publish(sent, COUNTS)
        said = last(autopilot, "LANDING_TARGET")
        return said["time_usec"] / 1e6 - sent.frame.captured_ns / 1e9 if said else math.nan

    assert wait_until(lambda: abs(off_s() - AHEAD_S) < 1), "the newest may be a moment old"


def test_without_distances_every_sector_is_unknown(output: Output, autopilot: Peer) -> None:
    def obstacles() -> dict[str, Any] | None:
        output.publish(result("front", objects([("person", (0, 0, 99, 99))])), COUNTS)
        return last(autopilot, "OBSTACLE_DISTANCE")

    assert wait_until(obstacles)
    said = obstacles()
    assert said is not None
    assert said["distances"] == [UNKNOWN] * SECTORS
    assert (said["increment"], said["angle_offset"], said["frame"]) == (5, 0, BODY_FRD)
    assert (said["min_distance"], said["max_distance"]) == (20, 2000)


def test_what_stands_somewhere_is_in_the_sectors_there(output: Output, autopilot: Peer) -> None:
    """At 90° and a metre above the ground, a foot 128 pixels below the middle is 2.5 m away."""
    found = objects([("person", (310, 100, 330, 368)), ("traffic light", (0, 100, 20, 368))])
    found.geometry = CameraGeometry(CAMERA, LABELS, "front").measure(found, LABELS, (640, 480))

    def obstacles() -> dict[str, Any] | None:
        output.publish(result("front", found), COUNTS)
        return last(autopilot, "OBSTACLE_DISTANCE")

    assert wait_until(obstacles)
    said = obstacles()
    assert said is not None
    assert said["distances"] == [250] + [UNKNOWN] * (SECTORS - 1)


def test_obstacles_need_a_camera_that_is_described() -> None:
    asked = config("udpout:127.0.0.1:9")
    with pytest.raises(ConfigError, match="front has no `camera`; expected one, for distances"):
        open_output(asked, circumstances(OutputsConfig(), "front", "down"))


def test_what_is_stale_or_in_doubt_is_not_sent_and_the_heartbeat_says_so(
    output: Output, autopilot: Peer
) -> None:
    found = objects([("car", (0, 0, 99, 99))])

    def state() -> int:
        said = last(autopilot, "HEARTBEAT")
        return int(said["system_status"]) if said else 0

    def is_active() -> bool:
        for stream in ("front", "down"):
            output.publish(result(stream, found), COUNTS)
        return state() == ACTIVE

    assert wait_until(is_active)
    assert wait_until(lambda: state() == CRITICAL), "nothing is published any more"
    autopilot.ask("forget")
    for stream in ("front", "down"):
        output.publish(result(stream, found, age_ms=600), COUNTS)
        output.publish(result(stream, found, doubt="it stands still"), COUNTS)
    assert wait_until(lambda: state() == CRITICAL), "later than the results"
    assert last(autopilot, "OBSTACLE_DISTANCE") is None
    assert last(autopilot, "LANDING_TARGET") is None


def test_an_autopilot_that_goes_is_an_alarm_and_comes_back(output: Output, autopilot: Peer) -> None:
    assert wait_until(lambda: last(autopilot, "HEARTBEAT"))
    assert not output.alarm
    autopilot.kill()
    assert wait_until(lambda: output.alarm)
    assert f"127.0.0.1:{autopilot.port}: " in output.alarm
    autopilot.start()
    assert wait_until(lambda: last(autopilot, "HEARTBEAT"))
    assert wait_until(lambda: not output.alarm)


def test_a_stream_or_a_label_that_does_not_exist_is_refused() -> None:
    asked = config("udpout:127.0.0.1:9")
    with pytest.raises(ConfigError, match="no stream down; known: front"):
        open_output(asked, circumstances(OutputsConfig(), "front", camera=CAMERA))
    other = MavlinkConfig(
        connection="udpout:127.0.0.1:9",
        landing=MavlinkLandingConfig(stream="front", label="helipad", hfov_deg=60),
    )
    with pytest.raises(ConfigError, match="knows no label 'helipad'"):
        open_output(other, circumstances(OutputsConfig(), "front"))


def by_hand(found: list[tuple[float, float, float]], sector: int) -> int:
    """The nearest that reaches into the sector, one by one."""
    nearest = UNKNOWN
    for bearing, width, distance in found:
        off = abs(math.remainder(sector * 5 - bearing, 360))
        if math.isnan(distance) or distance * 100 > 2000 or off > width / 2 + 2.5:
            continue
        nearest = min(nearest, max(20, round(distance * 100)))
    return nearest


@given(things)
def test_each_sector_has_the_nearest_thing_in_it(found: list[tuple[float, float, float]]) -> None:
    bearings, widths, distances = np.array(found, np.float64).reshape(-1, 3).T
    sectors = sectors_cm(bearings, widths, distances, 20, 2000)
    assert (sectors.shape, sectors.dtype) == ((SECTORS,), np.uint16)
    on_a_border = {
        s
        for s in range(SECTORS)
        for bearing, width, _ in found
        if abs(abs(math.remainder(s * 5 - bearing, 360)) - width / 2 - 2.5) < 1e-6
    }
    for sector in set(range(SECTORS)) - on_a_border:
        assert sectors[sector] == by_hand(found, sector)
