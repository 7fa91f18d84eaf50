"""Tracks: all that is known of the objects of one stream, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels import motion
from edge_engine.result import TrackState
from edge_engine.tracking.association import Boxes, Indices


@dataclass(slots=True)
class Tracks:
    """n tracks. `states` int8, as result.TrackState; `seen_ns`: when each was last seen; `hits`: in how many
    pictures, `missed`: how many came since then; `rows`: which object of the present picture each is, -1 for
    none. `filters` float64 [n, 4, 5], as kernels.motion has it, and `boxes_xyxy` float64 [n, 4], where each
    is expected; `seen_filters` and `seen_xyxy`: the same when it was last seen."""

    ids: NDArray[np.int64]
    states: NDArray[np.int8]
    class_ids: NDArray[np.int32]
    born_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    hits: NDArray[np.int64]
    missed: NDArray[np.int64]
    rows: NDArray[np.int64]
    filters: NDArray[np.float64]
    seen_filters: NDArray[np.float64]
    boxes_xyxy: NDArray[np.float64]
    seen_xyxy: NDArray[np.float64]

    @classmethod
    def born(cls, ids: Indices, state: int, found: Boxes, rows: Indices, now_ns: int) -> Tracks:
        """Of detections that nobody knows, the objects `rows`; an id each."""
        n, filters = len(ids), motion.begin(found.xyxy)
        return cls(
            ids=ids,
            states=np.full(n, state, np.int8),
            class_ids=found.class_ids,
            born_ns=np.full(n, now_ns),
            seen_ns=np.full(n, now_ns),
            hits=np.ones(n, np.int64),
            missed=np.zeros(n, np.int64),
            rows=rows,
            filters=filters,
            seen_filters=filters.copy(),
            boxes_xyxy=found.xyxy,
            seen_xyxy=found.xyxy.copy(),
        )

    @classmethod
    def none(cls) -> Tracks:
        nobody, nothing = Boxes(np.empty((0, 4)), np.empty(0, np.int32), np.empty(0)), np.empty(0, np.int64)
        return cls.born(nothing, 0, nobody, nothing, 0)

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, is_kept: NDArray[np.bool_]) -> None:
        if not is_kept.all():
            for column in fields(self):
                setattr(self, column.name, getattr(self, column.name)[is_kept])

    def add(self, others: Tracks) -> None:
        for column in fields(self):
            both = getattr(self, column.name), getattr(others, column.name)
            setattr(self, column.name, np.concatenate(both))

    def at(self, rows: Indices, boxes_xyxy: NDArray[np.float64]) -> Boxes:
        """Some of them, in their boxes of that column."""
        return Boxes(boxes_xyxy[rows], self.class_ids[rows], np.ones(len(rows)))

    def merge(self, older: int, younger: int) -> None:
        """The younger one's track goes on as the older one."""
        self.ids[younger], self.born_ns[younger] = self.ids[older], self.born_ns[older]
        self.states[younger] = TrackState.CONFIRMED
