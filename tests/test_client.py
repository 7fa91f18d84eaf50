"""Subscriber, with real sockets: freshness, gaps, damage, restarts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
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

    def wait_for_subscriptions(self, n: int = 3) -> None:
        for _ in range(n):
            assert self.socket.poll(5000)
            self.socket.recv()

    def send(self, *messages: Message | bytes) -> None:
        for message in messages:
            self.socket.send(message if isinstance(message, bytes) else encode(message))


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    publisher.socket.close(linger=0)


@pytest.fixture
def subscriber(publisher: Publisher) -> Iterator[Subscriber]:
    with Subscriber(publisher.endpoint) as subscriber:
        publisher.wait_for_subscriptions()
        yield subscriber


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


def flush(publisher: Publisher, subscriber: Subscriber) -> None:
    """Everything sent so far has arrived once a last heartbeat has."""
    publisher.send(
        HealthMessage(
            stream="flush", session="a", published_ns=monotonic_ns(), counters=Counters(0, 0, 0, {})
        )
    )
    deadline_ns = monotonic_ns() + 5_000 * NS_PER_MS
    while "flush" not in subscriber.health and monotonic_ns() < deadline_ns:
        subscriber.latest()
    assert subscriber.health.pop("flush")


def test_latest_is_the_newest_result(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(*(make_result(number) for number in range(1, 11)))
    flush(publisher, subscriber)
    newest = subscriber.latest()
    assert newest is not None
    assert newest.seq == 10


def test_latest_is_none_before_anything_came(subscriber: Subscriber) -> None:
    assert subscriber.latest() is None


def test_latest_is_none_once_the_result_has_expired(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(make_result(valid_until_ns=monotonic_ns() - 1))
    flush(publisher, subscriber)
    assert subscriber.latest() is None
    assert subscriber.stats.received == 1


def test_latest_is_none_once_the_result_is_older_than_asked(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    publisher.send(make_result(captured_ns=monotonic_ns() - 300 * NS_PER_MS))
    flush(publisher, subscriber)
    assert subscriber.latest(max_age_ms=200) is None
    assert subscriber.latest(max_age_ms=60_000) is not None


def test_results_missed_on_the_way_are_counted(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(*(make_result(number) for number in (1, 2, 5, 6, 10)))
    flush(publisher, subscriber)
    assert (subscriber.stats.received, subscriber.stats.lost) == (5, 5)


def test_frames_that_the_engine_dropped_are_not_lost_on_the_way(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    publisher.send(make_result(1, seq=3), make_result(2, seq=90))
    flush(publisher, subscriber)
    assert subscriber.stats.lost == 0


def test_damaged_messages_are_counted_and_never_shown(publisher: Publisher, subscriber: Subscriber) -> None:
    damaged = bytearray(encode(make_result(2)))
    damaged[30] ^= 1
    publisher.send(make_result(1), bytes(damaged), b"result/garbage")
    flush(publisher, subscriber)
    newest = subscriber.latest()
    assert newest is not None
    assert newest.seq == 1
    assert subscriber.stats.damaged == 2


def test_a_restarted_engine_is_noticed_and_its_results_taken(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    publisher.send(make_result(500), make_result(1, session="b"))
    flush(publisher, subscriber)
    newest = subscriber.latest()
    assert newest is not None
    assert newest.session == "b"
    assert (subscriber.stats.restarts, subscriber.stats.lost) == (1, 0)


def test_an_older_result_never_replaces_a_newer_one(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(make_result(7), make_result(3), make_result(7))
    flush(publisher, subscriber)
    newest = subscriber.latest()
    assert newest is not None
    assert newest.seq == 7
    assert subscriber.stats.repeated == 2


def test_one_stream_of_several_can_be_asked_for(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(make_result(1, stream="left"), make_result(2, stream="right"))
    flush(publisher, subscriber)
    left = subscriber.latest(stream="left")
    assert left is not None
    assert left.stream == "left"
    newest = subscriber.latest()
    assert newest is not None
    assert newest.stream == "right"


def test_a_subscriber_of_one_stream_gets_no_other_with_the_same_beginning(publisher: Publisher) -> None:
    with Subscriber(publisher.endpoint, stream="front") as subscriber:
        publisher.wait_for_subscriptions()
        publisher.send(make_result(1, stream="front-left"), make_result(2, stream="front"))
        assert next(subscriber.results(timeout_s=5)).stream == "front"
        assert subscriber.latest(stream="front-left") is None


def test_iterating_ends_after_the_timeout(subscriber: Subscriber) -> None:
    assert list(subscriber.results(timeout_s=0.05)) == []
