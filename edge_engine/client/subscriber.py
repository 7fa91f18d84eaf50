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

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from edge_engine.client.clocks import Clocks
from edge_engine.client.connection import RECEIVE_QUEUE, Connection
from edge_engine.client.credentials import credentials
from edge_engine.client.events import StreamEvent
from edge_engine.client.inbox import Inbox, Stats, Stream
from edge_engine.client.status import Status
from edge_engine.clock import NS_PER_MS, monotonic_ns, to_ms
from edge_engine.wire import HEARTBEAT_NS, DescribeMessage, HealthMessage, Message, ResultMessage

DEFAULT_ENDPOINT = "tcp://127.0.0.1:5555"
_LOOK_MS = 500
_DEAD_AFTER_NS = HEARTBEAT_NS * 5 // 2


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
        keys = credentials(server_key, client_key)
        self._endpoint, self._only = endpoint, stream
        self._connection = Connection(endpoint, stream, keys)
        self._clocks = Clocks(endpoint, keys)
        self._inbox = Inbox()
        self._is_iterating = False
        self._waiting: deque[ResultMessage] = deque()

    @property
    def session(self) -> str:
        """The engine's run that speaks now; empty before one did."""
        return self._inbox.session

    @property
    def stats(self) -> Stats:
        return self._inbox.stats

    @property
    def health(self) -> dict[str, HealthMessage]:
        """Each stream's last heartbeat."""
        return self._inbox.health

    @property
    def described(self) -> dict[str, DescribeMessage]:
        return self._inbox.described

    def latest(self, max_age_ms: float | None = None, stream: str | None = None) -> ResultMessage | None:
        """The newest result that is still good, or None. Never waits.

        A result is good until its `valid_until_ns`, and no older than `max_age_ms` if that is given; one that
        the engine itself doubts, `valid` false, is not.
        `stream` picks one stream of several; by default the result captured last counts.
        """
        self._receive_all()
        newest = self._inbox.newest(stream)
        if newest is None or not (newest.valid and self.is_fresh(newest, max_age_ms)):
            return None
        return newest

    def status(self, stream: str | None = None, min_fps: float | None = None) -> Status:
        """Whether that stream is to be trusted now, and if not, why. Never waits.

        `stream` None is the only one; `min_fps` None is what the engine's configuration has for the stream.
        """
        self._receive_all()
        known = sorted(self._inbox.known())
        name = stream or self._only or (known[0] if len(known) == 1 else None)
        if name is None:
            which = f"which stream? there is: {', '.join(known)}"
            what = which if known else f"nothing from {self._endpoint} yet"
            return Status(False, False, False, False, what)
        if min_fps is None:
            min_fps = self.described[name].min_fps if name in self.described else 0.0
        return self._status(name, min_fps)

    def _status(self, name: str, min_fps: float) -> Status:
        of, health = self._inbox.streams.get(name) or Stream(), self.health.get(name)
        newest, age_ms = of.newest, None if of.newest is None else self.age_ms(of.newest)
        dead, doubt = self._is_dead(name), "" if newest is None else newest.reason
        is_fresh = newest is not None and self.is_fresh(newest)
        fps = 0.0 if newest is None else of.rate.fps(self._clocks.likely_ns(newest.clock))
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
        now_ns = self._clocks.latest_ns(health.clock)
        if now_ns is None:
            return "the publisher's clock is not known yet"
        silent_ns = now_ns - health.published_ns
        return f"no heartbeat for {silent_ns // NS_PER_MS} ms" if silent_ns > _DEAD_AFTER_NS else ""

    def age_ms(self, result: ResultMessage) -> float | None:
        """How long ago the frame's light was captured, at most; None while the publisher's clock isn't
        known.
        """
        now_ns = self._clocks.latest_ns(result.clock)
        return None if now_ns is None else to_ms(now_ns - result.captured_ns)

    def is_fresh(self, result: ResultMessage, max_age_ms: float | None = None) -> bool:
        """Whether its time is not over yet, for certain."""
        now_ns = self._clocks.latest_ns(result.clock)
        if now_ns is None or now_ns > result.valid_until_ns:
            return False
        return max_age_ms is None or to_ms(now_ns - result.captured_ns) <= max_age_ms

    def results(self, timeout_s: float | None = None) -> Iterator[ResultMessage]:
        """Every result as it comes, fresh or not; ends after `timeout_s` without one. What `latest`, `status`
        and `events` receive meanwhile is given out all the same, up to the last 16.
        """
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
            self._waiting.clear()

    def events(self) -> list[StreamEvent]:
        """What happened in zones and at lines since the last call, oldest first, those of results that this
        client never saw too. Never waits; up to 1024 are kept.
        """
        self._receive_all()
        return self._inbox.events.take()

    def __iter__(self) -> Iterator[ResultMessage]:
        return self.results()

    def _next_result(self, deadline_ns: int | None) -> ResultMessage | None:
        while not self._waiting:
            left_ms = _LOOK_MS if deadline_ns is None else (deadline_ns - monotonic_ns()) // NS_PER_MS
            if self._connection.waits(min(_LOOK_MS, max(0, left_ms))):
                message = self._receive()
                if isinstance(message, ResultMessage):
                    return message
            elif left_ms <= 0:
                return None
            else:
                self._connection.knock_again()
        return self._waiting.popleft()

    def _receive_all(self) -> None:
        while self._connection.waits():
            message = self._receive()
            if self._is_iterating and isinstance(message, ResultMessage):
                self._keep(message)
        self._connection.knock_again()

    def _keep(self, result: ResultMessage) -> None:
        """For who iterates."""
        self._waiting.append(result)
        if len(self._waiting) > RECEIVE_QUEUE:
            self._waiting.popleft()
            self._inbox.count_not_taken()

    def _receive(self) -> Message | None:
        """What is there; None when it is of no use."""
        message = self._inbox.take(self._connection.receive())
        if isinstance(message, DescribeMessage):
            self._clocks.follow(message)
        return message

    def close(self) -> None:
        self._clocks.end_sync()
        self._connection.close()

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
