"""Deviations: what is said of the errors is how the errors really are spread, by Monte Carlo.

Each error that the configuration speaks of is drawn at random: the truth is seen through optics that are off
by it, and measured as if they weren't. The share of truths within one and two standard deviations must be
what a normal distribution has, 68 % and 95 %.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

from edge_engine.config import CameraConfig, IntrinsicsConfig
from edge_engine.geometry.camera import CameraGeometry
from edge_engine.result import DistanceBy, Geometry, Objects
from tests.geometry.scenes import Floats, Pinhole, Pose, seen

SIZE = (640, 480)
TRIALS = 1500
TALL, TALL_STD = 1.7, 0.07
STDS = {"height_std_m": 0.03, "pitch_std_deg": 0.7, "roll_std_deg": 1.0, "yaw_std_deg": 0.8}
PIXEL_STD = 2.0
LENS = Pinhole(420, 425, 322, 243, (-0.28, 0.07, 0.001, -0.0008, -0.004))


class Scene(NamedTuple):
    pose: Pose
    place: tuple[float, float]
    by: DistanceBy
    foot: float = 0.0
    is_foot_hidden: bool = False


SCENES = {
    "near, to the left": Scene(Pose(1.2, 15, 2, 10), (3.0, 1.0), DistanceBy.GROUND),
    "far": Scene(Pose(1.2, 5), (7.0, -1.5), DistanceBy.GROUND),
    "a camera from above": Scene(Pose(4, 35, -3, -40), (3.5, -4.0), DistanceBy.GROUND),
    "by the whole height": Scene(Pose(0.8, 0), (5.0, 1.0), DistanceBy.HEIGHT, foot=1.0),
    "by the head": Scene(Pose(0.4, -25), (1.8, 0.2), DistanceBy.HEIGHT, is_foot_hidden=True),
}


def drawn(scene: Scene, rng: np.random.Generator, is_small: bool) -> list[float]:
    """A box as the camera may have it: of the whole, or only around the foot."""
    # A direction is as the camera sees it, wherever that is.
    height_std_m = 0 if is_small else STDS["height_std_m"]
    pose = Pose(
        scene.pose.height + rng.normal(0, height_std_m),
        scene.pose.pitch + rng.normal(0, STDS["pitch_std_deg"]),
        scene.pose.roll + rng.normal(0, STDS["roll_std_deg"]),
        scene.pose.yaw + rng.normal(0, STDS["yaw_std_deg"]),
    )
    tall = TALL * (1 + rng.normal(0, TALL_STD))
    x, y = scene.place
    foot, top = seen((x, y, scene.foot), pose, LENS), seen((x, y, scene.foot + tall), pose, LENS)
    assert foot is not None
    assert top is not None
    u, low, high = (rng.normal(0, PIXEL_STD) for _ in range(3))
    bottom = SIZE[1] if scene.is_foot_hidden else foot[1] + low
    middle = (top if scene.is_foot_hidden else foot)[0] + u
    if is_small:
        return [middle - 10, bottom - 10, middle + 10, bottom + 10]
    return [middle - 10, top[1] + high, middle + 10, bottom]


def measured(scene: Scene, *, is_small: bool = False) -> Geometry:
    rng = np.random.default_rng(7)
    boxes = np.array([drawn(scene, rng, is_small) for _ in range(TRIALS)], np.float32)
    intrinsics = IntrinsicsConfig(
        fx=LENS.fx, fy=LENS.fy, cx=LENS.cx, cy=LENS.cy, size=SIZE, distortion=LENS.distortion
    )
    config = CameraConfig(
        intrinsics=intrinsics,
        height_m=scene.pose.height,
        pitch_deg=scene.pose.pitch,
        roll_deg=scene.pose.roll,
        yaw_deg=scene.pose.yaw,
        heights_m={"person": TALL},
        heights_std=TALL_STD,
        pixel_std_px=PIXEL_STD,
        **STDS,
    )
    labels = ("person",)
    objects = Objects(boxes, np.ones(TRIALS, np.float32), np.zeros(TRIALS, np.int32))
    geometry = CameraGeometry(config, labels, "a").measure(objects, labels, SIZE)
    assert geometry is not None
    return geometry


def within(errors: Floats, stds: Floats, deviations: float) -> float:
    return float(np.mean(np.abs(errors) <= deviations * stds))


@pytest.mark.parametrize("name", sorted(SCENES))
def test_truths_lie_within_the_deviations_as_often_as_they_should(name: str) -> None:
    scene = SCENES[name]
    found = measured(scene)
    is_known = found.distance_by == scene.by
    assert is_known.mean() > 0.97
    errors = found.distances_m[is_known] - math.hypot(*scene.place)
    stds = found.distance_stds_m[is_known]
    assert within(errors, stds, 1) == pytest.approx(0.683, abs=0.05)
    assert within(errors, stds, 2) == pytest.approx(0.954, abs=0.025)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_places_lie_within_their_ellipses_as_often_as_they_should(name: str) -> None:
    """Mahalanobis distances of two dimensions: 39.3 % within one, 86.5 % within two."""
    scene = SCENES[name]
    found = measured(scene)
    is_known = found.distance_by == scene.by
    errors = found.positions_m[is_known, :2] - scene.place
    inverse = np.linalg.inv(found.position_covariances[is_known, :2, :2].astype(np.float64))
    distances = np.sqrt(np.einsum("ni,nij,nj->n", errors, inverse, errors))
    assert np.mean(distances <= 1) == pytest.approx(0.393, abs=0.05)
    assert np.mean(distances <= 2) == pytest.approx(0.865, abs=0.035)


@pytest.mark.parametrize("name", ["near, to the left", "far", "a camera from above"])
def test_directions_lie_within_their_deviations_as_often_as_they_should(name: str) -> None:
    scene = SCENES[name]
    found = measured(scene, is_small=True)
    across = math.hypot(*scene.place)
    bearing = math.degrees(math.atan2(scene.place[1], scene.place[0]))
    elevation = math.degrees(math.atan2(scene.foot - scene.pose.height, across))
    for errors, stds in (
        (found.bearings_deg - bearing, found.bearing_stds_deg),
        (found.elevations_deg - elevation, found.elevation_stds_deg),
    ):
        assert within(errors, stds, 1) == pytest.approx(0.683, abs=0.05)
        assert within(errors, stds, 2) == pytest.approx(0.954, abs=0.025)
