"""AutopilotClock: what the autopilot's clock shows at a moment of ours (mavlink.io/en/services/timesync).

A request holds our time, the answer that and the autopilot's. What of the time between is the way there is
unknown; half of it is assumed, so the fastest of the last answers errs least.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

_KEPT = 10


class _Answer(NamedTuple):
    took_ns: int
    ahead_ns: int


class AutopilotClock:
    def __init__(self) -> None:
        self._asked_ns: deque[int] = deque(maxlen=_KEPT)
        self._answers: deque[_Answer] = deque(maxlen=_KEPT)

    def ask(self, now_ns: int) -> int:
        """The `ts1` of a request sent at `now_ns` of CLOCK_MONOTONIC."""
        self._asked_ns.append(now_ns)
        return now_ns

    def hear(self, tc1: int, ts1: int, now_ns: int) -> None:
        """An answer, or what others say to each other, which is passed over."""
        if tc1 and ts1 in self._asked_ns:
            self._asked_ns.remove(ts1)
            self._answers.append(_Answer(now_ns - ts1, tc1 - (ts1 + now_ns) // 2))

    def time_usec(self, at_ns: int) -> int:
        """By the autopilot's clock; by ours, since this computer started, while it has not answered."""
        ahead_ns = min(self._answers).ahead_ns if self._answers else 0
        return max(0, at_ns + ahead_ns) // 1000
