"""Sighting: the objects of one picture, and where they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.regions import points_in_polygons
from edge_engine.result import Objects, TrackState
from edge_engine.zones.layout import Layout, Places, Size

Table = NDArray[np.bool_]


class Sighting(NamedTuple):
    """n objects that are seen. `positions`: float64 [n, a, 2], their anchors in fractions of the picture.
    bool [n, z]: in which zones they count at all (`counts_in`), and are (`is_inside`); bool [n, l]: at which
    lines they count (`counts_at`)."""

    objects: Objects
    positions: NDArray[np.float64]
    is_inside: Table
    counts_in: Table
    counts_at: Table

    def at(self, which: Table) -> Sighting:
        """Some of them, bool [n]."""
        objects = Objects(
            self.objects.boxes_xyxy[which], self.objects.scores[which], self.objects.class_ids[which]
        )
        tables = (table[which] for table in (self.is_inside, self.counts_in, self.counts_at))
        return Sighting(objects, self.positions[which], *tables)


def sight(objects: Objects, layout: Layout, wanted: tuple[Table, Table], size: Size) -> Sighting:
    """`wanted`: bool [labels, z] and [labels, l], which labels count where. Lost ones count nowhere."""
    positions = layout.positions(objects.boxes_xyxy, size)
    counts_in = _counts(objects, layout.zones, wanted[0])
    counts_at = _counts(objects, layout.lines, wanted[1])
    is_inside = points_in_polygons(positions, layout.zones.shapes) & counts_in
    return Sighting(objects, positions, is_inside, counts_in, counts_at)


def _counts(objects: Objects, places: Places[Any], wanted: Table) -> Table:
    counts: Table = wanted[objects.class_ids] & (objects.scores[:, None] >= places.min_scores)
    if objects.tracking is not None:
        counts &= (objects.tracking.states != TrackState.LOST)[:, None]
    return counts
