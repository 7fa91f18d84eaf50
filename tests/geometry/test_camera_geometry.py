"""Camera geometry: metres and degrees come back from the pixels that independent optics gave."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_engine.config import CameraConfig, IntrinsicsConfig
from edge_engine.errors import ConfigError
from edge_engine.geometry.camera import CameraGeometry
from edge_engine.result import DistanceBy, Geometry, Objects, Tracking, TrackState
from tests.geometry.scenes import Pinhole, Pose, seen

SIZE = (640, 480)
LABELS = ("person", "car")
EXACT = {"height_std_m": 0.0, "pitch_std_deg": 0.0, "roll_std_deg": 0.0, "yaw_std_deg": 0.0}
LENSES = {
    "pinhole": Pinhole(600, 610, 315, 236),
    "barrel": Pinhole(420, 425, 322, 243, (-0.28, 0.07, 0.001, -0.0008, -0.004)),
    "rational": Pinhole(500, 500, 320, 240, (0.3, 0.1, 0.0005, 0.0005, 0.01, 0.6, 0.2, 0.02)),
    "fisheye": Pinhole(280, 281, 319, 241, (-0.02, 0.006, -0.003, 0.0005), is_fisheye=True),
}


def camera(lens: Pinhole, pose: Pose, **more: Any) -> CameraGeometry:  # noqa: ANN401
    intrinsics = IntrinsicsConfig(
        fx=lens.fx,
        fy=lens.fy,
        cx=lens.cx,
        cy=lens.cy,
        size=SIZE,
        model="fisheye" if lens.is_fisheye else "pinhole",
        distortion=lens.distortion,
    )
    config = CameraConfig(
        intrinsics=intrinsics,
        height_m=pose.height,
        pitch_deg=pose.pitch,
        roll_deg=pose.roll,
        yaw_deg=pose.yaw,
        **more,
    )
    return CameraGeometry(config, LABELS, "a")


def boxes(*xyxy: tuple[float, float, float, float], label: int = 0) -> Objects:
    n = len(xyxy)
    return Objects(
        np.array(xyxy, np.float32).reshape(n, 4), np.ones(n, np.float32), np.full(n, label, np.int32)
    )


def measured(where: CameraGeometry, objects: Objects, size: tuple[int, int] = SIZE) -> Geometry:
    geometry = where.measure(objects, LABELS, size)
    assert geometry is not None
    assert len(geometry) == len(objects)
    return geometry


def is_inside(pixel: tuple[float, float] | None) -> bool:
    return pixel is not None and 20 < pixel[0] < SIZE[0] - 20 and 20 < pixel[1] < SIZE[1] - 20


poses = st.builds(Pose, st.floats(0.2, 3), st.floats(-10, 40), st.floats(-8, 8), st.floats(-180, 180))
places = st.tuples(st.floats(0.5, 12), st.floats(-45, 45))


@settings(deadline=None)
@given(st.sampled_from(sorted(LENSES)), poses, places)
def test_a_foot_on_the_ground_is_found_where_it_stands(
    lens: str, pose: Pose, place: tuple[float, float]
) -> None:
    distance, bearing = place[0], math.radians(pose.yaw + place[1])
    point = distance * math.cos(bearing), distance * math.sin(bearing), 0.0
    foot = seen(point, pose, LENSES[lens])
    assume(is_inside(foot))
    assert foot is not None
    box = boxes((foot[0] - 5, foot[1] - 15, foot[0] + 5, foot[1]))
    # OpenCV's inverse of the distortion is right within a hundredth of a pixel.
    found = measured(camera(LENSES[lens], pose, pixel_std_px=0.01, **EXACT), box)
    assert found.distance_by[0] == DistanceBy.GROUND
    far_off = 5 * float(found.distance_stds_m[0]) + 1e-4
    assert far_off < 0.05 * distance
    assert found.distances_m[0] == pytest.approx(distance, abs=far_off)
    assert found.positions_m[0] == pytest.approx(point, abs=far_off + 0.002)


directions = st.tuples(st.floats(-25, 25), st.floats(-18, 18))


@settings(deadline=None)
@given(st.sampled_from(sorted(LENSES)), poses, directions)
def test_a_middle_is_seen_in_its_direction(lens: str, pose: Pose, aside: tuple[float, float]) -> None:
    """What a pan-tilt head has to turn to."""
    bearing, elevation = pose.yaw + aside[0], aside[1] - pose.pitch
    across, up = (8 * turn(math.radians(elevation)) for turn in (math.cos, math.sin))
    x, y = (across * turn(math.radians(bearing)) for turn in (math.cos, math.sin))
    pixel = seen((x, y, pose.height + up), pose, LENSES[lens])
    assume(is_inside(pixel))
    assert pixel is not None
    box = boxes((pixel[0] - 9, pixel[1] - 9, pixel[0] + 9, pixel[1] + 9))
    found = measured(camera(LENSES[lens], pose), box)
    assert math.remainder(found.bearings_deg[0] - bearing, 360) == pytest.approx(0, abs=0.1)
    assert found.elevations_deg[0] == pytest.approx(elevation, abs=0.1)


def box_of(
    lens: Pinhole, pose: Pose, distance: float, bearing_deg: float, tall: float, foot: float = 0
) -> Any:  # noqa: ANN401
    """Of an upright thin thing whose foot is at that height."""
    x, y = (distance * turn(math.radians(bearing_deg)) for turn in (math.cos, math.sin))
    low, high = seen((x, y, foot), pose, lens), seen((x, y, foot + tall), pose, lens)
    assert low is not None
    assert high is not None
    return (min(low[0], high[0]) - 5, high[1], max(low[0], high[0]) + 5, low[1])


@settings(deadline=None)
@given(st.floats(2, 15), st.floats(-20, 20), st.floats(0.3, 3), st.floats(0.5, 1.5))
def test_a_foot_above_the_horizon_is_found_by_the_known_height(
    distance: float, bearing: float, height: float, foot: float
) -> None:
    pose, lens = Pose(height), LENSES["pinhole"]
    box = box_of(lens, pose, distance, bearing, 1.7, foot=height + foot)
    assume(box[1] > 10)
    found = measured(camera(lens, pose, heights_m={"person": 1.7}, pixel_std_px=0.1, **EXACT), boxes(box))
    assert found.distance_by[0] == DistanceBy.HEIGHT
    assert found.distances_m[0] == pytest.approx(distance, rel=2e-3)
    assert found.positions_m[0, 2] == pytest.approx(height + foot, abs=0.01)


@settings(deadline=None)
@given(st.floats(1, 3), st.floats(-10, 10), st.floats(0.2, 0.9))
def test_a_foot_below_the_picture_is_found_by_the_head(
    distance: float, bearing: float, height: float
) -> None:
    pose, lens = Pose(height, pitch=-20), LENSES["pinhole"]
    left, top, right, bottom = box_of(lens, pose, distance, bearing, 1.7)
    assume(bottom > SIZE[1] > top > 10)
    found = measured(
        camera(lens, pose, heights_m={"person": 1.7}, pixel_std_px=0.1, **EXACT),
        boxes((left, top, right, SIZE[1])),
    )
    assert found.distance_by[0] == DistanceBy.HEIGHT
    assert found.distances_m[0] == pytest.approx(distance, rel=0.02)
    assert found.positions_m[0, 2] == 0


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ((300, 50, 340, 200), "its foot is above the horizon"),
        ((300, 50, 340, 245), "its foot is so near the horizon that the distance may be anything"),
        ((300, 200, 340, 480), "its foot is below the picture"),
        ((300, 0, 340, 480), "it is larger than the picture"),
        ((300, 470, 340, 600), "it is outside"),
    ],
)
def test_there_is_no_distance_where_none_can_be_known(
    box: tuple[float, float, float, float], why: str
) -> None:
    found = measured(camera(Pinhole(600, 600, 320, 240), Pose(1.2)), boxes(box))
    assert found.distance_by[0] == DistanceBy.NOTHING, why
    for nothing in (found.distances_m, found.distance_stds_m, found.positions_m):
        assert np.isnan(nothing).all(), why
    assert np.isfinite([found.bearings_deg, found.bearing_stds_deg]).all()


def test_a_pixel_beyond_the_lens_has_no_direction() -> None:
    """A polynomial fitted to the picture's middle turns back at its corners."""
    lens = Pinhole(300, 300, 320, 240, (-0.5, 0.0, 0.0, 0.0))
    found = measured(camera(lens, Pose(1)), boxes((5, 5, 25, 25), (300, 200, 340, 300)))
    assert np.isnan(found.bearings_deg[0])
    assert np.isnan(found.bearing_stds_deg[0])
    assert np.isfinite(found.bearings_deg[1])


def test_every_number_has_a_deviation() -> None:
    rng = np.random.default_rng(3)
    corners = rng.uniform(-50, 600, (500, 2, 2))
    many = boxes(*(tuple(np.concatenate([each.min(0), each.max(0)])) for each in corners))
    found = measured(camera(LENSES["barrel"], Pose(1, 12), heights_m={"person": 1.7}), many)
    pairs = (
        (found.bearings_deg, found.bearing_stds_deg),
        (found.elevations_deg, found.elevation_stds_deg),
        (found.distances_m, found.distance_stds_m),
    )
    for numbers, stds in pairs:
        np.testing.assert_array_equal(np.isnan(numbers), np.isnan(stds))
        assert (stds[~np.isnan(stds)] > 0).all()
    assert {0, 1, 2} == set(found.distance_by.tolist())
    is_known = found.distance_by != DistanceBy.NOTHING
    np.testing.assert_array_equal(np.isnan(found.distances_m), ~is_known)
    assert np.linalg.eigvalsh(found.position_covariances[is_known]).min() > -1e-4
    assert (found.distances_m[is_known] > 0).all()


def test_a_box_that_the_picture_cuts_has_a_larger_deviation() -> None:
    where = camera(LENSES["pinhole"], Pose(1))
    found = measured(where, boxes((300, 250, 360, 350), (0, 250, 60, 350), (300, 380, 360, 480)))
    whole, cut_at_side, cut_below = found.bearing_stds_deg
    assert cut_at_side > 1.5 * whole
    assert cut_below == pytest.approx(whole, rel=0.1)
    assert found.elevation_stds_deg[2] > 2 * found.elevation_stds_deg[0]


def test_no_objects_are_no_geometry() -> None:
    for lens in LENSES.values():
        assert len(measured(camera(lens, Pose(1), heights_m={"person": 1.7}), Objects.none())) == 0


def test_a_lost_track_has_no_place_since_nothing_was_seen() -> None:
    two = boxes((300, 250, 360, 350), (300, 250, 360, 350))
    states = np.array([TrackState.CONFIRMED, TrackState.LOST], np.int8)
    two.tracking = Tracking(
        np.array([1, 2]), states, np.zeros((2, 2), np.float32), np.zeros((2, 2, 2), np.float32)
    )
    found = measured(camera(LENSES["pinhole"], Pose(1)), two)
    assert np.isnan(found.bearings_deg).tolist() == [False, True]
    assert found.distance_by.tolist() == [DistanceBy.GROUND, DistanceBy.NOTHING]


@pytest.mark.parametrize("lens", sorted(LENSES))
def test_the_same_picture_in_another_size_gives_the_same_place(lens: str) -> None:
    where = camera(LENSES[lens], Pose(1, 10), pixel_std_px=0)
    small, large = boxes((300, 250, 360, 350)), boxes((900, 750, 1080, 1050))
    at_640, at_1920 = measured(where, small), measured(where, large, (1920, 1440))
    assert at_1920.distances_m == pytest.approx(at_640.distances_m)
    assert at_1920.bearings_deg == pytest.approx(at_640.bearings_deg)
    assert at_1920.distance_stds_m == pytest.approx(at_640.distance_stds_m)


def test_another_aspect_ratio_gives_nothing_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    where = camera(LENSES["pinhole"], Pose(1))
    with caplog.at_level(logging.WARNING):
        box = boxes((300, 250, 360, 350))
        assert [where.measure(box, LABELS, (1280, 720)) for _ in range(3)] == [None] * 3
    (record,) = caplog.records
    assert record.getMessage() == (
        "stream a, camera: pictures of 1280x720, calibrated at 640x480: another aspect ratio; "
        "objects have no bearing and no distance"
    )


def test_another_aspect_ratio_is_refused_where_it_is_known_beforehand() -> None:
    intrinsics = IntrinsicsConfig(fx=500, fy=500, cx=320, cy=240, size=(640, 480))
    with pytest.raises(ConfigError, match=r"stream a, camera: pictures of 640x272, calibrated at 640x480"):
        CameraGeometry(CameraConfig(intrinsics=intrinsics, height_m=1), LABELS, "a", (640, 272))


def test_an_angle_of_view_alone_gives_wider_deviations() -> None:
    focal = 320 / math.tan(math.radians(35))
    lens = Pinhole(focal, focal, 319.5, 239.5)
    box = boxes((500, 250, 560, 350))
    guessed = measured(CameraGeometry(CameraConfig(hfov_deg=70, height_m=1), LABELS, "a"), box)
    known = measured(camera(lens, Pose(1)), box)
    assert guessed.distances_m == pytest.approx(known.distances_m, rel=1e-5)
    assert guessed.bearings_deg == pytest.approx(known.bearings_deg, rel=1e-5)
    assert guessed.distance_stds_m > 1.1 * known.distance_stds_m
    assert guessed.bearing_stds_deg > 1.1 * known.bearing_stds_deg
