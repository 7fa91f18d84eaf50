"""Subscriber, with real sockets: freshness, gaps, damage, restarts."""

from __future__ import annotations

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.wire import encode
from tests.client.publisher import Publisher, flush, make_result


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
    flush(publisher, subscriber, "b")
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
    assert (subscriber.stats.repeated, subscriber.stats.late) == (1, 1)


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


def test_a_look_at_the_stream_between_two_results_takes_none_away(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    results = subscriber.results(timeout_s=60)
    publisher.send(*(make_result(number) for number in range(1, 9)))
    seen = []
    for result in results:
        seen.append(result.seq)
        if result.seq == 3:
            flush(publisher, subscriber)
            newest = subscriber.latest()
            assert newest is not None
            assert newest.seq == 8
        assert subscriber.status("front").fresh
        if result.seq == 8:
            break
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]


def test_results_that_wait_for_too_long_are_lost_and_counted(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    results = subscriber.results(timeout_s=1)
    publisher.send(make_result(1))
    assert next(results).seq == 1
    for number in range(2, 32):
        publisher.send(make_result(number))
        subscriber.latest()
    flush(publisher, subscriber)
    assert [result.seq for result in results] == list(range(16, 32))
    assert (subscriber.stats.received, subscriber.stats.lost) == (31, 14)


def test_iterating_ends_after_the_timeout(subscriber: Subscriber) -> None:
    assert list(subscriber.results(timeout_s=0.05)) == []
