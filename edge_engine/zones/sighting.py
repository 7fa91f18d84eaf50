"""Sighting: the objects of one picture, and where they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.regions import points_in_polygons
from edge_engine.result import Objects
from edge_engine.zones.layout import Layout, Size

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


def sight(objects: Objects, layout: Layout, wanted: Table, size: Size) -> Sighting:
    """`wanted`: bool [labels, z + l], which labels count where. Lost ones count nowhere."""
    positions, zones = layout.positions(objects.boxes_xyxy, size), len(layout.zones)
    counts: Table = wanted[objects.class_ids] & (objects.scores[:, None] >= layout.min_scores)
    counts &= objects.are_seen()[:, None]
    is_inside = points_in_polygons(positions, layout.zones.shapes) & counts[:, :zones]
    return Sighting(objects, positions, is_inside, counts[:, :zones], counts[:, zones:])
