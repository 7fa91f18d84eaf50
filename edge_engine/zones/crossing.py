"""Crossing: who has crossed which line, and in which direction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.config.places import LineConfig
from edge_engine.kernels.regions import steps_across_lines
from edge_engine.zones.known import Known, Rows
from edge_engine.zones.layout import Places
from edge_engine.zones.sighting import Sighting


class Crossing(NamedTuple):
    """An object, by its row in the Sighting, has crossed a line: how often to the right, less to the left,
    and when last."""

    row: int
    line: int
    net: int
    crossed_ns: int


def cross(
    known: Known,
    rows: Rows,
    seen: Sighting,
    may_settle: NDArray[np.bool_],
    lines: Places[LineConfig],
    now_ns: int,
) -> list[Crossing]:
    """Notes where the objects, which are `rows` of what is known, are now. Of those that `may_settle`, bool
    [n], whose crossings count by that."""
    before, counts = known.positions[rows], seen.counts_at
    steps = steps_across_lines(before, seen.positions, lines.shapes) * counts
    known.positions[rows] = np.where(counts[..., None], seen.positions[:, lines.shapes.which], before)
    nets = known.nets[rows]
    if steps.any():
        nets += steps
        known.nets[rows] = nets
        known.crossed_ns[rows] = np.where(steps != 0, now_ns, known.crossed_ns[rows])
    if not nets.any():
        return []
    crossed_ns = known.crossed_ns[rows]
    is_settling = counts & (nets != 0) & may_settle[:, None] & (now_ns - crossed_ns >= lines.settle_ns)
    known.nets[rows] = np.where(is_settling, 0, nets)
    found = np.argwhere(is_settling).tolist()
    return [Crossing(i, k, int(nets[i, k]), int(crossed_ns[i, k])) for i, k in found]
