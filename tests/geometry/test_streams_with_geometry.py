"""Streams with a camera's geometry: real video through the real engine, to a subscriber, in metres."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from edge_engine.client import Subscriber
from edge_engine.config import CameraConfig, Config, StreamConfig
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError
from edge_engine.wire import ObjectRow
from tests import clip
from tests.cli.program import start_program

CAMERA = "{hfov_deg: 60, height_m: 2.5, pitch_deg: 5, heights_m: {person: 1.7}}"
RESULTS = 40


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[ObjectRow]]:
    """By stream: of one whose camera is described, and of the same without."""
    folder = tmp_path_factory.mktemp("geometry")
    endpoint, path = f"ipc://{folder}/results", folder / "street.yaml"
    stream = f"source: {clip.URI}, loop: true, max_age_ms: 60000"
    path.write_text(
        f"streams:\n  known: {{{stream}, camera: {CAMERA}, tracking: {{}}}}\n  plain: {{{stream}}}\n"
        f"outputs: {{zeromq: {{endpoint: '{endpoint}'}}}}\n"
    )
    found: dict[str, list[ObjectRow]] = {"known": [], "plain": []}
    with Subscriber(endpoint) as subscriber:
        engine = start_program("run", str(path))
        for result in subscriber.results(timeout_s=60):
            found[result.stream] += result.objects
            if subscriber.stats.received >= RESULTS and all(found.values()):
                break
        engine.terminate()
        engine.communicate(timeout=20)
    return found


def test_a_subscriber_gets_metres_and_degrees(rows: dict[str, list[ObjectRow]]) -> None:
    assert rows["known"]
    for row in rows["known"]:
        place = row.geometry
        assert place is not None
        assert place.bearing_deg is not None
        assert place.bearing_std_deg is not None
        assert abs(place.bearing_deg) <= 32
        middle = (row.xyxy[0] + row.xyxy[2]) / 2
        if abs(middle - clip.SIZE[0] / 2) > 5:
            assert (place.bearing_deg > 0) == (middle < clip.SIZE[0] / 2)
        assert (place.distance_m is None) == (place.distance_std_m is None) == (place.distance_by is None)
    assert any(row.geometry is not None and row.geometry.distance_by == "ground" for row in rows["known"])


def test_a_place_agrees_with_its_distance(rows: dict[str, list[ObjectRow]]) -> None:
    for row in rows["known"]:
        place = row.geometry
        assert place is not None
        if place.distance_m is None:
            assert (place.position_m, place.position_covariance) == (None, None)
        else:
            assert place.position_m is not None
            assert place.position_covariance is not None
            assert math.hypot(*place.position_m[:2]) == pytest.approx(place.distance_m, rel=1e-4)
            assert [len(row) for row in place.position_covariance] == [3, 3, 3]


def test_nothing_of_geometry_is_sent_where_no_camera_is_described(rows: dict[str, list[ObjectRow]]) -> None:
    assert {row.geometry for row in rows["plain"]} == {None}


@pytest.mark.parametrize(
    ("camera", "line"),
    [
        (CameraConfig(hfov_deg=60, height_m=2, heights_m={"persn": 1.7}), 'did you mean "person"'),
        (CameraConfig(file="nowhere.yaml", height_m=2), "nowhere.yaml: can't be read"),
    ],
)
def test_an_engine_with_a_wrong_camera_is_refused(camera: CameraConfig, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        Engine(Config(streams={"street": StreamConfig(source=clip.URI, camera=camera)}))


def test_a_calibration_of_other_pictures_is_refused(tmp_path: Path) -> None:
    from tests.geometry.test_calibration import ROS

    (tmp_path / "ros.yaml").write_text(ROS)
    camera = CameraConfig(file=str(tmp_path / "ros.yaml"), height_m=2)
    with pytest.raises(ConfigError, match="pictures of 640x272, calibrated at 640x480: another aspect ratio"):
        Engine(Config(streams={"street": StreamConfig(source=clip.URI, camera=camera)}))
