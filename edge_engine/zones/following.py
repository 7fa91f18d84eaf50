"""Following: what a stream's tracked objects do in its zones and at its lines, as accounts and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_engine.clock import NS_PER_MS
from edge_engine.counting import Direction, Event, EventKind, LineCount, Visits
from edge_engine.frame import Frame
from edge_engine.result import Tracking, TrackState
from edge_engine.zones.accounts import LineAccount, ZoneAccount
from edge_engine.zones.crossing import Crossing, cross
from edge_engine.zones.known import NOWHERE, Known
from edge_engine.zones.layout import Layout
from edge_engine.zones.sighting import Sighting
from edge_engine.zones.visiting import INSIDE, Move, dwells_ns, settle

_CONFIRMED = int(TrackState.CONFIRMED)


class Picture(NamedTuple):
    """Which one it is, and the model's labels."""

    frame: Frame
    labels: Sequence[str]


class Following:
    """Of one stream with zones and lines of these names. `max_lost_ms`: how long the tracker knows who isn't
    seen."""

    def __init__(self, zones: Sequence[str], lines: Sequence[str], max_lost_ms: int) -> None:
        self._zones = [ZoneAccount(name) for name in zones]
        self._lines = [LineAccount(name) for name in lines]
        self._max_lost_ns = max_lost_ms * NS_PER_MS
        self._known = Known.strangers(np.empty(0, np.int64), len(zones), len(lines))
        self._events = 0

    def follow(self, seen: Sighting, tracking: Tracking, layout: Layout, picture: Picture) -> list[Event]:
        """`seen` and `tracking` are of the same objects, none of them lost."""
        now_ns, known = picture.frame.shown_ns, self._known
        events = self._forget(picture)
        rows = known.rows_of(tracking.ids)
        known.seen_ns[rows] = now_ns
        known.boxes_xyxy[rows], known.scores[rows] = seen.objects.boxes_xyxy, seen.objects.scores
        is_confirmed = tracking.states == _CONFIRMED
        for move in settle(known, rows, seen, is_confirmed, layout.zones.settle_ns, now_ns):
            events += self._moved(move, int(rows[move.row]), seen, picture)
        for crossing in cross(known, rows, seen, is_confirmed, layout.lines, now_ns):
            events += self._crossed(crossing, int(rows[crossing.row]), seen, picture)
        return events

    def inside(self) -> list[dict[str, int]]:
        """Those who are settled there, by label; for each zone."""
        return [zone.inside for zone in self._zones]

    def visits(self) -> list[Visits]:
        longest_ns, mean_ns = dwells_ns(self._known)
        return [
            Visits(
                zone.of("entered"),
                zone.of("appeared"),
                zone.of("exited"),
                zone.of("lost_inside"),
                longest / NS_PER_MS,
                mean / NS_PER_MS,
            )
            for zone, longest, mean in zip(self._zones, longest_ns, mean_ns, strict=True)
        ]

    def crossings(self) -> tuple[LineCount, ...]:
        return tuple(
            LineCount(line.name, line.of("left_to_right"), line.of("right_to_left")) for line in self._lines
        )

    def _forget(self, picture: Picture) -> list[Event]:
        """Whom the tracker has forgotten."""
        known = self._known
        is_gone = picture.frame.shown_ns - known.seen_ns > self._max_lost_ns
        if not is_gone.any():
            return []
        gone = np.argwhere((known.sides == INSIDE) & is_gone[:, None]).tolist()
        events = [self._left("lost_inside", row, zone, known.seen_ns[row], picture) for row, zone in gone]
        known.keep(~is_gone)
        return events

    def _moved(self, move: Move, row: int, seen: Sighting, picture: Picture) -> list[Event]:
        known, zone, account = self._known, move.zone, self._zones[move.zone]
        if move.side == INSIDE:
            known.entered_ns[row, zone] = move.since_ns
            known.labels[row, zone] = label = picture.labels[seen.objects.class_ids[move.row]]
            kind: EventKind = "appeared" if move.origin == NOWHERE else "entered"
            account.note(kind, label)
            return [self._event(kind, account.name, row, label, move.since_ns, picture)]
        if move.origin == INSIDE:
            return [self._left("exited", row, zone, move.since_ns, picture)]
        return []

    def _left(self, kind: EventKind, row: int, zone: int, left_ns: int, picture: Picture) -> Event:
        account, label = self._zones[zone], str(self._known.labels[row, zone])
        account.note(kind, label)
        dwell_ms = float(left_ns - self._known.entered_ns[row, zone]) / NS_PER_MS
        return self._event(kind, account.name, row, label, left_ns, picture)._replace(dwell_ms=dwell_ms)

    def _crossed(self, crossing: Crossing, row: int, seen: Sighting, picture: Picture) -> list[Event]:
        """One for each time; that is more than one where a line winds."""
        account = self._lines[crossing.line]
        label = picture.labels[seen.objects.class_ids[crossing.row]]
        direction: Direction = "left_to_right" if crossing.net > 0 else "right_to_left"
        events = []
        for _ in range(abs(crossing.net)):
            account.note(direction, label)
            event = self._event("crossed", account.name, row, label, crossing.crossed_ns, picture)
            events.append(event._replace(direction=direction))
        return events

    def _event(
        self, kind: EventKind, place: str, row: int, label: str, happened_ns: int, picture: Picture
    ) -> Event:
        self._events += 1
        frame, known = picture.frame, self._known
        left, top, right, bottom = known.boxes_xyxy[row].tolist()
        return Event(
            number=self._events,
            kind=kind,
            place=place,
            track_id=int(known.ids[row]),
            label=label,
            score=float(known.scores[row]),
            xyxy=(left, top, right, bottom),
            seq=frame.seq,
            captured_ns=frame.captured_ns,
            captured_utc_ns=frame.captured_utc_ns,
            ago_ms=float(frame.shown_ns - happened_ns) / NS_PER_MS,
        )
