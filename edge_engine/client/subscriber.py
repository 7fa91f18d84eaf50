"""Subscriber: results for a control loop, and whether they may be acted on.

    subscriber = Subscriber("tcp://127.0.0.1:5555")
    while True:
        result = subscriber.latest(max_age_ms=200)
        if result is None:
            stop_the_motors()

The publisher may be on another machine: its clock is compared with this one's (clock_sync.py), and what is
not known of it counts as age. Nobody's wall clock matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import zmq

from edge_engine.client.clock_sync import ClockSync, Offset
from edge_engine.client.credentials import credentials
from edge_engine.client.events import Events, StreamEvent
from edge_engine.client.sequence import Sequence, Sessions, Verdict
from edge_engine.client.status import Rate, Status
from edge_engine.clock import NS_PER_MS, NS_PER_S, clock_id, monotonic_ns, to_ms
from edge_engine.wire import (
    HEARTBEAT_NS,
    DescribeMessage,
    EventMessage,
    ForeignError,
    HealthMessage,
    Message,
    ResultMessage,
    WireError,
    decode,
)

DEFAULT_ENDPOINT = "tcp://127.0.0.1:5555"
# What waits grows old: a few messages, in the queue and in the system's own buffer behind it. ZeroMQ's
# CONFLATE would keep the last message alone, which may be another stream's, or a heartbeat.
_RECEIVE_QUEUE = 16
_BUFFER_BYTES = 64 * 1024
_LONGEST_MESSAGE = 2**24
_KEEPALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 2,
    zmq.TCP_KEEPALIVE_INTVL: 1,
    zmq.TCP_KEEPALIVE_CNT: 3,
}
_LOOK_MS = 500
_REFUSED_AFTER_NS = 2 * NS_PER_S
_DEAD_AFTER_NS = HEARTBEAT_NS * 5 // 2
_SAME_CLOCK = Offset(0, 0)


@dataclass(slots=True)
class Stats:
    """What came in since the start. Of results: `received`, `lost` on the way, and those that came `late`,
    after a newer one. Of all messages: `repeated`; `damaged`; `foreign`, which are whole but of another
    program, version or stream, or of a run of the engine that is over. None of these is ever given out.
    `restarts` of the engine. `missed_events`: lost on the way, or not taken in time.
    """

    received: int = 0
    lost: int = 0
    repeated: int = 0
    late: int = 0
    damaged: int = 0
    foreign: int = 0
    restarts: int = 0
    missed_events: int = 0


class _Stream:
    """What is known of one stream in this session."""

    def __init__(self) -> None:
        self.newest: ResultMessage | None = None
        self.sequence = Sequence()
        self.rate = Rate()


class Subscriber:
    """Results of one or all streams of a publisher. One thread uses it."""

    def __init__(
        self,
        endpoint: str = DEFAULT_ENDPOINT,
        stream: str | None = None,
        *,
        server_key: str | Path | None = None,
        client_key: str | Path | None = None,
    ) -> None:
        """`stream` None means all of them. Connecting to nobody is fine: results come when it starts.

        An engine with keys wants both: the file with its public key, and the one with this client's secret
        (`edge-engine keygen`). Raises ConfigError for a file that holds none.
        """
        self._credentials = credentials(server_key, client_key)
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _RECEIVE_QUEUE)
        self._socket.setsockopt(zmq.RCVBUF, _BUFFER_BYTES)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_MESSAGE)
        # A machine that has lost its power closes nothing. ZeroMQ's own heartbeats abort the process of a
        # subscriber that is slow and connects anew (libzmq's issue 3937).
        for option, value in _KEEPALIVE.items():
            self._socket.setsockopt(option, value)
        self._protect(self._socket)
        for kind in ("result", "event", "health", "describe"):
            self._socket.subscribe(f"{kind}/" if stream is None else f"{kind}/{stream}\0")
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError:
            self._socket.close()
            raise
        self._endpoint, self._only = endpoint, stream
        self._heard_ns = monotonic_ns()
        self._clock = clock_id()
        self._sync: ClockSync | None = None
        self._sessions = Sessions()
        self._streams: dict[str, _Stream] = {}
        self._lost_before = 0
        self._stats = Stats()
        self._events = Events()
        self._is_iterating = False
        self.health: dict[str, HealthMessage] = {}
        self.described: dict[str, DescribeMessage] = {}

    def _protect(self, socket: zmq.Socket[bytes]) -> None:
        if self._credentials is not None:
            self._credentials.protect(socket)

    @property
    def session(self) -> str:
        """The engine's run that speaks now; empty before one did."""
        return self._sessions.current

    @property
    def stats(self) -> Stats:
        self._stats.restarts = self._sessions.restarts
        self._stats.missed_events = self._events.missed
        self._stats.lost = self._lost_before + sum(each.sequence.lost for each in self._streams.values())
        return self._stats

    def latest(self, max_age_ms: float | None = None, stream: str | None = None) -> ResultMessage | None:
        """The newest result that is still good, or None. Never waits.

        A result is good until its `valid_until_ns`, and no older than `max_age_ms` if that is given; one that
        the engine itself doubts, `valid` false, is not.
        `stream` picks one stream of several; by default the result captured last counts.
        """
        self._receive_all()
        if stream is None:
            results = (each.newest for each in self._streams.values())
            newest = max(filter(None, results), key=lambda result: result.captured_ns, default=None)
        else:
            newest = self._streams[stream].newest if stream in self._streams else None
        if newest is None or not (newest.valid and self.is_fresh(newest, max_age_ms)):
            return None
        return newest

    def status(self, stream: str | None = None, min_fps: float | None = None) -> Status:
        """Whether that stream is to be trusted now, and if not, why. Never waits.

        `stream` None is the only one; `min_fps` None is what the engine's configuration has for the stream.
        """
        self._receive_all()
        name = stream or self._only or (next(iter(self._known())) if len(self._known()) == 1 else None)
        if name is None:
            known = ", ".join(sorted(self._known()))
            what = f"which stream? there is: {known}" if known else f"nothing from {self._endpoint} yet"
            return Status(False, False, False, False, what)
        if min_fps is None:
            min_fps = self.described[name].min_fps if name in self.described else 0.0
        return self._status(name, min_fps)

    def _known(self) -> set[str]:
        return {*self.described, *self.health, *self._streams}

    def _status(self, name: str, min_fps: float) -> Status:
        of, health = self._streams.get(name) or _Stream(), self.health.get(name)
        newest, age_ms = of.newest, None if of.newest is None else self.age_ms(of.newest)
        dead, doubt = self._is_dead(name), "" if newest is None else newest.reason
        is_fresh = newest is not None and self.is_fresh(newest)
        fps = 0.0 if newest is None else of.rate.fps(self._theirs_ns(newest))
        slow = f"{fps:.1f} results a second of at least {min_fps:g}" if fps < min_fps else ""
        stopped = _stopped(health)
        if newest is not None and not newest.valid:
            stopped = stopped or doubt or "not valid"
        old = "" if is_fresh else _old(newest, age_ms)
        return Status(
            alive=not dead,
            fresh=is_fresh,
            rate_ok=not slow,
            valid=newest is not None and not stopped,
            reason=dead or stopped or old or slow,
            age_ms=age_ms,
        )

    def _is_dead(self, name: str) -> str:
        """Why there is no heartbeat; empty where there is one."""
        health = self.health.get(name)
        if health is None:
            return f"no heartbeat of stream {name} from {self._endpoint} yet"
        now_ns = self._latest_ns(health.clock)
        if now_ns is None:
            return "the publisher's clock is not known yet"
        silent_ns = now_ns - health.published_ns
        return f"no heartbeat for {silent_ns // NS_PER_MS} ms" if silent_ns > _DEAD_AFTER_NS else ""

    def age_ms(self, result: ResultMessage) -> float | None:
        """How long ago the frame's light was captured, at most; None while the publisher's clock isn't
        known.
        """
        now_ns = self._latest_ns(result.clock)
        return None if now_ns is None else to_ms(now_ns - result.captured_ns)

    def is_fresh(self, result: ResultMessage, max_age_ms: float | None = None) -> bool:
        """Whether its time is not over yet, for certain."""
        now_ns = self._latest_ns(result.clock)
        if now_ns is None or now_ns > result.valid_until_ns:
            return False
        return max_age_ms is None or to_ms(now_ns - result.captured_ns) <= max_age_ms

    def _latest_ns(self, clock: str) -> int | None:
        """The latest that the clock of that name can show now; None while it isn't known."""
        offset = self._offset(clock)
        return None if offset is None else monotonic_ns() + offset.ns + offset.uncertainty_ns

    def _theirs_ns(self, result: ResultMessage) -> int:
        offset = self._offset(result.clock)
        return monotonic_ns() + (offset.ns if offset is not None else 0)

    def _offset(self, clock: str) -> Offset | None:
        """How far that clock is ahead of ours; None while nobody has told."""
        if clock in ("", self._clock):
            return _SAME_CLOCK
        if self._sync is not None and self._sync.clock == clock:
            return self._sync.offset
        return None

    def results(self, timeout_s: float | None = None) -> Iterator[ResultMessage]:
        """Every result as it comes, fresh or not; ends after `timeout_s` without one."""
        self._is_iterating = True
        try:
            while True:
                deadline_ns = None if timeout_s is None else monotonic_ns() + int(timeout_s * 1e9)
                result = self._next_result(deadline_ns)
                if result is None:
                    return
                yield result
        finally:
            self._is_iterating = False

    def events(self) -> list[StreamEvent]:
        """What happened in zones and at lines since the last call, oldest first, those of results that this
        client never saw too. Never waits; up to 1024 are kept. While `results` is iterated they come with
        them, and this only hands them out.
        """
        if not self._is_iterating:
            self._receive_all()
        return self._events.take()

    def __iter__(self) -> Iterator[ResultMessage]:
        return self.results()

    def _next_result(self, deadline_ns: int | None) -> ResultMessage | None:
        while True:
            left_ms = _LOOK_MS if deadline_ns is None else (deadline_ns - monotonic_ns()) // NS_PER_MS
            if self._socket.poll(min(_LOOK_MS, max(0, left_ms))):
                message = self._receive()
                if isinstance(message, ResultMessage):
                    return message
            elif left_ms <= 0:
                return None
            else:
                self._knock_again()

    def _receive_all(self) -> None:
        while self._socket.poll(0):
            self._receive()
        self._knock_again()

    def _knock_again(self) -> None:
        """An engine that has refused a key is never asked again by ZeroMQ itself; it may be allowed now."""
        if self._credentials is None or monotonic_ns() - self._heard_ns < _REFUSED_AFTER_NS:
            return
        self._heard_ns = monotonic_ns()
        with suppress(zmq.ZMQError):  # it is connected no more
            self._socket.disconnect(self._endpoint)
        self._socket.connect(self._endpoint)

    def _receive(self) -> Message | None:
        """What is there; None when it is of no use."""
        self._heard_ns = monotonic_ns()
        try:
            message = decode(self._socket.recv())
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

    def _forget(self) -> None:
        """What another run of the engine said."""
        self._lost_before += sum(each.sequence.lost for each in self._streams.values())
        self._streams.clear()
        self._events.forget()
        self.health.clear()
        self.described.clear()

    def _note(self, message: Message) -> bool:
        """Whether it is news."""
        if isinstance(message, ResultMessage):
            return self._note_result(message)
        if isinstance(message, EventMessage):
            is_new = self._events.note(message)
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
            self._follow_clock(message)
        return True

    def _note_result(self, result: ResultMessage) -> bool:
        of = self._streams.setdefault(result.stream, _Stream())
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

    def _follow_clock(self, described: DescribeMessage) -> None:
        """Compares clocks with a publisher whose clock is another one."""
        clock, address = described.clock, re.match(r"(tcp://.+):\d+\Z", self._endpoint)
        if clock in ("", self._clock) or not described.clock_port or address is None:
            return
        endpoint = f"{address[1]}:{described.clock_port}"
        if self._sync is None or (self._sync.clock, self._sync.endpoint) != (clock, endpoint):
            self._end_sync()
            self._sync = ClockSync(endpoint, clock, self._protect)

    def _end_sync(self) -> None:
        if self._sync is not None:
            self._sync.close()
        self._sync = None

    def close(self) -> None:
        self._end_sync()
        self._socket.close()

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stopped(health: HealthMessage | None) -> str:
    """Why there are no results; empty where there should be some."""
    if health is None:
        return ""
    if health.paused:
        return "paused"
    return "" if health.state == "running" else f"{health.state}: {health.reason}"


def _old(newest: ResultMessage | None, age_ms: float | None) -> str:
    if newest is None:
        return "no result yet"
    return (
        "the publisher's clock is not known yet"
        if age_ms is None
        else f"the newest result is {age_ms:.0f} ms old"
    )
