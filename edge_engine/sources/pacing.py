"""Pacing: recorded pictures are released at their own times, as the camera that made them did."""

from __future__ import annotations

import threading

from edge_engine.clock import NS_PER_S, monotonic_ns

MAX_BEHIND_NS = NS_PER_S
"""A reader that falls further behind than this starts afresh from now, instead of rushing after."""


class Pacer:
    """Waits for each picture's time; unpaced, it never waits.

    The source's thread calls `wait`; any thread calls `interrupt`. The event is all they share.
    """

    def __init__(self, *, is_paced: bool) -> None:
        self._is_paced = is_paced
        self._zero_ns: int | None = None
        self._interrupted = threading.Event()

    def wait(self, due_ns: int) -> bool:
        """Returns once the picture due at `due_ns`, counted from the first one's, may be shown.

        False when interrupted, now or earlier.
        """
        if not self._is_paced:
            return not self._interrupted.is_set()
        now_ns = monotonic_ns()
        if self._zero_ns is None or now_ns - (self._zero_ns + due_ns) > MAX_BEHIND_NS:
            self._zero_ns = now_ns - due_ns
        wait_ns = self._zero_ns + due_ns - now_ns
        return not self._interrupted.wait(max(0, wait_ns) / NS_PER_S)

    def interrupt(self) -> None:
        self._interrupted.set()
