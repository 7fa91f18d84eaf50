"""Counting: what was counted in a stream's zones and at its lines, with one picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tally: TypeAlias = dict[str, int]
"""How many, by label; never changed once it is given out."""

EventKind: TypeAlias = Literal["entered", "exited", "appeared", "lost_inside", "crossed"]
Direction: TypeAlias = Literal["left_to_right", "right_to_left"]


class Visits(NamedTuple):
    """Of a zone in a tracked stream: how many came and went since the session began, and how long those that
    are inside have been there by now; 0 where nobody is."""

    entered: Tally
    appeared: Tally
    exited: Tally
    lost_inside: Tally
    longest_dwell_ms: float
    mean_dwell_ms: float


class ZoneCount(NamedTuple):
    """`is_inside`: bool [n], which of the picture's objects have their anchor inside. `inside`: of a tracked
    stream those that are settled inside (zones/), else those same objects."""

    name: str
    is_inside: NDArray[np.bool_]
    inside: Tally
    density_per_megapixel: float
    density_per_m2: float | None = None
    visits: Visits | None = None


class LineCount(NamedTuple):
    """How many crossed a line, in each direction, since the session began."""

    name: str
    left_to_right: Tally
    right_to_left: Tally


class Event(NamedTuple):
    """Somebody came, went or crossed. `number` counts a stream's events in this session, from 1.

    The stamps are those of the picture with which it was counted; it happened `ago_ms` before, when the
    object was first seen on that side, or, `lost_inside`, last seen at all. `dwell_ms`: of one that left, how
    long it was inside.
    """

    number: int
    kind: EventKind
    place: str
    track_id: int
    label: str
    score: float
    xyxy: tuple[float, float, float, float]
    seq: int
    captured_ns: int
    captured_utc_ns: int
    ago_ms: float
    direction: Direction | None = None
    dwell_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """With one picture. `events`: what came to count by it."""

    zones: tuple[ZoneCount, ...] = ()
    lines: tuple[LineCount, ...] = ()
    events: tuple[Event, ...] = ()

    def after(self, earlier: tuple[Event, ...]) -> Counted:
        """The same, with events of pictures before it."""
        return replace(self, events=earlier + self.events)
