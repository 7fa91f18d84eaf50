"""Counter: all zones and lines of one stream, picture by picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from edge_engine.config.places import LineConfig, ZoneConfig
from edge_engine.counting import Counted, Event, Visits, ZoneCount
from edge_engine.frame import Frame
from edge_engine.result import Objects
from edge_engine.zones.following import Following, Picture
from edge_engine.zones.layout import Layout, Sizes
from edge_engine.zones.sighting import Sighting, Table, sight

_PX_PER_MEGAPIXEL = 1e6


class Counter:
    """Laid out by the first picture that comes. One thread calls `update`."""

    def __init__(
        self,
        stream: str,
        zones: Mapping[str, ZoneConfig],
        lines: Mapping[str, LineConfig],
        max_lost_ms: int | None,
    ) -> None:
        """`max_lost_ms`: how long the stream's tracker knows who isn't seen; None without one."""
        self._stream, self._zones, self._lines = stream, zones, lines
        self._following = None if max_lost_ms is None else Following([*zones], [*lines], max_lost_ms)
        self._laid: tuple[Layout, Sizes] | None = None
        self._labels: Sequence[str] | None = None
        self._wanted: Table

    def update(self, objects: Objects, labels: Sequence[str], frame: Frame) -> Counted:
        """Pictures come in the order of their stamps, and tracked where the stream is; `labels`: those of the
        model."""
        layout = self._lay(frame.size)
        if labels is not self._labels:
            self._labels, self._wanted = labels, layout.wanted(labels)
        seen = sight(objects, layout, self._wanted, frame.size)
        events: list[Event] = []
        if self._following is not None:
            events = self._follow(self._following, seen, layout, Picture(frame, labels))
        lines = self._following.crossings() if self._following is not None else ()
        return Counted(tuple(self._counts(seen, layout, frame.size)), lines, tuple(events))

    def _lay(self, size: tuple[int, int]) -> Layout:
        if self._laid is None:
            layout = Layout.of(self._zones, self._lines, size)
            self._laid = layout, Sizes(self._stream, {**self._zones, **self._lines}, size)
        layout, sizes = self._laid
        sizes.look(size)
        return layout

    def _follow(self, following: Following, seen: Sighting, layout: Layout, picture: Picture) -> list[Event]:
        tracking = seen.objects.tracking
        assert tracking is not None
        is_seen = seen.objects.are_seen()
        if not is_seen.all():
            seen, tracking = seen.at(is_seen), tracking.at(is_seen)
        return following.follow(seen, tracking, layout, picture)

    def _counts(self, seen: Sighting, layout: Layout, size: tuple[int, int]) -> list[ZoneCount]:
        assert self._labels is not None
        visits: Iterable[Visits | None]
        if self._following is None:
            inside, visits = _by_label(seen, self._labels), repeat(None)
        else:
            inside, visits = self._following.inside(), self._following.visits()
        megapixels = (layout.areas * size[0] * size[1] / _PX_PER_MEGAPIXEL).tolist()
        rows = zip(self._zones.items(), seen.is_inside.T, inside, megapixels, visits, strict=False)
        return [
            ZoneCount(
                name,
                is_inside,
                who,
                sum(who.values()) / area if area else 0.0,
                sum(who.values()) / zone.area_m2 if zone.area_m2 is not None else None,
                of_zone,
            )
            for (name, zone), is_inside, who, area, of_zone in rows
        ]


def _by_label(seen: Sighting, labels: Sequence[str]) -> list[dict[str, int]]:
    """How many objects are inside each zone."""
    zones = seen.is_inside.shape[1]
    objects, zone = np.nonzero(seen.is_inside)
    cells: NDArray[np.int64] = zone * len(labels) + seen.objects.class_ids[objects]
    counts = np.bincount(cells, minlength=zones * len(labels)).reshape(zones, len(labels))
    found: list[dict[str, int]] = [{} for _ in range(zones)]
    for z, class_id in np.argwhere(counts).tolist():
        found[z][labels[class_id]] = int(counts[z, class_id])
    return found
