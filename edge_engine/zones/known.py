"""Known: what is known of each track of a stream, zone by zone and line by line, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

NOWHERE, NOBODY = -1, -1


@dataclass(slots=True)
class Known:
    """n tracks, in the order of their `ids`; z zones and l lines.

    When, where and how each was last seen: `seen_ns`, `boxes_xyxy`, `scores`. Zones, [n, z]: the side on
    which it is settled (`sides` int8: 1 inside, 0 outside, NOWHERE yet), the one on which it is seen
    (`leanings`) since when (`since_ns`), and of those inside when and with which label they came
    (`entered_ns`, `labels`). Lines: where it was last seen (`positions` float64 [n, l, 2], in fractions,
    NaN before), the crossings that don't count yet (`nets`), and when the last of them was (`crossed_ns`).
    """

    ids: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    sides: NDArray[np.int8]
    leanings: NDArray[np.int8]
    since_ns: NDArray[np.int64]
    entered_ns: NDArray[np.int64]
    labels: NDArray[np.object_]
    positions: NDArray[np.float64]
    nets: NDArray[np.int64]
    crossed_ns: NDArray[np.int64]

    @classmethod
    def strangers(cls, ids: NDArray[np.int64], zones: int, lines: int) -> Known:
        n = len(ids)
        return cls(
            ids=ids,
            seen_ns=np.zeros(n, np.int64),
            boxes_xyxy=np.zeros((n, 4), np.float32),
            scores=np.zeros(n, np.float32),
            sides=np.full((n, zones), NOWHERE, np.int8),
            leanings=np.full((n, zones), NOWHERE, np.int8),
            since_ns=np.zeros((n, zones), np.int64),
            entered_ns=np.zeros((n, zones), np.int64),
            labels=np.full((n, zones), "", np.object_),
            positions=np.full((n, lines, 2), np.nan),
            nets=np.zeros((n, lines), np.int64),
            crossed_ns=np.zeros((n, lines), np.int64),
        )

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each id; those that are new get one."""
        rows = np.searchsorted(self.ids, ids)
        is_new = np.append(self.ids, NOBODY)[rows] != ids
        if not is_new.any():
            return rows
        self._add(Known.strangers(ids[is_new], self.sides.shape[1], self.nets.shape[1]))
        return np.searchsorted(self.ids, ids)

    def _add(self, others: Known) -> None:
        order = np.argsort(np.concatenate([self.ids, others.ids]))
        for column in fields(self):
            both = np.concatenate([getattr(self, column.name), getattr(others, column.name)])
            setattr(self, column.name, both[order])

    def keep(self, is_kept: NDArray[np.bool_]) -> None:
        if not is_kept.all():
            for column in fields(self):
                setattr(self, column.name, getattr(self, column.name)[is_kept])
