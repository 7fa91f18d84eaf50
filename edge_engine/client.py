"""Subscriber: what a controller imports to get results, and to know how old they are.

    subscriber = Subscriber("tcp://127.0.0.1:5555")
    while True:
        result = subscriber.latest(max_age_ms=200)
        if result is None:
            stop_the_motors()

Ages compare the publisher's monotonic clock with this process's: both must run on one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import zmq

from edge_engine.clock import NS_PER_MS, monotonic_ns, to_ms
from edge_engine.wire import DescribeMessage, HealthMessage, Message, ResultMessage, WireError, decode

DEFAULT_ENDPOINT = "tcp://127.0.0.1:5555"
# A message is a few kB; more waiting than this is a backlog of old news.
_RECEIVE_QUEUE = 16


@dataclass(slots=True)
class Stats:
    """What came in since the start: results in order, results missed in between, results that came
    again or late, unreadable messages, and how often the engine was started anew."""

    received: int = 0
    lost: int = 0
    repeated: int = 0
    damaged: int = 0
    restarts: int = 0


class Subscriber:
    """Results of one or all streams of a publisher. One thread uses it."""

    def __init__(self, endpoint: str = DEFAULT_ENDPOINT, stream: str | None = None) -> None:
        """`stream` None means all of them. Connecting to nobody is fine: results come when it starts."""
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _RECEIVE_QUEUE)
        for kind in ("result", "health", "describe"):
            self._socket.subscribe(f"{kind}/" if stream is None else f"{kind}/{stream}\0")
        self._socket.connect(endpoint)
        self._newest: dict[str, ResultMessage] = {}
        self.stats = Stats()
        self.health: dict[str, HealthMessage] = {}
        self.described: dict[str, DescribeMessage] = {}

    def latest(self, max_age_ms: float | None = None, stream: str | None = None) -> ResultMessage | None:
        """The newest result that is still good, or None. Never waits.

        A result is good until its `valid_until_ns`, and no older than `max_age_ms` if that is given; one that
        the engine itself doubts, `valid` false, is not.
        `stream` picks one stream of several; by default the result captured last counts.
        """
        while self._receive(0):
            pass
        if stream is None:
            newest = max(self._newest.values(), key=lambda result: result.captured_ns, default=None)
        else:
            newest = self._newest.get(stream)
        if newest is None or not is_fresh(newest, max_age_ms):
            return None
        return newest

    def results(self, timeout_s: float | None = None) -> Iterator[ResultMessage]:
        """Every result as it comes, fresh or not; ends after `timeout_s` without one."""
        while True:
            deadline_ns = None if timeout_s is None else monotonic_ns() + int(timeout_s * 1e9)
            result = self._next_result(deadline_ns)
            if result is None:
                return
            yield result

    def __iter__(self) -> Iterator[ResultMessage]:
        return self.results()

    def _next_result(self, deadline_ns: int | None) -> ResultMessage | None:
        while True:
            left_ms = None if deadline_ns is None else max(0, (deadline_ns - monotonic_ns()) // NS_PER_MS)
            if not self._socket.poll(left_ms):
                return None
            message = self._receive(0)
            if isinstance(message, ResultMessage):
                return message

    def _receive(self, timeout_ms: int) -> Message | bool:
        """The next message; True for one of no use; False when there is none."""
        if not self._socket.poll(timeout_ms):
            return False
        try:
            message = decode(self._socket.recv())
        except WireError:
            self.stats.damaged += 1
            return True
        if isinstance(message, ResultMessage):
            return message if self._note(message) else True
        if isinstance(message, HealthMessage):
            self.health[message.stream] = message
        else:
            self.described[message.stream] = message
        return message

    def _note(self, result: ResultMessage) -> bool:
        """Keep the result as its stream's newest and count what was missed; False for an old one."""
        last = self._newest.get(result.stream)
        if last is not None and last.session != result.session:
            self.stats.restarts += 1
        elif last is not None:
            missed = result.counters.published - last.counters.published - 1
            if missed < 0:
                self.stats.repeated += 1
                return False
            self.stats.lost += missed
        self.stats.received += 1
        self._newest[result.stream] = result
        return True

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def age_ms(result: ResultMessage) -> float:
    """How long ago the frame's light was captured, by this machine's monotonic clock."""
    return to_ms(monotonic_ns() - result.captured_ns)


def is_fresh(result: ResultMessage, max_age_ms: float | None = None) -> bool:
    """Whether a controller may still act on it."""
    if not result.valid or monotonic_ns() > result.valid_until_ns:
        return False
    return max_age_ms is None or age_ms(result) <= max_age_ms
