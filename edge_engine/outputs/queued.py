"""QueuedOutput: an output that writes in a thread of its own, so that what it waits for holds up nobody.

    publish ─▶ at most so many results ─▶ its thread ─▶ Sink: a file, a broker, a link

A new kind of output is a Sink, which need not care for threads, retries or counts: it may block, and raises
OSError where it can't write.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from edge_engine.clock import monotonic_ns
from edge_engine.errors import one_line
from edge_engine.ledger import Counts
from edge_engine.outputs.output import Health
from edge_engine.result import Result

_log = logging.getLogger("edge_engine.outputs")

MOST_WAITING = 256
_FIRST_PAUSE_S = 1.0
_CLOSE_S = 2.0


class Published(NamedTuple):
    """A result, and its stream's ledger with this result in it."""

    result: Result
    counts: Counts


class Pulse(NamedTuple):
    """The `health` of each stream that moved when the publish thread last said so, at `beaten_ns`; 0 when it
    has not yet."""

    health: Mapping[str, Health]
    beaten_ns: int


class Sink(Protocol):
    """Where results are written. Its output's thread alone calls these."""

    def write(self, published: Sequence[Published], pulse: Pulse) -> None:
        """In their order; none of them where it is only time for another look. Opens what isn't open.

        OSError, in words that follow a name and a colon: these results are lost, whatever was open is
        closed, and the next call, after a pause, begins anew.
        """
        ...

    def close(self) -> None:
        """The last call; also after a `write` that failed."""
        ...


class QueuedOutput:
    """`publish`, `beat` and `close` are the publish thread's, `write` and `close` of the sink this one's own;
    `_changed` guards what both touch. A live engine never waits: the oldest result goes for a new one, and
    is counted in `lost`. One that `waits` does so for a slow sink, not for one that fails.
    """

    def __init__(
        self,
        name: str,
        place: str,
        sink: Sink,
        *,
        waits: bool,
        most_waiting: int = MOST_WAITING,
        look_s: float | None = None,
        longest_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        """`place`: what alarms begin with. Without results the sink gets a call every `look_s`. The pause
        after a failure doubles from 1 s up to `longest_pause_s`.
        """
        self.name, self._place, self._sink, self._waits = name, place, sink, waits
        self._most_waiting, self._look_s, self._longest_pause_s = most_waiting, look_s, longest_pause_s
        self.alarm, self.lost = "", 0
        self._pause_s = _FIRST_PAUSE_S
        self._pulse = Pulse({}, 0)
        self._waiting: deque[Published] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def publish(self, result: Result, counts: Counts) -> None:
        with self._changed:
            if self._waits:
                self._changed.wait_for(self._has_room)
            if len(self._waiting) >= self._most_waiting:
                self._waiting.popleft()
                self.lost += 1
                if not self.alarm:
                    self._raise_alarm("too slow, results are lost")
            self._waiting.append(Published(result, counts))
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._waiting) < self._most_waiting or bool(self.alarm) or self._is_closing

    def beat(self, health: Mapping[str, Health]) -> None:
        self._pulse = Pulse(health, monotonic_ns())

    def close(self) -> None:
        """What is waiting gets two seconds."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():
            _log.error("%s: was still busy at the end; its last results are lost", self._place)

    def _run(self) -> None:
        while self._step():
            pass
        try:
            self._sink.close()
        except OSError as error:
            _log.error("%s: %s", self._place, error.strerror or error)

    def _step(self) -> bool:
        """Whether more may come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing, self._look_s)
            taken, is_last = list(self._waiting), self._is_closing
            self._waiting.clear()
            self._changed.notify_all()
        if taken or self._look_s is not None:
            self._write(taken)
        return not is_last

    def _write(self, taken: Sequence[Published]) -> None:
        try:
            self._sink.write(taken, self._pulse)
        except OSError as error:
            self._fail(error.strerror or one_line(error), len(taken))
        except Exception as error:  # a fault of ours costs results, but not the output
            _log.exception("%s: a fault of the engine's", self._place)
            self._fail(f"{type(error).__name__}: {one_line(error)}", len(taken))
        else:
            self._succeed()

    def _fail(self, said: str, lost: int) -> None:
        with self._changed:
            self.lost += lost
            self._raise_alarm(said)
            self._changed.notify_all()  # nobody waits for what fails
            self._changed.wait_for(lambda: self._is_closing, self._pause_s)
        self._pause_s = min(2 * self._pause_s, self._longest_pause_s)

    def _succeed(self) -> None:
        self._pause_s = _FIRST_PAUSE_S
        with self._changed:
            if self.alarm and len(self._waiting) <= self._most_waiting // 2:
                _log.warning("%s: goes on, without %d results", self._place, self.lost)
                self.alarm = ""

    def _raise_alarm(self, said: str) -> None:
        """Told once, and in each heartbeat until all is well."""
        alarm = f"{self._place}: {said}"
        if alarm != self.alarm:
            _log.error("%s; the engine goes on, and so does the trying", alarm)
        self.alarm = alarm
