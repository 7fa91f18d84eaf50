"""Steering: from where a person is seen to how the robot should move, by a proportional controller."""

from __future__ import annotations

import math

import msgspec

from edge_engine.wire import ObjectRow
from tools.follow.target import height_px

# How much of what is missing is made good within a second, and the most that is asked for.
TURN_GAIN, MOST_TURN_RAD_S = 1.8, 1.2
FORWARD_GAIN, MOST_FORWARD_M_S = 0.6, 0.8
# A camera's usual angle of view, where the stream's configuration has no `camera`.
GUESSED_HFOV_RAD = math.radians(60)
GUESSED_TALL_M = 1.7


class Command(msgspec.Struct, frozen=True):
    """To the left and up, and forward, positive; it ends at `expires_ns` of CLOCK_MONOTONIC."""

    turn_rad_s: float = 0.0
    tilt_rad_s: float = 0.0
    forward_m_s: float = 0.0
    expires_ns: int = 0

    @property
    def is_moving(self) -> bool:
        return any((self.turn_rad_s, self.tilt_rad_s, self.forward_m_s))


STOP = Command()


class Seen(msgspec.Struct, frozen=True):
    """A person from the camera: radians to the left and up, and metres, None if they can't be known."""

    bearing_rad: float
    elevation_rad: float
    distance_m: float | None


def seen(row: ObjectRow, size: tuple[int, int]) -> Seen:
    """As the engine measured it, or else guessed by pixels."""
    where, focal_px = row.geometry, size[0] / 2 / math.tan(GUESSED_HFOV_RAD / 2)
    if where is not None and where.bearing_deg is not None and where.elevation_deg is not None:
        return Seen(math.radians(where.bearing_deg), math.radians(where.elevation_deg), where.distance_m)
    left, top, right, bottom = row.xyxy
    return Seen(
        math.atan2((size[0] - left - right) / 2, focal_px),
        math.atan2((size[1] - top - bottom) / 2, focal_px),
        GUESSED_TALL_M * focal_px / max(1.0, height_px(row)),
    )


def steer(person: Seen, keep_m: float, expires_ns: int) -> Command:
    """Towards the person, at that distance. Who is too near isn't backed away from: nobody looks behind."""
    missing_m = 0.0 if person.distance_m is None else max(0.0, person.distance_m - keep_m)
    return Command(
        turn_rad_s=_limited(TURN_GAIN * person.bearing_rad, MOST_TURN_RAD_S),
        tilt_rad_s=_limited(TURN_GAIN * person.elevation_rad, MOST_TURN_RAD_S),
        forward_m_s=_limited(FORWARD_GAIN * missing_m, MOST_FORWARD_M_S),
        expires_ns=expires_ns,
    )


def _limited(value: float, most: float) -> float:
    return max(-most, min(most, value))
