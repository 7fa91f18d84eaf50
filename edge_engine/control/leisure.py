"""Leisure: a thread that works only a part of the time, so that whoever keeps it busy slows nobody else."""

from __future__ import annotations

import threading
import time

from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns

_BURST_NS = 10 * NS_PER_MS
"""Of rest may be owed: a few commands at once are carried out at once."""


class Leisure:
    """Of one thread, which gets `share` of a core at most, 0..1, over anything but a moment."""

    def __init__(self, share: float) -> None:
        self._rest_per_work = (1 - share) / share
        self._worked_ns = time.thread_time_ns()
        self._rested_until_ns = monotonic_ns()

    def take(self, interruption: threading.Event) -> None:
        """The rest that is due for what the thread has done since the last call."""
        worked_ns, now_ns = time.thread_time_ns(), monotonic_ns()
        due_ns = int((worked_ns - self._worked_ns) * self._rest_per_work)
        self._worked_ns = worked_ns
        self._rested_until_ns = max(now_ns, self._rested_until_ns) + due_ns
        owed_ns = self._rested_until_ns - now_ns
        if owed_ns > _BURST_NS:
            interruption.wait(owed_ns / NS_PER_S)
