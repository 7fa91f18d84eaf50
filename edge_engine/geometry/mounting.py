"""Mounting: from the camera's axes to the robot's, x forward, y left, z up (REP-103).

The camera is turned from looking forward by R = Rz(yaw) · Ry(pitch) · Rx(roll), as in URDF: yaw to the left,
pitch down, roll to the right (the left side up) are positive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.geometry.lens import Floats, Rays

# The optical axes, x right, y down, z forward, in those of a camera that looks forward.
_FORWARD = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


class Sights(NamedTuple):
    """m rays as the robot has them: `bearings` in radians from forward, positive to the left; `slopes`, the
    tangent of their elevation, positive above the horizon. `d_bearings` and `d_slopes`, [m, 6]: how far the
    standard deviations of pixel x, pixel y, focal length, pitch, roll and yaw shift them, to first order."""

    bearings: Floats
    slopes: Floats
    d_bearings: Floats
    d_slopes: Floats

    def at(self, rows: slice | NDArray[np.int64]) -> Sights:
        return Sights(*(each[rows] for each in self))


class Mounting:
    """`angles` [3]: pitch, roll and yaw, and their standard deviations `stds`, all in radians."""

    def __init__(self, angles: Floats, stds: Floats) -> None:
        about_y, about_x, about_z = (
            _turn(axis, angle) for axis, angle in zip((1, 0, 2), angles, strict=True)
        )
        self._optical = (about_z @ about_y @ about_x @ _FORWARD).T
        # What a small turn adds to a direction d is axis x d, the axis being where later turns bring it.
        axes = about_z[:, 1], (about_z @ about_y)[:, 0], np.array([0.0, 0.0, 1.0])
        turns = [std * np.cross(axis, np.eye(3)) for std, axis in zip(stds, axes, strict=True)]
        self._turns = np.concatenate(turns, axis=1)

    def sights(self, rays: Rays, stds: Floats) -> Sights:
        """`stds` [m, 3]: of pixel x, pixel y and the logarithm of the focal length."""
        m = len(stds)
        directions = rays.slopes @ self._optical[:2] + self._optical[2]
        by_lens = (rays.derivatives * stds[:, :, None]) @ self._optical[:2]
        shifts = np.concatenate([by_lens, (directions @ self._turns).reshape(m, 3, 3)], axis=1)
        x, y, z = directions.T[:, :, None]
        dx, dy, dz = np.moveaxis(shifts, 2, 0)
        across_squared = x * x + y * y
        across = np.sqrt(across_squared)
        slopes = z / across
        d_bearings = (x * dy - y * dx) / across_squared
        d_slopes = dz / across - slopes * (x * dx + y * dy) / across_squared
        return Sights(np.arctan2(y, x)[:, 0], slopes[:, 0], d_bearings, d_slopes)


def _turn(axis: int, angle: float) -> Floats:
    """About one of the axes, right-handed."""
    i, j = [k for k in range(3) if k != axis]
    sine = np.sin(angle) * (-1 if axis == 1 else 1)
    turn = np.eye(3)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -sine, sine
    return turn
