"""LiveSource: a camera that may stall, hang, vanish and come back, read by the engine's own clock.

Each connection is a Reader. One that gives nothing in time is left behind, and a new one is made, after a
pause that grows with each failure and is never the same twice, so that many engines don't all knock at once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.sources.reader import Ended, News, Opened, Reader
from edge_engine.sources.source import Grab, Source
from edge_engine.state import StreamState, StreamStatus

Reconnect = Literal["lost", "always", "never"]

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S, _JITTER = 0.1, 0.4, 0.2
_MOST_HANGING = 8
"""Readers left behind in a call that never returned; with so many, another try waits until one of them
ends.
"""

_STALLED_AFTER_NS, _STALLED_AFTER_PERIODS = 150 * NS_PER_MS, 3.5
_STALLED_AT_FIRST_NS = NS_PER_S  # while a camera's rate isn't known
_GIVEN_UP_AFTER_NS, _GIVEN_UP_AFTER_PERIODS = NS_PER_S, 6
_LONGEST_GRACE_NS = NS_PER_S // 4
_CLOSE_S = 0.5
_FIRST_GAPS, _AVERAGED_GAPS = 4, 8


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a live source may keep its stream waiting.

    `open_ms`: from the first try until its first picture. `frame_ms`: between two pictures, until the
    connection is given up; None is a second, or six of the camera's own periods. `reconnect`: `lost` looks
    again for a camera that has been there, `always` also for one that isn't there at the start, `never` ends
    the stream.
    """

    open_ms: int = 5000
    frame_ms: int | None = None
    reconnect: Reconnect = "lost"


class _Rhythm:
    """How far apart one connection's pictures come. `period_ns` is 0 until there were a few gaps: what a
    server has kept comes in a rush at first, and a slow camera would then seem late ever after.
    """

    def __init__(self) -> None:
        self.period_ns = 0.0
        self._mean_ns = 0.0
        self._gaps = 0

    def note(self, gap_ns: int) -> None:
        self._gaps = min(self._gaps + 1, _AVERAGED_GAPS)
        self._mean_ns += (gap_ns - self._mean_ns) / self._gaps
        if self._gaps >= _FIRST_GAPS:
            self.period_ns = self._mean_ns


class LiveSource:
    """Is read like any source, and by one thread; `interrupt` may come from any other.

    `make` gives a new source, not yet open, for each connection. Raises SourceError when the camera is lost
    for good, as `patience` has it; until then its state is in `status`.
    """

    is_live = True

    def __init__(
        self, make: Callable[[], Source], name: str, patience: Patience, status: StreamStatus
    ) -> None:
        self._make = make
        self._first: Source | None = make()  # what is wrong with a URI is said at once
        self._name = name
        self._patience = patience
        self._status = status
        self._interrupted = threading.Event()
        self._lock = threading.Lock()  # `_reader` changes hands while `interrupt` may look for it
        self._reader: Reader | None = None
        self._hanging: list[Reader] = []
        self._missed_before = 0
        self._failures = 0
        self._has_ever_run = False
        self._is_running = False
        self._is_stalled = False
        self._since_ns = 0  # the connection's start, or its last sign of life
        self._picture_ns = 0  # its start, or its last good picture
        self._connected_ns = 0
        self._rhythm = _Rhythm()

    @property
    def description(self) -> str:
        return self._status.now.description

    @property
    def missed(self) -> int:
        """Of this connection and of those before it; what passed between them nobody knows."""
        return self._missed_before + (self._reader.missed if self._reader is not None else 0)

    def expected_size(self) -> tuple[int, int] | None:
        return self._first.expected_size() if self._first is not None else None

    def open(self) -> None:
        first, self._first = self._first or self._make(), None
        self._connect(first)
        while self._reader is not None and not self._interrupted.is_set():
            news = self._next_news()
            if isinstance(news, Opened):
                return
            if news is not None:
                self._lose(news)

    def read(self) -> Grab | None:
        while not self._interrupted.is_set():
            if self._reader is None and not self._reconnect():
                continue
            news = self._next_news()
            if isinstance(news, Grab):
                self._note_picture()
                return news
            if isinstance(news, CorruptFrameError):
                self._note_damage(news)
            elif isinstance(news, Ended) and self._is_running:
                return None
            elif isinstance(news, Ended | Exception):
                self._lose(news)
        return None

    def _next_news(self) -> News | None:
        """The reader's; a SourceError when it has kept us waiting for too long, or what it gave could not be
        decoded for as long; None when there is nothing to do.
        """
        assert self._reader is not None
        damage, undecoded_ns = self._status.damage, self._undecoded_ns()
        if damage is not None and undecoded_ns >= self._longest_damaged_ns():
            return self._damaged_for(undecoded_ns, damage.reason)
        news = self._take(self._reader)
        if isinstance(news, Opened):
            self._status.describe(news.description)
        elif news is None and not self._interrupted.is_set():
            return self._out_of_patience()
        return news

    def _take(self, reader: Reader) -> News | None:
        """Who looks late was held up, by the machine or the rest of the engine, and so perhaps was the
        reader: before the camera is blamed, it gets as long again.
        """
        until_ns = self._since_ns + self._patience_ns()
        news = reader.take(until_ns)
        now_ns = monotonic_ns()
        if news is None and now_ns > until_ns:
            news = reader.take(now_ns + min(now_ns - until_ns, _LONGEST_GRACE_NS))
        return news

    def _patience_ns(self) -> int:
        if not self._is_running:
            return self._patience.open_ms * NS_PER_MS
        deadline_ns = self._frame_deadline_ns()
        return deadline_ns if self._is_stalled else min(deadline_ns, self._stalled_after_ns())

    def _stalled_after_ns(self) -> int:
        if not self._rhythm.period_ns:
            return _STALLED_AT_FIRST_NS
        return max(_STALLED_AFTER_NS, int(_STALLED_AFTER_PERIODS * self._rhythm.period_ns))

    def _frame_deadline_ns(self) -> int:
        if self._patience.frame_ms is not None:
            return self._patience.frame_ms * NS_PER_MS
        if not self._rhythm.period_ns:  # it may be a camera of one picture in two seconds
            return self._patience.open_ms * NS_PER_MS
        return max(_GIVEN_UP_AFTER_NS, int(_GIVEN_UP_AFTER_PERIODS * self._rhythm.period_ns))

    def _out_of_patience(self) -> SourceError | None:
        waited_ns = monotonic_ns() - self._since_ns
        if waited_ns < self._patience_ns():  # woken a little early
            return None
        waited_ms = waited_ns // NS_PER_MS
        if not self._is_running:
            return SourceError(
                f"{self._name}: no picture within {waited_ms} ms; is it reachable, and does it send?"
            )
        if waited_ns >= self._frame_deadline_ns():
            return SourceError(f"{self._name}: no picture for {waited_ms} ms")
        self._stall(f"no picture for {waited_ms} ms")
        return None

    def _stall(self, reason: str) -> None:
        self._is_stalled = True
        self._status.move(StreamState.STALLED, reason)

    def _note_picture(self) -> None:
        now_ns = monotonic_ns()
        if self._is_running:
            self._rhythm.note(now_ns - self._since_ns)
        self._since_ns = self._picture_ns = now_ns
        self._is_running, self._is_stalled = True, False
        self._has_ever_run = True
        self._failures = 0
        undecoded_ns = self._undecoded_ns()
        if undecoded_ns >= self._stalled_after_ns():
            self._stall(_only_damaged(undecoded_ns))
        else:
            self._status.move(StreamState.RUNNING)
        self._forget_ended()

    def _undecoded_ns(self) -> int:
        """For how long all pictures of this connection that the engine came to could not be decoded."""
        damage = self._status.damage
        return damage.last_ns - max(damage.first_ns, self._connected_ns) if damage is not None else 0

    def _note_damage(self, damage: CorruptFrameError) -> None:
        """Raises it, to be counted. A connection that gives nothing else is stalled, and after too long lost:
        a new one may cure it.
        """
        now_ns = monotonic_ns()
        without_ns = now_ns - self._picture_ns
        if self._is_running:
            self._since_ns = now_ns
            if without_ns >= self._stalled_after_ns():
                self._stall(_only_damaged(without_ns))
        if without_ns < self._longest_damaged_ns():
            raise damage
        self._lose(self._damaged_for(without_ns, str(damage)))

    def _longest_damaged_ns(self) -> int:
        longest_ns = self._patience.open_ms * NS_PER_MS
        return max(longest_ns, self._frame_deadline_ns()) if self._is_running else longest_ns

    def _damaged_for(self, without_ns: int, last: str) -> SourceError:
        return SourceError(f"{self._name}: {_only_damaged(without_ns)}; the last: {last}")

    def _lose(self, why: object) -> None:
        """Leave the connection behind. Raises `why` when it is no source's fault, or the stream is to end
        with it.
        """
        self._leave_reader()
        if isinstance(why, Ended):
            why = SourceError(f"{self._name}: ended before it gave a picture")
        if isinstance(why, ConfigError) and self._has_ever_run:
            why = SourceError(str(why))  # such as of another camera in the place of the one that was there
        if not isinstance(why, SourceError):
            raise why if isinstance(why, Exception) else AssertionError(why)
        never_came = self._patience.reconnect == "lost" and not self._has_ever_run
        if never_came or self._patience.reconnect == "never":
            raise why
        self._failures += 1
        self._status.move(StreamState.RECONNECTING, str(why))

    def _leave_reader(self) -> None:
        with self._lock:
            reader, self._reader = self._reader, None
        if reader is not None:
            self._missed_before += reader.missed
            reader.abandon()
            self._hanging.append(reader)
        self._is_running = self._is_stalled = False

    def _reconnect(self) -> bool:
        """After a pause, a new connection; False when it was interrupted, or none can be made now."""
        pause_s = min(_LONGEST_PAUSE_S, _SHORTEST_PAUSE_S * 2 ** min(self._failures - 1, 10))
        if self._interrupted.wait(pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)):
            return False
        self._forget_ended()
        if len(self._hanging) >= _MOST_HANGING:
            self._status.move(
                StreamState.RECONNECTING, f"{self._name}: {len(self._hanging)} calls into it never returned"
            )
            return False
        self._connect(self._make())
        return True

    def _forget_ended(self) -> None:
        """Readers that have ended keep their sources, and those their buffers."""
        if self._hanging:
            self._hanging = [reader for reader in self._hanging if reader.is_alive()]

    def _connect(self, source: Source) -> None:
        reader = Reader(source, f"{threading.current_thread().name}/reader")
        with self._lock:
            self._reader = reader
        self._since_ns = self._picture_ns = self._connected_ns = monotonic_ns()
        self._rhythm = _Rhythm()  # the camera may have come back with another rate
        if self._interrupted.is_set():  # it came between the last look and now
            reader.abandon()

    def close(self) -> None:
        """Waits a moment for the connection to be given back; one that hangs goes with the process."""
        self._leave_reader()
        hanging, self._hanging = self._hanging, []
        if hanging:
            hanging[-1].join(_CLOSE_S)

    def interrupt(self) -> None:
        self._interrupted.set()
        with self._lock:
            reader = self._reader
        if reader is not None:
            reader.abandon()


def _only_damaged(for_ns: int) -> str:
    return f"only damaged pictures for {for_ns // NS_PER_MS} ms"
