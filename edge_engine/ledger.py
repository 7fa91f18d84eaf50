"""Ledger: every frame of a stream gets exactly one fate.

    captured = published + in flight + Σ dropped(cause), at every moment.

The frames in flight are known one by one, so a frame that is lost, or counted twice, is found at
once instead of hiding in a sum.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum

from edge_engine.clock import monotonic_ns


class Cause(str, Enum):
    """Why a captured frame was not published."""

    OVERWRITTEN = "overwritten"  # a newer frame came before the engine had time for this one
    SUPERSEDED = "superseded"  # a newer frame's result was published first
    STALE = "stale"  # its result came after its max_age_ms
    CORRUPT = "corrupt"  # the pixels could not be read
    PAUSED = "paused"  # the stream was paused, by request
    ERROR = "error"  # the model or a decoder failed on it
    SHUTDOWN = "shutdown"  # the engine stopped before it was done


class LedgerError(AssertionError):
    """A frame was given a second fate, or one that never was captured was given any."""


@dataclass(frozen=True, slots=True)
class Counts:
    """One moment of a ledger; the parts always sum up to `captured`."""

    captured: int
    published: int
    in_flight: int
    dropped: dict[str, int]


class Ledger:
    """One per stream. Every stage's thread writes to it; one lock guards all of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_flight: dict[int, int] = {}  # since when, oldest first
        self._moved_ns = 0
        self._sealed = False
        self._captured = 0
        self._published = 0
        self._dropped = dict.fromkeys(Cause, 0)
        self._reasons: dict[str, str] = {}

    def captured(self, seq: int) -> None:
        """The camera delivered frame `seq`; frames come in order, from 0."""
        with self._lock:
            if self._sealed:
                return
            if seq != self._captured:
                raise LedgerError(f"frame {seq} was captured after frame {self._captured - 1}")
            self._captured += 1
            now_ns = monotonic_ns()
            if not self._in_flight:
                self._moved_ns = now_ns
            self._in_flight[seq] = now_ns

    def published(self, seq: int) -> None:
        with self._lock:
            if not self._sealed:
                self._settle(seq)
                self._published += 1
                self._moved_ns = monotonic_ns()

    def dropped(self, seq: int, cause: Cause, reason: str = "") -> None:
        """`reason` says what went wrong, where something did; the last one of each cause is kept."""
        with self._lock:
            if self._sealed:
                return
            self._settle(seq)
            self._dropped[cause] += 1
            if reason:
                self._reasons[cause.value] = reason
            # A frame that is overwritten shows that the camera moves, not that the engine does.
            if cause is not Cause.OVERWRITTEN:
                self._moved_ns = monotonic_ns()

    def seal(self) -> None:
        """The engine has stopped: what is still in flight is dropped as `shutdown`.

        A thread that could not be stopped may come back later; its frames have their fate by then,
        so nothing that it says is counted any more.
        """
        with self._lock:
            self._dropped[Cause.SHUTDOWN] += len(self._in_flight)
            self._in_flight.clear()
            self._sealed = True

    def _settle(self, seq: int) -> None:
        if seq not in self._in_flight:
            raise LedgerError(f"frame {seq} is not in flight: it has a fate already, or was never captured")
        del self._in_flight[seq]

    def counts(self) -> Counts:
        """All counters at one moment; causes that never happened are left out."""
        with self._lock:
            dropped = {cause.value: n for cause, n in self._dropped.items() if n}
            return Counts(self._captured, self._published, len(self._in_flight), dropped)

    def reasons(self) -> dict[str, str]:
        """What went wrong last, by cause."""
        with self._lock:
            return dict(self._reasons)

    def stuck_ns(self) -> int:
        """For how long the oldest frame in flight has been, or the engine been done with none, whichever is
        longer; 0 without any in flight.
        """
        with self._lock:
            if not self._in_flight:
                return 0
            return monotonic_ns() - min(self._moved_ns, next(iter(self._in_flight.values())))
