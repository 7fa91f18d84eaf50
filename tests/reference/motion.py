"""motion: the whole filter of eight states, with matrices, as SORT and ByteTrack write it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def measured(box_xyxy: Floats) -> Floats:
    """Centre x, centre y, aspect, height."""
    (left, top), (right, bottom) = box_xyxy[:2], box_xyxy[2:]
    return np.array([(left + right) / 2, (top + bottom) / 2, (right - left) / (bottom - top), bottom - top])


def begun(box_xyxy: Floats) -> tuple[Floats, Floats]:
    """Mean [8] and covariance [8, 8]: four values, then their rates per second."""
    height = box_xyxy[3] - box_xyxy[1]
    position, velocity = height / 20, 30 * height / 160
    noise = [2 * position, 2 * position, 1e-2, 2 * position]
    rates = [10 * velocity, 10 * velocity, 30e-5, 10 * velocity]
    return np.concatenate([measured(box_xyxy), np.zeros(4)]), np.diag(np.square(noise + rates))


def predicted(mean: Floats, covariance: Floats, seconds: float) -> tuple[Floats, Floats]:
    height = mean[3]
    position, velocity = height / 20, 30 * height / 160
    noise = np.square([position, position, 1e-2, position, velocity, velocity, 30e-5, velocity])
    step = np.eye(8) + np.eye(8, k=4) * seconds
    return step @ mean, step @ covariance @ step.T + np.diag(noise) * seconds * 30


def corrected(mean: Floats, covariance: Floats, box_xyxy: Floats) -> tuple[Floats, Floats]:
    seen = np.eye(4, 8)
    noise = np.diag(np.square([mean[3] / 20, mean[3] / 20, 1e-1, mean[3] / 20]))
    gain = covariance @ seen.T @ np.linalg.inv(seen @ covariance @ seen.T + noise)
    return mean + gain @ (measured(box_xyxy) - seen @ mean), covariance - gain @ seen @ covariance


def columns(mean: Floats, covariance: Floats) -> Floats:
    """[4, 5], as kernels.motion has it."""
    variances, both = np.diag(covariance), np.diag(covariance, k=4)
    return np.column_stack([mean[:4], mean[4:], variances[:4], both, variances[4:]])
