"""Association: which detection is which track, by the overlap of boxes, at the least cost in sum."""

from __future__ import annotations

from typing import NamedTuple

import lap
import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.overlaps import OPEN, pair

Indices = NDArray[np.int64]


class Boxes(NamedTuple):
    """n boxes: `xyxy` float64 [n, 4], `class_ids` int32 [n], and `weights` float64 [n], what the overlap with
    each counts: a detection's score, or 1."""

    xyxy: NDArray[np.float64]
    class_ids: NDArray[np.int32]
    weights: NDArray[np.float64]

    def at(self, rows: Indices) -> Boxes:
        return Boxes(self.xyxy[rows], self.class_ids[rows], self.weights[rows])

    def without_classes(self) -> Boxes:
        return self._replace(class_ids=np.zeros_like(self.class_ids))

    def unweighted(self) -> Boxes:
        return self._replace(weights=np.ones(len(self.weights)))


def associate(tracks: Boxes, found: Boxes, limit: float) -> tuple[Indices, Indices]:
    """Rows of `tracks` and of `found`, both int64 [k], that belong together, of one class each.

    A pair costs 1 - IoU · weight of what was found; whoever stays alone costs `limit` / 2, as in lap's solver
    with a cost limit, which ByteTrack uses. lapx solves what the kernel leaves open.
    """
    if not (len(tracks.xyxy) and len(found.xyxy)):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    gains, partners, owners, left = pair(tracks.xyxy, tracks.class_ids, *found, limit)
    if left:
        rows, columns = np.flatnonzero(partners == OPEN), np.flatnonzero(owners == OPEN)
        open_gains = gains[np.ix_(rows, columns)]
        a, b = lap.lapjvx(-open_gains, extend_cost=True, return_cost=False)
        is_gain = open_gains[a, b] > 0
        partners[rows[a[is_gain]]] = columns[b[is_gain]]
    rows = np.flatnonzero(partners >= 0)
    return rows, partners[rows]


def overlapping(a: Boxes, b: Boxes, limit: float) -> NDArray[np.int64]:
    """All pairs of a row of `a` and one of `b`, int64 [k, 2], of one class that cost less than `limit`."""
    if not (len(a.xyxy) and len(b.xyxy)):
        return np.empty((0, 2), np.int64)
    return np.argwhere(pair(a.xyxy, a.class_ids, *b, limit).gains > 0)
