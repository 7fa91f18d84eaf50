"""Inbox: what a publisher's messages say, one run of the engine after another, and how many were no use."""

from __future__ import annotations

from dataclasses import dataclass

from edge_engine.client.events import Events
from edge_engine.client.sequence import Sequence, Sessions, Verdict
from edge_engine.client.status import Rate
from edge_engine.wire import (
    DescribeMessage,
    EventMessage,
    ForeignError,
    HealthMessage,
    Message,
    ResultMessage,
    WireError,
    decode,
)


@dataclass(slots=True)
class Stats:
    """What came in since the start. Of results: `received`; `lost` on the way, or not taken in time; `late`,
    those that came after a newer one. Of all messages: `repeated`; `damaged`; `foreign`, which are whole but
    of another program, version or stream, or of a run of the engine that is over. None of these is ever given
    out. `restarts` of the engine. `missed_events`: lost on the way, or not taken in time.
    """

    received: int = 0
    lost: int = 0
    repeated: int = 0
    late: int = 0
    damaged: int = 0
    foreign: int = 0
    restarts: int = 0
    missed_events: int = 0


class Stream:
    """What is known of one stream in this session."""

    def __init__(self) -> None:
        self.newest: ResultMessage | None = None
        self.sequence = Sequence()
        self.rate = Rate()


class Inbox:
    """`session`, `streams`, `health` and `described` are of the run that speaks now."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.health: dict[str, HealthMessage] = {}
        self.described: dict[str, DescribeMessage] = {}
        self.events = Events()
        self._sessions = Sessions()
        self._stats = Stats()
        self._lost_before = 0

    @property
    def session(self) -> str:
        """Empty before any spoke."""
        return self._sessions.current

    @property
    def stats(self) -> Stats:
        self._stats.restarts = self._sessions.restarts
        self._stats.missed_events = self.events.missed
        self._stats.lost = self._lost_before + sum(each.sequence.lost for each in self.streams.values())
        return self._stats

    def known(self) -> set[str]:
        """The streams that anything was said of."""
        return {*self.described, *self.health, *self.streams}

    def newest(self, stream: str | None) -> ResultMessage | None:
        """Of that stream, or the one of all that was captured last."""
        if stream is not None:
            return self.streams[stream].newest if stream in self.streams else None
        results = filter(None, (each.newest for each in self.streams.values()))
        return max(results, key=lambda result: result.captured_ns, default=None)

    def take(self, data: bytes) -> Message | None:
        """One message as it came; None when it is of no use, which is counted."""
        try:
            message = decode(data)
        except ForeignError:
            self._stats.foreign += 1
            return None
        except WireError:
            self._stats.damaged += 1
            return None
        if self._sessions.is_foreign(message.session):
            self._stats.foreign += 1
            return None
        if self._sessions.begin(message.session):
            self._forget()
        return message if self._note(message) else None

    def count_not_taken(self) -> None:
        """A result that nobody took in time."""
        self._lost_before += 1

    def _forget(self) -> None:
        """What another run of the engine said."""
        self._lost_before += sum(each.sequence.lost for each in self.streams.values())
        self.streams.clear()
        self.events.forget()
        self.health.clear()
        self.described.clear()

    def _note(self, message: Message) -> bool:
        """Whether it is news."""
        if isinstance(message, ResultMessage):
            return self._note_result(message)
        if isinstance(message, EventMessage):
            is_new = self.events.note(message)
            self._stats.repeated += not is_new
            return is_new
        if isinstance(message, HealthMessage):
            last = self.health.get(message.stream)
            if last is not None and message.published_ns <= last.published_ns:
                self._stats.repeated += 1
                return False
            self.health[message.stream] = message
        else:
            self.described[message.stream] = message
        return True

    def _note_result(self, result: ResultMessage) -> bool:
        of = self.streams.setdefault(result.stream, Stream())
        verdict = of.sequence.judge(result.counters.published)
        if verdict is Verdict.REPEATED:
            self._stats.repeated += 1
        elif verdict is Verdict.LATE:
            self._stats.late += 1
        else:
            self._stats.received += 1
            of.rate.note(result.counters.published, result.published_ns)
            of.newest = result
        return verdict is Verdict.NEW
