"""motion: a Kalman filter of constant velocity for each of a box's four coordinates.

SORT's and ByteTrack's filter has eight states (centre x and y, aspect, height, and their rates), but all its
matrices are diagonal by coordinate: it falls apart into four filters of two states, computed here in closed
form. Noise is ByteTrack's, in shares of the height (its aspect's absolute), restated for seconds in place of
frames: it grows with the time between two pictures, and is the same as theirs at 30 frames a second.
"""

from __future__ import annotations

from typing import Any

from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part

VALUE, RATE, VALUE_VARIANCE, COVARIANCE, RATE_VARIANCE = 0, 1, 2, 3, 4
ASPECT, HEIGHT = 2, 3
_FRAMES_PER_S = 30.0
_POSITION, _VELOCITY = 1 / 20, 1 / 160 * _FRAMES_PER_S
_ASPECT, _ASPECT_RATE, _ASPECT_MEASURED = 1e-2, 1e-5 * _FRAMES_PER_S, 1e-1


@part
def _predict(state: NDArray[Any], is_lost: bool, seconds: float) -> None:
    """One track's state, [4, 5], after so many seconds. The height of a lost one stays."""
    height = state[HEIGHT, VALUE]
    if is_lost:
        state[HEIGHT, RATE] = 0.0
    for k in range(4):
        noise = _ASPECT if k == ASPECT else _POSITION * height
        rate_noise = _ASPECT_RATE if k == ASPECT else _VELOCITY * height
        frames = seconds * _FRAMES_PER_S
        s = state[k]
        s[VALUE] += seconds * s[RATE]
        s[VALUE_VARIANCE] += seconds * (2 * s[COVARIANCE] + seconds * s[RATE_VARIANCE])
        s[VALUE_VARIANCE] += noise * noise * frames
        s[COVARIANCE] += seconds * s[RATE_VARIANCE]
        s[RATE_VARIANCE] += rate_noise * rate_noise * frames


@part
def _measured(k: int, left: float, top: float, right: float, bottom: float) -> float:
    if k == 0:
        return (left + right) / 2
    if k == 1:
        return (top + bottom) / 2
    return (right - left) / (bottom - top) if k == ASPECT else bottom - top


@part
def _correct(state: NDArray[Any], left: float, top: float, right: float, bottom: float) -> None:
    height = state[HEIGHT, VALUE]
    for k in range(4):
        noise = _ASPECT_MEASURED if k == ASPECT else _POSITION * height
        s = state[k]
        variance = s[VALUE_VARIANCE] + noise * noise
        gain, rate_gain = s[VALUE_VARIANCE] / variance, s[COVARIANCE] / variance
        surprise = _measured(k, left, top, right, bottom) - s[VALUE]
        s[VALUE] += gain * surprise
        s[RATE] += rate_gain * surprise
        s[RATE_VARIANCE] -= rate_gain * s[COVARIANCE]
        s[COVARIANCE] -= gain * s[COVARIANCE]
        s[VALUE_VARIANCE] -= gain * s[VALUE_VARIANCE]


def begin_tracks(states_address: Any, boxes_address: Any, n: int) -> int:  # noqa: ANN401 - numba's pointers
    """The contract is that of edge_engine.kernels.motion.begin."""
    states, boxes_xyxy = carray(states_address, (n, 4, 5)), carray(boxes_address, (n, 4))
    for i in range(n):
        box = boxes_xyxy[i]
        height = _measured(HEIGHT, box[0], box[1], box[2], box[3])
        for k in range(4):
            noise = _ASPECT if k == ASPECT else 2 * _POSITION * height
            rate_noise = _ASPECT_RATE if k == ASPECT else 10 * _VELOCITY * height
            states[i, k, VALUE] = _measured(k, box[0], box[1], box[2], box[3])
            states[i, k, RATE] = states[i, k, COVARIANCE] = 0.0
            states[i, k, VALUE_VARIANCE] = noise * noise
            states[i, k, RATE_VARIANCE] = rate_noise * rate_noise
    return n


def predict_tracks(
    states_address: Any,  # noqa: ANN401
    is_lost_address: Any,  # noqa: ANN401
    n: int,
    seconds: float,
    boxes_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.motion.predict."""
    states, is_lost = carray(states_address, (n, 4, 5)), carray(is_lost_address, (n,))
    boxes_xyxy = carray(boxes_address, (n, 4))
    for i in range(n):
        _predict(states[i], is_lost[i] != 0, seconds)
        x, y, height = states[i, 0, VALUE], states[i, 1, VALUE], max(0.0, states[i, HEIGHT, VALUE])
        width = max(0.0, states[i, ASPECT, VALUE] * height)
        boxes_xyxy[i, 0], boxes_xyxy[i, 1] = x - width / 2, y - height / 2
        boxes_xyxy[i, 2], boxes_xyxy[i, 3] = x + width / 2, y + height / 2
    return n


def correct_tracks(
    states_address: Any,  # noqa: ANN401
    tracks: int,
    rows_address: Any,  # noqa: ANN401
    boxes_address: Any,  # noqa: ANN401
    n: int,
) -> int:
    """The contract is that of edge_engine.kernels.motion.correct."""
    states, rows = carray(states_address, (tracks, 4, 5)), carray(rows_address, (n,))
    boxes_xyxy = carray(boxes_address, (n, 4))
    for i in range(n):
        box = boxes_xyxy[i]
        _correct(states[rows[i]], box[0], box[1], box[2], box[3])
    return n


def replay_tracks(
    states_address: Any,  # noqa: ANN401
    seen_address: Any,  # noqa: ANN401
    boxes_address: Any,  # noqa: ANN401
    seconds_address: Any,  # noqa: ANN401
    steps_address: Any,  # noqa: ANN401
    n: int,
) -> int:
    """The contract is that of edge_engine.kernels.motion.replay."""
    states, seen = carray(states_address, (n, 4, 5)), carray(seen_address, (n, 4))
    boxes_xyxy = carray(boxes_address, (n, 4))
    seconds, steps = carray(seconds_address, (n,)), carray(steps_address, (n,))
    for i in range(n):
        a, b = seen[i], boxes_xyxy[i]
        for step in range(1, steps[i] + 1):
            t = step / steps[i]
            _predict(states[i], False, seconds[i] / steps[i])
            _correct(
                states[i],
                a[0] + t * (b[0] - a[0]),
                a[1] + t * (b[1] - a[1]),
                a[2] + t * (b[2] - a[2]),
                a[3] + t * (b[3] - a[3]),
            )
    return n
