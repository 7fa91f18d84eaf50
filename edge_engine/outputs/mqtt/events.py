"""Events: the objects of a tracked stream come, are seen, and go, in Frigate's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from edge_engine.clock import NS_PER_MS, NS_PER_S
from edge_engine.result import Result, TrackState

_UPDATE_NS = 1000 * NS_PER_MS


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """An object at `frame_time`; times are seconds since 1970, of the picture's capture. `box`: left, top,
    right, bottom in source pixels; `area` in square pixels, `ratio` width ÷ height. The stamps in nanoseconds
    are those of a result. `camera` is the stream; zones, clips and snapshots don't exist here.
    """

    id: str
    camera: str
    label: str
    sub_label: None = None
    frame_time: float
    start_time: float
    end_time: float | None = None
    score: float
    top_score: float
    box: tuple[int, int, int, int]
    area: int
    ratio: float
    false_positive: bool = False
    current_zones: tuple[str, ...] = ()
    entered_zones: tuple[str, ...] = ()
    has_clip: bool = False
    has_snapshot: bool = False
    track_id: int
    captured_ns: int
    valid_until_ns: int


class Event(msgspec.Struct, frozen=True):
    """`before` is what was last told of the object; of one that is new, the same as `after`."""

    type: Literal["new", "update", "end"]
    before: Sighting
    after: Sighting


@dataclass(slots=True)
class _Known:
    told: Sighting
    now: Sighting


class Events:
    """An object is told of once its track is confirmed, then once a second, and when it has not been seen
    for `max_lost_ms`, after which the tracker gives no more the same id."""

    def __init__(self, max_lost_ms: int) -> None:
        self._max_lost_ns = max_lost_ms * NS_PER_MS
        self._known: dict[int, _Known] = {}

    def take(self, result: Result) -> Iterator[Event]:
        for sighting in _confirmed(result):
            yield from self._see(sighting)
        for known in list(self._known.values()):
            if result.frame.captured_ns - known.now.captured_ns > self._max_lost_ns:
                yield self._end(known)

    def _see(self, now: Sighting) -> Iterator[Event]:
        known = self._known.get(now.track_id)
        if known is None:
            self._known[now.track_id] = _Known(now, now)
            yield Event("new", now, now)
            return
        top_score = max(now.score, known.now.top_score)
        known.now = msgspec.structs.replace(now, start_time=known.now.start_time, top_score=top_score)
        if now.captured_ns - known.told.captured_ns >= _UPDATE_NS:
            yield Event("update", known.told, known.now)
            known.told = known.now

    def end_all(self) -> Iterator[Event]:
        """Nothing is seen any more."""
        for known in list(self._known.values()):
            yield self._end(known)

    def _end(self, known: _Known) -> Event:
        del self._known[known.now.track_id]
        return Event("end", known.told, msgspec.structs.replace(known.now, end_time=known.now.frame_time))


def _confirmed(result: Result) -> Iterator[Sighting]:
    """Those that are in this very picture."""
    objects, frame = result.objects, result.frame
    if objects.tracking is None:
        return
    time = frame.captured_utc_ns / NS_PER_S
    for i in np.flatnonzero(objects.tracking.states == TrackState.CONFIRMED).tolist():
        left, top, right, bottom = (round(side) for side in objects.boxes_xyxy[i].tolist())
        score, track_id = float(objects.scores[i]), int(objects.tracking.ids[i])
        yield Sighting(
            id=f"{result.session}.{result.stream}.{track_id}",
            camera=result.stream,
            label=result.labels[objects.class_ids[i]],
            frame_time=time,
            start_time=time,
            score=score,
            top_score=score,
            box=(left, top, right, bottom),
            area=(right - left) * (bottom - top),
            ratio=round((right - left) / max(1, bottom - top), 3),
            track_id=track_id,
            captured_ns=frame.captured_ns,
            valid_until_ns=result.valid_until_ns,
        )
