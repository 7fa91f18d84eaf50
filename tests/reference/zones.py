"""What happens in zones and at lines, told object by object and picture by picture, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.reference.regions import Point, crossings, is_inside


class Seen(NamedTuple):
    """One tracked object in one picture; `point`: where its anchor is."""

    track_id: int
    is_confirmed: bool
    point: Point


class Told(NamedTuple):
    kind: str
    place: str
    track_id: int


@dataclass
class _Walker:
    """Of one object: the side of each zone on which it is settled, and what it was seen to do since."""

    last_ms: float = 0.0
    point: Point | None = None
    settled: dict[str, bool] = field(default_factory=dict)
    run: dict[str, tuple[bool, float]] = field(default_factory=dict)
    net: dict[str, tuple[int, float]] = field(default_factory=dict)


class Reference:
    """Its places are polygons and lines in the unit of the points."""

    def __init__(
        self,
        zones: dict[str, list[Point]],
        lines: dict[str, list[Point]],
        settle_ms: float,
        max_lost_ms: float,
    ) -> None:
        self._zones, self._lines = zones, lines
        self._settle_ms, self._max_lost_ms = settle_ms, max_lost_ms
        self._walkers: dict[int, _Walker] = {}
        self.told: list[Told] = []

    def see(self, now_ms: float, picture: list[Seen]) -> list[Told]:
        """What comes to count by it."""
        news: list[Told] = []
        for track_id in sorted(self._walkers):
            if now_ms - self._walkers[track_id].last_ms > self._max_lost_ms:
                gone = self._walkers.pop(track_id)
                news += [
                    Told("lost_inside", name, track_id) for name, inside in gone.settled.items() if inside
                ]
        for seen in picture:
            walker = self._walkers.setdefault(seen.track_id, _Walker())
            for name, corners in self._zones.items():
                news += self._zone(walker, seen, name, is_inside(seen.point, corners), now_ms)
            for name, line in self._lines.items():
                news += self._line(walker, seen, name, line, now_ms)
            walker.point, walker.last_ms = seen.point, now_ms
        self.told += news
        return news

    def inside(self, zone: str) -> int:
        return sum(walker.settled.get(zone, False) for walker in self._walkers.values())

    def _zone(self, walker: _Walker, seen: Seen, name: str, inside: bool, now_ms: float) -> list[Told]:
        if name not in walker.run or walker.run[name][0] != inside:
            walker.run[name] = inside, now_ms
        before = walker.settled.get(name)
        if not seen.is_confirmed or now_ms - walker.run[name][1] < self._settle_ms or inside == before:
            return []
        walker.settled[name] = inside
        kinds = {(None, True): "appeared", (False, True): "entered", (True, False): "exited"}
        kind = kinds.get((before, inside))
        return [Told(kind, name, seen.track_id)] if kind else []

    def _line(self, walker: _Walker, seen: Seen, name: str, line: list[Point], now_ms: float) -> list[Told]:
        net, since_ms = walker.net.get(name, (0, 0.0))
        step = crossings(walker.point, seen.point, line) if walker.point is not None else 0
        if step:
            net, since_ms = net + step, now_ms
        walker.net[name] = net, since_ms
        if net == 0 or not seen.is_confirmed or now_ms - since_ms < self._settle_ms:
            return []
        walker.net[name] = 0, now_ms
        return [Told("left_to_right" if net > 0 else "right_to_left", name, seen.track_id)] * abs(net)
