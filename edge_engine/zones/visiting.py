"""Visiting: who is settled in which zone, and who came and went."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.zones.known import Known, Rows
from edge_engine.zones.sighting import Sighting

INSIDE = 1


class Move(NamedTuple):
    """An object, by its row in the Sighting, is settled in a zone anew: from which side to which (as
    Known's), and since when it is there."""

    row: int
    zone: int
    origin: int
    side: int
    since_ns: int


def settle(
    known: Known, rows: Rows, seen: Sighting, may_settle: NDArray[np.bool_], settle_ns: Rows, now_ns: int
) -> list[Move]:
    """Notes where the objects, which are `rows` of what is known, are now. Of those that `may_settle`, bool
    [n], who settles by that."""
    sides, leanings, since_ns = known.sides[rows], known.leanings[rows], known.since_ns[rows]
    turns = seen.counts_in & (leanings != seen.is_inside)
    if turns.any():
        known.leanings[rows] = leanings = np.where(turns, seen.is_inside, leanings)
        known.since_ns[rows] = since_ns = np.where(turns, now_ns, since_ns)
    is_settling = seen.counts_in & (sides != leanings) & may_settle[:, None]
    is_settling &= now_ns - since_ns >= settle_ns
    if not is_settling.any():
        return []
    known.sides[rows] = np.where(is_settling, leanings, sides)
    found = np.argwhere(is_settling).tolist()
    return [Move(i, z, int(sides[i, z]), int(leanings[i, z]), int(since_ns[i, z])) for i, z in found]


def dwells_ns(known: Known) -> tuple[list[int], list[float]]:
    """The longest and the mean of those inside each zone; 0 where nobody is."""
    is_inside = known.sides == INSIDE
    dwells = np.where(is_inside, known.seen_ns[:, None] - known.entered_ns, 0)
    mean = dwells.sum(axis=0) / np.maximum(1, is_inside.sum(axis=0))
    return dwells.max(axis=0, initial=0).tolist(), mean.tolist()
