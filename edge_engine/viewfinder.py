"""Viewfinder: the next picture of a stream, with what is recognised in it, for whoever asks for one.

Pictures are let go as soon as the model has its copy; only while somebody waits is one kept on its way.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.result import Result


class View(NamedTuple):
    """`frame` has its pixels. `result` and the ledger's `counts` with it: None where nothing was asked of the
    model."""

    frame: Frame
    result: Result | None
    counts: Counts | None


class Viewfinder:
    """Of one stream. Its stages' threads look at `is_wanted` frame by frame, and `show`; one other thread at
    a time takes."""

    def __init__(self) -> None:
        self.is_wanted = False
        self._changed = threading.Condition()
        self._view: View | None = None
        self._is_closed = False

    def show(self, view: View) -> None:
        with self._changed:
            self._view = view
            self.is_wanted = False
            self._changed.notify_all()

    def take(self, timeout_s: float) -> View | None:
        """The first that was captured after the call; None without one in that time, or once closed."""
        asked_ns = monotonic_ns()
        deadline_ns = asked_ns + int(timeout_s * NS_PER_S)
        while True:
            view = self._next(max(0, deadline_ns - monotonic_ns()) / NS_PER_S)
            if view is None or view.frame.captured_ns >= asked_ns:
                return view

    def _next(self, timeout_s: float) -> View | None:
        with self._changed:
            self._view, self.is_wanted = None, True
            self._changed.wait_for(lambda: self._is_closed or self._view is not None, timeout_s)
            view, self._view, self.is_wanted = self._view, None, False
            return view

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
