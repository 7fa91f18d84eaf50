"""A publisher that sends what a test wants."""

from __future__ import annotations

from types import TracebackType

import msgspec
import zmq

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.wire import Counters, HealthMessage, Message, ResultMessage, encode


class Publisher:
    """A socket that sends what a test wants, once the subscriber has joined."""

    def __init__(self) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
        self.socket.bind("tcp://127.0.0.1:*")
        self.endpoint = str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT))

    def wait_for_subscriptions(self, n: int = 4) -> None:
        for _ in range(n):
            assert self.socket.poll(5000)
            self.socket.recv()

    def send(self, *messages: Message | bytes) -> None:
        for message in messages:
            self.socket.send(message if isinstance(message, bytes) else encode(message))

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close(linger=0)


def make_result(number: int = 1, **changes: object) -> ResultMessage:
    now_ns = monotonic_ns()
    result = ResultMessage(
        stream="front",
        seq=number,
        session="a",
        captured_ns=now_ns,
        captured_utc_ns=0,
        published_ns=now_ns,
        valid_until_ns=now_ns + 60_000 * NS_PER_MS,
        size=(640, 480),
        model="m",
        stages_ms={},
        counters=Counters(number, number, 0, {}),
        objects=[],
    )
    return msgspec.structs.replace(result, **changes)


def flush(publisher: Publisher, subscriber: Subscriber, session: str = "a") -> None:
    """Everything sent so far has arrived once a last heartbeat has."""
    publisher.send(
        HealthMessage(
            stream="flush", session=session, published_ns=monotonic_ns(), counters=Counters(0, 0, 0, {})
        )
    )
    deadline_ns = monotonic_ns() + 5_000 * NS_PER_MS
    while "flush" not in subscriber.health and monotonic_ns() < deadline_ns:
        subscriber.latest()
    assert subscriber.health.pop("flush")
