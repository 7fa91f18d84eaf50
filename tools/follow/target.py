"""Target: whom to follow. The nearest person, and then the same one until it is lost."""

from __future__ import annotations

from edge_engine.clock import NS_PER_S
from edge_engine.wire import ObjectRow, ResultMessage

FORGOTTEN_AFTER_NS = NS_PER_S


class Target:
    """By the tracker's ids. Only confirmed ones count: what is new may be a moment's error."""

    def __init__(self, label: str = "person") -> None:
        self.label = label
        self._session = ""
        self._seen_ns = 0
        self.id: int | None = None

    def find(self, result: ResultMessage) -> ObjectRow | None:
        """The person followed, if seen in this picture; None also while one that was lost may come back."""
        if result.session != self._session:
            self._session, self.id = result.session, None
        candidates = {
            row.track_id: row
            for row in result.objects
            if row.label == self.label and row.track_state == "confirmed"
        }
        if self.id not in candidates:
            if self.id is not None and result.captured_ns - self._seen_ns < FORGOTTEN_AFTER_NS:
                return None
            self.id = max(candidates, key=lambda each: height_px(candidates[each]), default=None)
        if self.id is None:
            return None
        self._seen_ns = result.captured_ns
        return candidates[self.id]


def height_px(row: ObjectRow) -> float:
    """The taller, the nearer."""
    return row.xyxy[3] - row.xyxy[1]
