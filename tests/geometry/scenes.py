"""Scenes: points in the robot's axes, as a camera there sees them, computed by nothing of the package.

The camera's turns are undone one by one, the lens is what OpenCV's documentation says of its models.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Pose(NamedTuple):
    """Metres and degrees: pitch down, roll to the right, yaw to the left."""

    height: float
    pitch: float = 0.0
    roll: float = 0.0
    yaw: float = 0.0


class Pinhole(NamedTuple):
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    is_fisheye: bool = False


def seen(point: tuple[float, float, float], pose: Pose, lens: Pinhole) -> tuple[float, float] | None:
    """The pixel, from the picture's upper left corner, of a point (x forward, y left, z up); None behind, and
    where the lens' polynomial has turned back, so that another point belongs to that pixel.
    """
    x, y, z = point[0], point[1], point[2] - pose.height
    # Undo the turns one after another: yaw, then pitch, then roll.
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
    x, y = x * math.cos(yaw) + y * math.sin(yaw), y * math.cos(yaw) - x * math.sin(yaw)
    x, z = x * math.cos(pitch) - z * math.sin(pitch), z * math.cos(pitch) + x * math.sin(pitch)
    y, z = y * math.cos(roll) + z * math.sin(roll), z * math.cos(roll) - y * math.sin(roll)
    if x <= 0:
        return None
    if not lens.is_fisheye and _turns_back(math.hypot(y, z) / x, lens.distortion):
        return None
    a, b = (_fisheye if lens.is_fisheye else _pinhole)(-y / x, -z / x, lens.distortion)
    return lens.fx * a + lens.cx + 0.5, lens.fy * b + lens.cy + 0.5


def _pinhole(a: float, b: float, distortion: tuple[float, ...]) -> tuple[float, float]:
    """docs.opencv.org, calib3d: k1, k2, p1, p2, k3, k4, k5, k6."""
    k1, k2, p1, p2, k3, k4, k5, k6 = (*distortion, *[0.0] * (8 - len(distortion)))
    r2 = a * a + b * b
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    return (
        a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a * a),
        b * radial + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b,
    )


def _turns_back(r: float, distortion: tuple[float, ...]) -> bool:
    """Whether what lies closer to the middle is seen as far out, or farther; in its radial part alone."""
    k1, k2, _, _, *more = distortion or (0.0, 0.0, 0.0, 0.0)
    outwards = [_pinhole(step / 100 * r, 0, (k1, k2, 0, 0, *more))[0] for step in range(101)]
    return r > 0 and any(after <= before for before, after in itertools.pairwise(outwards))


def _fisheye(a: float, b: float, distortion: tuple[float, ...]) -> tuple[float, float]:
    """docs.opencv.org, calib3d, fisheye: an angle's polynomial."""
    k = (*distortion, *[0.0] * (4 - len(distortion)))
    r = math.hypot(a, b)
    if r == 0:
        return a, b
    theta = math.atan(r)
    distorted = theta * (1 + sum(k[i] * theta ** (2 * i + 2) for i in range(4)))
    return a * distorted / r, b * distorted / r
