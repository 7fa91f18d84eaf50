"""Lens: from pixels to rays in the camera's axes, x right, y down, z forward (REP-103's optical frame).

OpenCV's models: `pinhole` with the distortion k1, k2, p1, p2[, k3[, k4, k5, k6]], and `fisheye` with k1 to
k4. A ray is given by its slopes (a, b), the direction (a, b, 1): only what lies before the camera has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LensModel = Literal["pinhole", "fisheye"]
Size = tuple[int, int]

DISTORTIONS: dict[LensModel, tuple[int, ...]] = {"pinhole": (0, 4, 5, 8), "fisheye": (0, 4)}
"""How many numbers each model's distortion has."""

# Of a calibrated picture's sides, which are whole numbers, and of a half-size one's.
_ASPECT_SHARE = 0.01
# A pixel that doesn't come back to itself through the distortion lies where the polynomial means nothing.
_BACK_WITHIN_PX = 0.5
# How far the optical axis usually is from the picture's middle, in shares of the width.
_GUESSED_CENTRE_STD = 0.02
_NO_TURN = np.zeros((1, 1, 3))


class AspectError(ValueError):
    """The picture isn't the calibrated one, made larger or smaller."""


class Rays(NamedTuple):
    """Of m pixels: `slopes` [m, 2], NaN where the model has none, and their `derivatives` [m, 3, 2] by the
    pixel's x, its y, and the logarithm of the focal length."""

    slopes: Floats
    derivatives: Floats


@dataclass(frozen=True)
class Lens:
    """`focal` and `centre`, x and y, in pixels of a picture of `size`. Its upper left corner is (0, 0), as of
    boxes, where OpenCV has the middle of the first pixel. `distortion` float64 [k]. Standard deviations:
    `focal_std`, a share of the focal length, and `centre_std`, a share of the width."""

    model: LensModel
    focal: tuple[float, float]
    centre: tuple[float, float]
    size: Size
    distortion: Floats
    focal_std: float = 0.0
    centre_std: float = 0.0

    def scaled(self, size: Size) -> Lens:
        """For the same picture in another size. Raises AspectError."""
        x, y = size[0] / self.size[0], size[1] / self.size[1]
        if abs(x / y - 1) > _ASPECT_SHARE:
            here, there = (f"{width}x{height}" for width, height in (size, self.size))
            raise AspectError(f"pictures of {here}, calibrated at {there}: another aspect ratio")
        (fx, fy), (cx, cy) = self.focal, self.centre
        return replace(self, focal=(fx * x, fy * y), centre=(cx * x, cy * y), size=size)

    def rays(self, pixels_xy: Floats) -> Rays:
        """Of pixels [m, 2]."""
        from_centre = pixels_xy - self.centre
        if not self.distortion.size:
            slopes = from_centre / self.focal
            by_pixel = np.broadcast_to(np.diag(1 / np.array(self.focal)), (len(slopes), 2, 2))
        else:
            slopes, by_pixel = self._undistorted(pixels_xy)
        by_focal = -(from_centre[:, None] @ by_pixel)
        return Rays(slopes, np.concatenate([by_pixel, by_focal], axis=1))

    def _undistorted(self, pixels_xy: Floats) -> tuple[Floats, Floats]:
        """Slopes, and their derivatives [m, 2, 2] by x and y: those of the distortion, inverted."""
        if not len(pixels_xy):
            return np.empty((0, 2)), np.empty((0, 2, 2))
        matrix = np.diag([*self.focal, 1.0])
        matrix[:2, 2] = self.centre
        points = np.ascontiguousarray(pixels_xy[:, None])
        undistort = cv2.undistortPoints if self.model == "pinhole" else cv2.fisheye.undistortPoints
        slopes: Floats = undistort(points, matrix, self.distortion)[:, 0].astype(np.float64)
        back, by_slopes = self._distorted(slopes, matrix)
        (a, b), (c, d) = by_slopes[:, 0].T, by_slopes[:, 1].T
        determinant = a * d - b * c
        is_sound = (np.abs(back - pixels_xy) <= _BACK_WITHIN_PX).all(axis=1) & (determinant > 0)
        inverted = np.stack([d, -c, -b, a], axis=1) / np.where(is_sound, determinant, np.nan)[:, None]
        by_pixel = inverted.reshape(-1, 2, 2)
        # OpenCV stops early at the edge of a strong lens; one step of Newton's is right to the last digits.
        slopes += ((pixels_xy - back)[:, None] @ by_pixel)[:, 0]
        return slopes, by_pixel

    def _distorted(self, slopes: Floats, matrix: Floats) -> tuple[Floats, Floats]:
        """Pixels, and their derivatives [m, 2, 2]: x and y, by a and b."""
        directions = np.concatenate([slopes, np.ones((len(slopes), 1))], axis=1)[:, None]
        if self.model == "pinhole":
            pixels, jacobian = cv2.projectPoints(directions, _NO_TURN, _NO_TURN, matrix, self.distortion)
            by_translation = jacobian[:, 3:5]
        else:
            pixels, jacobian = cv2.fisheye.projectPoints(
                directions, _NO_TURN, _NO_TURN, matrix, self.distortion
            )
            by_translation = jacobian[:, 11:13]
        return np.float64(pixels).reshape(-1, 2), np.float64(by_translation).reshape(-1, 2, 2)


def lens_of_hfov(hfov_deg: float, hfov_std_deg: float, size: Size) -> Lens:
    """Where nothing but the horizontal angle of view is known: square pixels, no distortion."""
    half = np.radians(hfov_deg) / 2
    focal = size[0] / 2 / np.tan(half)
    return Lens(
        "pinhole",
        focal=(focal, focal),
        centre=(size[0] / 2, size[1] / 2),
        size=size,
        distortion=np.empty(0),
        focal_std=float(np.radians(hfov_std_deg) / np.sin(2 * half)),
        centre_std=_GUESSED_CENTRE_STD,
    )
