"""StreamState: what a stream's source is doing and why, as one small machine that anybody may look at.

    opening ──▶ running ◀──▶ stalled          from any of them: ended, failed
       │           │ ▲           │
       │           ▼ │           │
       └──────▶ reconnecting ◀───┘

Each change is logged once, as `stream=… state=… reason=…`; of a source that changes all the time a few lines
a minute, the next of which tells how many were left out.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from edge_engine.clock import NS_PER_S, monotonic_ns

LOGGER = "edge_engine.streams"

_log = logging.getLogger(LOGGER)
_log.addHandler(logging.NullHandler())  # silent unless the program that uses it listens

LINES_A_MINUTE = 10


class StreamState(str, Enum):
    OPENING = "opening"
    RUNNING = "running"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"


_OVER = {StreamState.ENDED, StreamState.FAILED}
_AFTER = {
    StreamState.OPENING: {StreamState.RUNNING, StreamState.RECONNECTING} | _OVER,
    StreamState.RUNNING: {StreamState.STALLED, StreamState.RECONNECTING} | _OVER,
    StreamState.STALLED: {StreamState.RUNNING, StreamState.RECONNECTING} | _OVER,
    StreamState.RECONNECTING: {StreamState.RUNNING} | _OVER,
    StreamState.ENDED: set(),
    StreamState.FAILED: set(),
}


@dataclass(frozen=True, slots=True)
class Status:
    """One moment. `reason` says why the stream isn't running; `reconnects` counts how often it was lost;
    `description` is what the source turned out to be, such as a camera's format, empty until it is open."""

    state: StreamState = StreamState.OPENING
    reason: str = ""
    since_ns: int = 0
    reconnects: int = 0
    description: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in _OVER


class Damage(NamedTuple):
    """Pictures in a row that came, but could not be decoded: when the first and the last of them were
    captured, and what was wrong with the last."""

    first_ns: int
    last_ns: int
    reason: str


class StreamStatus:
    """One stream's state. Its capture thread alone changes it; `now` is replaced as a whole, so that anybody
    may read it. `damage` is of the newest pictures, None when the last one could be decoded; whoever decodes
    them notes it. `missed`: pictures that never reached the engine, as far as the source knows. `is_paused`:
    nothing is to be recognised; whoever controls the engine sets it, and the capture thread goes by it, frame
    by frame. `on_change` is called after each change of the state, by the capture thread."""

    def __init__(self, stream: str) -> None:
        self.now = Status(since_ns=monotonic_ns())
        self.damage: Damage | None = None
        self.missed = 0
        self.is_paused = False
        self.on_change: Callable[[], None] = _nobody
        self._stream = stream
        self._logged_ns: deque[int] = deque(maxlen=LINES_A_MINUTE)
        self._logged = self.now.state
        self._untold = 0

    def move(self, state: StreamState, reason: str = "") -> None:
        """Raises ValueError for a step that the machine doesn't have. A move to where it is only renews the
        reason.
        """
        if state is self.now.state:
            if reason != self.now.reason:
                self.now = replace(self.now, reason=reason)
            if self._untold:
                self._log()  # so that a log doesn't end with what has long passed
            return
        if state not in _AFTER[self.now.state]:
            raise ValueError(
                f"stream {self._stream}: {self.now.state.value} is never followed by {state.value}"
            )
        lost = state is StreamState.RECONNECTING
        self.now = replace(
            self.now,
            state=state,
            reason=reason,
            since_ns=monotonic_ns(),
            reconnects=self.now.reconnects + lost,
        )
        self._untold += 1
        self._log()
        self.on_change()

    def describe(self, description: str) -> None:
        self.now = replace(self.now, description=description)

    def note_decoding(self, captured_ns: int, error: str = "") -> None:
        """Of one picture after the other, by one thread. `error`: what is wrong with it, if anything."""
        if not error:
            self.damage = None
        else:
            before = self.damage
            self.damage = Damage(before.first_ns if before else captured_ns, captured_ns, error)

    def _log(self) -> None:
        """The last change, unless there were too many of late."""
        now_ns, now = monotonic_ns(), self.now
        is_full = len(self._logged_ns) == LINES_A_MINUTE and now_ns - self._logged_ns[0] < 60 * NS_PER_S
        if is_full and not now.is_over:
            return
        # A stream without a configuration is named after its URI, which may hold anything.
        name = self._stream if self._stream.isprintable() else repr(self._stream)
        text = f"stream={name} state={now.state.value}"
        if now.reason:
            text += f" reason={now.reason!r}"
        if self._untold > 1:
            text += f" left_out={self._untold - 1}"
        level = _level(self._logged, now.state)
        self._logged_ns.append(now_ns)
        self._logged, self._untold = now.state, 0
        fields = {"stream": self._stream, "state": now.state.value, "reason": now.reason}
        _log.log(level, "%s", text, extra=fields)


def _nobody() -> None:
    pass


def _level(before: StreamState, state: StreamState) -> int:
    """A start and an end as planned are no news."""
    if state is StreamState.ENDED or (before, state) == (StreamState.OPENING, StreamState.RUNNING):
        return logging.DEBUG
    return logging.INFO if state is StreamState.RUNNING else logging.WARNING
