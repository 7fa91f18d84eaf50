"""How long zones and lines take, and how far they agree with supervision's on the same tracks.

python -m tools.zones               time per picture, 50 and 500 objects, 10 zones and 10 lines
python -m tools.zones --compare     against PolygonZone and LineZone (the extra `tracking`), on random walks
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.config.places import LineConfig, ZoneConfig
from edge_engine.frame import Frame
from edge_engine.result import Objects, Tracking, TrackState
from edge_engine.zones.counter import Counter

_SIZE = (1280, 720)
_LABELS = ("person",)
_PLACES, _CORNERS = 10, 8
_FRAME_NS = 40_000_000
_SPEED_PX = 6.0


def polygon(rng: np.random.Generator) -> list[tuple[float, float]]:
    """A star around some point: its corners in the order of their angles, so that it doesn't cross itself."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, _CORNERS))
    radii, centre = rng.uniform(60, 240, (_CORNERS, 1)), rng.uniform((300, 200), (980, 520))
    corners = centre + radii * np.column_stack([np.cos(angles), np.sin(angles)])
    return [(float(x), float(y)) for x, y in corners]


def walks(n: int, frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """float32 [frames, n, 2]: feet of people who turn about at random, within the picture."""
    headings = rng.uniform(0, 2 * np.pi, n) + np.cumsum(rng.normal(0, 0.1, (frames, n)), axis=0)
    steps = _SPEED_PX * np.stack([np.cos(headings), np.sin(headings)], axis=-1)
    places = rng.uniform((0, 0), _SIZE, (n, 2)) + np.cumsum(steps, axis=0)
    span = 2 * np.array(_SIZE)
    folded = np.abs((places % span + span) % span)  # who leaves at one side comes back as from a mirror
    return np.minimum(folded, span - folded).astype(np.float32)


def boxes_of(feet: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([feet - np.float32([20, 100]), feet + np.float32([20, 0])], axis=1)


def objects_of(feet: NDArray[np.float32]) -> Objects:
    n = len(feet)
    tracking = Tracking(
        np.arange(1, n + 1),
        np.full(n, TrackState.CONFIRMED, np.int8),
        np.zeros((n, 2), np.float32),
        np.zeros((n, 2, 2), np.float32),
    )
    scores, class_ids = np.full(n, 0.9, np.float32), np.zeros(n, np.int32)
    return Objects(boxes_of(feet), scores, class_ids, tracking=tracking)


def frame_of(number: int) -> Frame:
    return Frame("street", number, number * _FRAME_NS, 0, _SIZE, None)


def measure(n: int, frames: int = 2000) -> None:
    rng = np.random.default_rng(1)
    zones = {f"zone{k}": ZoneConfig(points=tuple(polygon(rng)), unit="pixels") for k in range(_PLACES)}
    lines = {
        f"line{k}": LineConfig(points=tuple(polygon(rng)[:3]), unit="pixels", settle_ms=200)
        for k in range(_PLACES)
    }
    counter, taken_ns = Counter("street", zones, lines, 1000), []
    for number, feet in enumerate(walks(n, frames, rng)):
        objects, frame, started_ns = objects_of(feet), frame_of(number), time.thread_time_ns()
        counter.update(objects, _LABELS, frame)
        taken_ns.append(time.thread_time_ns() - started_ns)
    p50, p99 = np.percentile(taken_ns, [50, 99]) / 1e6
    print(f"{n} objects, {_PLACES} zones and lines each: median {p50:.3f} ms of CPU, p99 {p99:.3f} ms")


def compare(n: int = 100, frames: int = 3000) -> None:
    """Without hysteresis, which supervision's zones have not."""
    rng = np.random.default_rng(2)
    corners = [(round(x), round(y)) for x, y in polygon(rng)]
    feet = walks(n, frames, rng)
    for what, ends in (
        ("a line across the picture", ((0, 360), (1280, 360))),
        ("a line that ends in it", ((300, 100), (1000, 600))),
    ):
        print(f"{what}: {_compared(feet, corners, ends)}")


def _compared(feet: NDArray[np.float32], corners: list[tuple[int, int]], ends: Any) -> str:  # noqa: ANN401
    import supervision as sv

    places = {"unit": "pixels", "settle_ms": 0}
    zone, line = ZoneConfig(points=tuple(corners), **places), LineConfig(points=ends, **places)
    counter = Counter("street", {"zone": zone}, {"line": line}, 1000)
    their_zone = sv.PolygonZone(np.array(corners), triggering_anchors=[sv.Position.BOTTOM_CENTER])
    their_line = sv.LineZone(
        *(sv.Point(*end) for end in ends), triggering_anchors=[sv.Position.BOTTOM_CENTER]
    )
    agreed = both = 0
    for number, at in enumerate(feet):
        objects = objects_of(at)
        counted = counter.update(objects, _LABELS, frame_of(number))
        ids = np.arange(1, len(at) + 1)
        theirs = sv.Detections(objects.boxes_xyxy, None, objects.scores, objects.class_ids, ids)
        agreed += int((their_zone.trigger(theirs) == counted.zones[0].is_inside).sum())
        crossed = {event.track_id for event in counted.events if event.kind == "crossed"}
        both += len(crossed & set(ids[np.logical_or(*their_line.trigger(theirs))].tolist()))
    (ours,) = counted.lines
    return (
        f"inside {100 * agreed / feet[..., 0].size:.3f} % the same; crossed to the right and to the left "
        f"{ours.left_to_right.get('person', 0)}, {ours.right_to_left.get('person', 0)}, theirs "
        f"{their_line.out_count}, {their_line.in_count}, in the same picture {both}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--compare", action="store_true", help="with supervision's zones and lines")
    if parser.parse_args().compare:
        compare()
    else:
        for n in (50, 500):
            measure(n)


if __name__ == "__main__":
    main()
