"""scenes: tracked objects where a test wants them, in pictures of 100 by 100 without a camera."""

from __future__ import annotations

import numpy as np

from edge_engine.config.places import LineConfig, ZoneConfig
from edge_engine.counting import Counted
from edge_engine.frame import Frame
from edge_engine.result import Objects, Tracking, TrackState
from edge_engine.zones.counter import Counter

LABELS = ("person", "car")
SIZE = (100, 100)
MAX_LOST_MS = 1000

# The left half, and a line down the middle: whoever goes right crosses it from its right to its left.
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
DOWN = ((0.5, 0.0), (0.5, 1.0))


def zone(points: tuple[tuple[float, float], ...] = LEFT, **more: object) -> ZoneConfig:
    return ZoneConfig(**({"points": points, "unit": "fractions"} | more))  # type: ignore[arg-type]


def line(points: tuple[tuple[float, float], ...] = DOWN, **more: object) -> LineConfig:
    return LineConfig(**({"points": points, "unit": "fractions"} | more))  # type: ignore[arg-type]


def counter(*, max_lost_ms: int | None = MAX_LOST_MS, **places: ZoneConfig | LineConfig) -> Counter:
    zones = {name: place for name, place in places.items() if isinstance(place, ZoneConfig)}
    lines = {name: place for name, place in places.items() if isinstance(place, LineConfig)}
    return Counter("street", zones, lines, max_lost_ms)


def objects(
    points: dict[int, tuple[float, float]],
    *,
    states: dict[int, TrackState] | None = None,
    scores: dict[int, float] | None = None,
    class_ids: dict[int, int] | None = None,
) -> Objects:
    """By their ids: where the middle of each one's lower side is. They are confirmed people of score 0.9."""
    n, states, scores = len(points), states or {}, scores or {}
    feet = np.array([*points.values()], np.float32).reshape(-1, 2)
    known = [states.get(i, TrackState.CONFIRMED) for i in points]
    tracking = Tracking(
        np.array([*points], np.int64),
        np.array(known, np.int8),
        np.zeros((n, 2), np.float32),
        np.zeros((n, 2, 2), np.float32),
    )
    return Objects(
        np.concatenate([np.subtract(feet, (2, 8)), np.add(feet, (2, 0))], axis=1).astype(np.float32),
        np.array([scores.get(i, 0.9) for i in points], np.float32),
        np.array([(class_ids or {}).get(i, 0) for i in points], np.int32),
        tracking=tracking,
    )


def frame(now_ms: float, size: tuple[int, int] = SIZE) -> Frame:
    return Frame("street", int(now_ms), int(now_ms * 1e6), 0, size, None)


def walk(counter: Counter, path: dict[int, float | None], track_id: int = 1) -> list[tuple[str, str]]:
    """One object's x at each time in ms, at half the height, None where it isn't seen; what happens."""
    events = []
    for now_ms, x in path.items():
        picture = objects({} if x is None else {track_id: (x, 50.0)})
        events += counter.update(picture, LABELS, frame(now_ms)).events
    return [(event.kind, event.direction or event.place) for event in events]


def still(counted: Counted) -> tuple[dict[str, int], ...]:
    return tuple(zone.inside for zone in counted.zones)
